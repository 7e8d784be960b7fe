//! Write a report of several runs: the page, and its figures and tables as files.

use std::collections::BTreeMap;
use std::path::Path;

use tightbound::data::Images;
use tightbound_report::study::{Figure, NamedTable, Report, Run, Subjects};

use crate::args::DataFolder;
use crate::machine::Threads;
use crate::output::{talk, write_file};

/// Where a report goes, and what is said on it.
pub struct Page<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What stands under every table.
    pub note: Option<String>,
    /// The page.
    pub out: &'a Path,
    /// Folder of its figures and tables as files, if they are wanted.
    pub files: Option<&'a Path>,
    /// Where the images are.
    pub folder: &'a DataFolder,
    /// How the machine is used.
    pub threads: &'a Threads,
}

impl Page<'_> {
    /// Makes the report of `runs` and writes it.
    pub fn write(&self, runs: Vec<Run>) -> anyhow::Result<Report> {
        let images = self.images(&runs);
        let (threads, kernels) = (self.threads.count(), self.threads.kernels);
        let report =
            Report::of(&Subjects { runs, images, threads, kernels, note: self.note.clone() });
        for warning in &report.warnings {
            talk!("warning: {warning}");
        }
        write_file(self.out, report.page(self.title).to_html().as_bytes())?;
        if let Some(folder) = self.files {
            fs_err::create_dir_all(folder)?;
            for figure in report.figures.iter().chain(&report.pictures) {
                write_figure(folder, figure)?;
            }
            for table in &report.tables {
                write_table(folder, table)?;
            }
        }
        Ok(report)
    }

    /// Test images of all data that the runs were trained on. What cannot be found is left out, and the
    /// report says so.
    fn images(&self, runs: &[Run]) -> BTreeMap<String, Images> {
        let mut images = BTreeMap::new();
        for run in runs {
            let name = &run.description.identity.data;
            if images.contains_key(name) {
                continue;
            }
            match self.folder.load(&run.description.settings.data.name) {
                Ok(dataset) if dataset.name == *name => {
                    images.insert(name.clone(), dataset.test);
                }
                Ok(dataset) => talk!("the images found are {}, not {name}", dataset.name),
                Err(error) => talk!("no pictures of {name}: {error:#}"),
            }
        }
        images
    }
}

fn write_figure(folder: &Path, figure: &Figure) -> anyhow::Result<()> {
    let path = |ending: &str| folder.join(format!("{}.{ending}", figure.name));
    write_file(&path("svg"), figure.drawing.to_svg().as_bytes())?;
    write_file(&path("png"), &figure.drawing.to_png()?)?;
    match figure.drawing.to_csv() {
        Some(csv) => write_file(&path("csv"), csv.as_bytes()),
        None => Ok(()),
    }
}

fn write_table(folder: &Path, NamedTable { name, table }: &NamedTable) -> anyhow::Result<()> {
    for (ending, text) in [
        ("md", table.to_markdown()),
        ("tex", table.to_latex()),
        ("html", table.to_html()),
        ("csv", table.to_csv()),
    ] {
        write_file(&folder.join(format!("{name}.{ending}")), text.as_bytes())?;
    }
    Ok(())
}

/// The tables and findings of a report, and where it is, in words.
pub fn describe_report(report: &Report, out: &Path) -> String {
    let mut text = String::new();
    for NamedTable { table, .. } in &report.tables {
        text += &format!("{table}\n");
    }
    for finding in &report.findings {
        text += &format!("- {finding}\n");
    }
    let (figures, tables) = (report.figures.len() + report.pictures.len(), report.tables.len());
    text += &format!("{}: {tables} tables, {figures} figures\n", out.display());
    text
}
