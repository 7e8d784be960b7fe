//! Write findings, tables and figures of several runs as one page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tightbound::data::Images;
use tightbound_report::study::{Figure, NamedTable, Report, Run, Subjects, is_run};

use crate::args::DataFolder;
use crate::failure::UsageError;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};

/// Show several runs on one page: findings, tables, figures, and a latent explorer
///
/// The page needs no network: tables (mean ± sd over seeds, beside the papers' numbers), figures, the
/// protocol of every number, the commands that repeat it, and decoders to play with. Runs that differ
/// in their seed alone are put together. Runs of different protocols are compared with a warning that
/// names the difference. Score the runs first: `tightbound eval RUN`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound report runs/demo/* -o report.html
  tightbound report runs/mnist-* runs/omniglot-* -o report.html --files report-files

A folder of runs may stand for the runs in it. --files writes every figure as SVG, PNG and CSV, and
every table as Markdown, LaTeX, HTML and CSV.")]
pub struct Args {
    /// Run folders, or folders of them
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,

    /// The page to write
    #[arg(short, long, value_name = "FILE.html", default_value = "report.html")]
    out: PathBuf,

    /// Write the figures and tables into this folder too
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,

    /// Heading of the page
    #[arg(long, value_name = "TEXT", default_value = "How tight a bound?")]
    title: String,

    #[command(flatten)]
    folder: DataFolder,

    #[command(flatten)]
    threads: Threads,

    /// Write what was found and done as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound report`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let runs = args.read_runs()?;
    let images = args.images(&runs);
    let (threads, kernels) = (args.threads.count(), args.threads.kernels);
    let subjects = Subjects { runs, images, threads, kernels };
    let report = Report::of(&subjects);
    for warning in &report.warnings {
        talk!("warning: {warning}");
    }
    write_file(&args.out, report.page(&args.title).to_html().as_bytes())?;
    if let Some(folder) = &args.files {
        fs_err::create_dir_all(folder)?;
        for figure in report.figures.iter().chain(&report.pictures) {
            write_figure(folder, figure)?;
        }
        for table in &report.tables {
            write_table(folder, table)?;
        }
    }
    if args.json {
        print_json(&serde_json::json!({
            "page": args.out, "files": args.files, "runs": subjects.runs.len(),
            "findings": report.findings, "warnings": report.warnings,
        }))?;
    } else {
        print(&describe(&report, args))?;
    }
    Ok(Outcome::Done)
}

impl Args {
    /// Reads the runs, each of them once.
    fn read_runs(&self) -> anyhow::Result<Vec<Run>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        let mut seen: Vec<PathBuf> = Vec::new();
        for path in &self.runs {
            let inside =
                if is_run(path) || !path.is_dir() { vec![path.clone()] } else { runs_in(path)? };
            if inside.is_empty() {
                let folder = path.display();
                return Err(UsageError(format!("there are no runs in {folder}")).into());
            }
            for path in inside {
                // One folder may be named in several ways, such as `run` and `./run`.
                let folder = path.canonicalize().unwrap_or_else(|_| path.clone());
                if !seen.contains(&folder) {
                    seen.push(folder);
                    paths.push(path);
                }
            }
        }
        paths.iter().map(|path| Ok(Run::read(path)?)).collect()
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

/// The runs in a folder, sorted by name.
fn runs_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if is_run(&path) {
            runs.push(path);
        }
    }
    runs.sort();
    Ok(runs)
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

fn describe(report: &Report, args: &Args) -> String {
    let mut text = String::new();
    for NamedTable { table, .. } in &report.tables {
        text += &format!("{table}\n");
    }
    for finding in &report.findings {
        text += &format!("- {finding}\n");
    }
    let (figures, tables) = (report.figures.len() + report.pictures.len(), report.tables.len());
    text += &format!("{}: {tables} tables, {figures} figures\n", args.out.display());
    text
}
