//! Write findings, tables and figures of several runs as one page.

use std::path::{Path, PathBuf};

use tightbound_report::study::{Run, is_run};

use crate::args::DataFolder;
use crate::failure::UsageError;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{print, print_json, shown};
use crate::reporting::{Page, describe_report};

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
    let count = runs.len();
    let page = Page {
        title: &args.title,
        note: None,
        out: &args.out,
        files: args.files.as_deref(),
        folder: &args.folder,
        threads: &args.threads,
    };
    let report = page.write(runs)?;
    if args.json {
        print_json(&serde_json::json!({
            "page": shown(&args.out), "files": args.files.as_deref().map(shown), "runs": count,
            "findings": report.findings, "warnings": report.warnings,
        }))?;
    } else {
        print(&describe_report(&report, &args.out))?;
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
