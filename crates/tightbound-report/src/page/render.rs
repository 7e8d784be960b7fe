//! Fill the page's template.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::content::{Block, Download, Page, Section};
use super::explorer;

/// Named `.html`, for this decides that words are escaped.
const NAME: &str = "page.html";
const TEMPLATE: &str = include_str!("page.html");
const STYLE: [&str; 2] = [include_str!("page.css"), include_str!("explorer.css")];
const COPYING: [&str; 1] = [include_str!("script/copying.js")];
const EXPLORING: [&str; 6] = [
    include_str!("script/decoder.js"),
    include_str!("script/painting.js"),
    include_str!("script/state.js"),
    include_str!("script/plane.js"),
    include_str!("script/controls.js"),
    include_str!("script/explorer.js"),
];

/// What the template sees. It trusts `style`, `script` and `explorers`, a table's `html`, and
/// addresses; everything else it escapes.
#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    lead: &'a str,
    findings: &'a [String],
    warnings: &'a [String],
    sections: Vec<SectionView<'a>>,
    explorers: Option<String>,
    footer: &'a [String],
    style: String,
    script: String,
}

#[derive(Serialize)]
struct SectionView<'a> {
    title: &'a str,
    blocks: Vec<BlockView<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum BlockView<'a> {
    Paragraph { text: &'a str },
    Table { html: &'a str, caption: &'a str, links: Vec<LinkView<'a>> },
    Figure { name: &'a str, address: String, caption: &'a str, links: Vec<LinkView<'a>> },
    Commands { lines: &'a [String] },
    Facts { facts: &'a [(String, String)] },
}

#[derive(Serialize)]
struct LinkView<'a> {
    label: &'a str,
    file: String,
    address: String,
}

/// An address that holds the file itself, of letters that need no escaping in HTML.
fn address(media_type: &str, text: &str) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(text))
}

impl<'a> SectionView<'a> {
    fn of(section: &'a Section) -> Self {
        let blocks = section.blocks.iter().map(BlockView::of).collect();
        Self { title: &section.title, blocks }
    }
}

impl<'a> BlockView<'a> {
    fn of(block: &'a Block) -> Self {
        match block {
            Block::Paragraph(text) => Self::Paragraph { text },
            Block::Table { html, caption, downloads } => {
                let links = downloads.iter().map(LinkView::of).collect();
                Self::Table { html: html.as_str(), caption, links }
            }
            Block::Figure { name, svg, caption, csv } => {
                let address = address("image/svg+xml", svg);
                let file = |ending| format!("{name}.{ending}");
                let mut links =
                    vec![LinkView { label: "SVG", file: file("svg"), address: address.clone() }];
                links.extend(csv.as_deref().map(|text| LinkView {
                    label: "CSV",
                    file: file("csv"),
                    address: self::address(PLAIN, text),
                }));
                Self::Figure { name, address, caption, links }
            }
            Block::Commands(lines) => Self::Commands { lines },
            Block::Facts(facts) => Self::Facts { facts },
        }
    }
}

/// The type of files that are saved, not shown.
const PLAIN: &str = "text/plain;charset=utf-8";

impl<'a> LinkView<'a> {
    fn of(download: &'a Download) -> Self {
        let Download { label, file, text } = download;
        Self { label, file: file.clone(), address: address(PLAIN, text) }
    }
}

impl Page {
    /// The page as one HTML file.
    ///
    /// # Panics
    /// If an explorer's layers, units or examples do not fit together.
    pub fn to_html(&self) -> String {
        let explores = !self.explorers.is_empty();
        let script = if explores { [&EXPLORING[..], &COPYING].concat() } else { COPYING.to_vec() };
        let view = View {
            title: &self.title,
            lead: &self.lead,
            findings: &self.findings,
            warnings: &self.warnings,
            sections: self.sections.iter().map(SectionView::of).collect(),
            explorers: explores.then(|| explorer::to_json(&self.explorers)),
            footer: &self.footer,
            style: STYLE.concat(),
            script: script.concat(),
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment
            .render_named_str(NAME, TEMPLATE, Serde(&view))
            .expect("the template names what the view has")
    }
}
