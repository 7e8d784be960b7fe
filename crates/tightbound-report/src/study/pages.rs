//! Lay a report out on one page.

use super::curves::EPOCH;
use super::figure::{Drawing, Figure};
use super::report::Report;
use super::tables::NamedTable;
use crate::page::{Block, Download, Markup, Page, Section};

impl Report {
    /// The report as a page: findings first, then what they rest on, then how to repeat it.
    pub fn page(&self, title: &str) -> Page {
        let (curves, others): (Vec<&Figure>, Vec<&Figure>) =
            self.figures.iter().partition(|figure| is_training(figure));
        let sections = [
            ("Scores", self.tables.iter().map(table).collect::<Vec<_>>()),
            ("Training", curves.into_iter().map(figure).collect()),
            ("How tight, and how far to rely on it", others.into_iter().map(figure).collect()),
            ("What the models make of images", self.pictures.iter().map(figure).collect()),
            ("Protocol", protocol(&self.protocols)),
            ("How to repeat it", commands(&self.commands)),
        ];
        let sections = sections.into_iter().filter(|(_, blocks)| !blocks.is_empty());
        Page {
            title: title.to_owned(),
            lead: "Deep latent-variable models trained on several bounds of the log-likelihood, and what \
                   each bound did to them. Every number carries its protocol below."
                .to_owned(),
            findings: self.findings.clone(),
            warnings: self.warnings.clone(),
            explorers: self.explorers.clone(),
            sections: sections
                .map(|(title, blocks)| Section { title: title.to_owned(), blocks })
                .collect(),
            footer: vec![format!("Made by tightbound {}.", tightbound::VERSION)],
        }
    }
}

/// Whether a figure's axis is the epoch.
fn is_training(figure: &Figure) -> bool {
    matches!(&figure.drawing, Drawing::Lines(chart) if chart.x.label == EPOCH)
}

fn table(named: &NamedTable) -> Block {
    let NamedTable { name, table } = named;
    let download = |label: &str, ending: &str, text| Download {
        label: label.to_owned(),
        file: format!("{name}.{ending}"),
        text,
    };
    Block::Table {
        html: Markup::trusted(table.to_html()),
        caption: format!("{}, for other programs:", table.title),
        downloads: vec![
            download("CSV", "csv", table.to_csv()),
            download("Markdown", "md", table.to_markdown()),
            download("LaTeX", "tex", table.to_latex()),
        ],
    }
}

fn figure(figure: &Figure) -> Block {
    Block::Figure {
        name: figure.name.clone(),
        svg: figure.drawing.to_svg(),
        caption: figure.caption.clone(),
        csv: figure.drawing.to_csv(),
    }
}

fn protocol(protocols: &[(String, String)]) -> Vec<Block> {
    match protocols {
        [] => Vec::new(),
        _ => vec![Block::Facts(protocols.to_vec())],
    }
}

fn commands(commands: &[String]) -> Vec<Block> {
    vec![Block::Commands(commands.to_vec())]
}
