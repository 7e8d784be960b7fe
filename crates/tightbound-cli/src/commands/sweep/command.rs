//! Take the steps of a sweep from the command line.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;
use tightbound::sweep::{Plan, State, SweepFolder};
use tightbound_report::{Align, Table};

use super::args::{ClusterArgs, PlanArgs};
use super::steps::{Failed, Sweep, gather, how_to_go_on};
use crate::args::DataFolder;
use crate::failure::UsageError;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{counted, print, print_json, talk};
use crate::signals::Signals;
use crate::sweep::{Costs, Overview, Tally, Worker, builtin};

/// Plan, run and gather many trainings: on this machine or many
///
/// A sweep is a folder. `plan` writes into it which cells there are (a cell is one training and its
/// scores), `run` does what is left of them, `status` says where they stand, `gather` writes all results
/// and a page. A sweep may be killed at any time: `run` goes on, and its results are the same bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound sweep plan table1 --budget hour --out sweeps/table1
  tightbound sweep plan my-experiment.toml --out sweeps/mine
  tightbound sweep run sweeps/table1
  tightbound sweep run sweeps/table1 --on hyperqueue
  tightbound sweep status sweeps/table1
  tightbound sweep gather sweeps/table1

`tightbound reproduce NAME` takes all steps at once. docs/scaling.md says more of many machines.")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

/// One step.
#[derive(Debug, Subcommand)]
enum Step {
    /// Write which cells an experiment has
    Plan {
        /// Name of an experiment of the papers, or a file of your own
        experiment: String,

        /// Folder of the sweep
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,

        #[command(flatten)]
        plan: PlanArgs,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        threads: Threads,
    },
    /// Do what is left of all cells
    Run {
        /// Folder of the sweep
        folder: PathBuf,

        /// Try again cells that could not go on
        #[arg(long)]
        retry_failed: bool,

        #[command(flatten)]
        on: ClusterArgs,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        threads: Threads,
    },
    /// Say where the cells stand
    Status {
        /// Folder of the sweep
        folder: PathBuf,

        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the results of all cells that are done, and a page of them
    Gather {
        /// Folder of the sweep
        folder: PathBuf,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        threads: Threads,
    },
    /// Do what is left of one cell: what `run --on hyperqueue` and `--on slurm` start
    Cell {
        /// Folder of the sweep
        folder: PathBuf,

        /// The cell's name
        cell: String,

        #[command(flatten)]
        data: DataFolder,

        #[command(flatten)]
        threads: Threads,
    },
}

/// Runs `tightbound sweep`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    match &args.step {
        Step::Plan { experiment, out, plan, data, threads } => {
            let (experiment, path) = builtin::find(experiment)?;
            let folder = &SweepFolder::new(out);
            let sweep = Sweep::new(folder, data, threads);
            let (plan, costs) = sweep.plan(&experiment, &path, &plan.choices()?)?;
            sweep.announce(&plan, &costs);
            let names: String = plan.cells.iter().map(|cell| format!("{}\n", cell.id)).collect();
            print(&names)?;
            talk!("next: {}", how_to_go_on(folder));
            Ok(Outcome::Done)
        }
        Step::Run { folder, retry_failed, on, data, threads } => {
            let folder = &SweepFolder::new(folder);
            let plan = folder.read_plan()?;
            let failed = if *retry_failed { Failed::Retry } else { Failed::Keep };
            let sweep = Sweep::new(folder, data, threads);
            let tally = sweep.run(&plan, &Costs::unknown(), on, failed)?;
            let (_, table) = gather(folder, &plan)?;
            print(&table)?;
            Ok(outcome_of(&tally, folder))
        }
        Step::Status { folder, json } => {
            let folder = SweepFolder::new(folder);
            let plan = folder.read_plan()?;
            status(&folder, &plan, *json)?;
            Ok(Outcome::Done)
        }
        Step::Gather { folder, data, threads } => {
            let folder = &SweepFolder::new(folder);
            let plan = folder.read_plan()?;
            let (results, _) = gather(folder, &plan)?;
            print(&Sweep::new(folder, data, threads).report(&plan, &results)?)?;
            Ok(Outcome::Done)
        }
        Step::Cell { folder, cell, data, threads } => {
            let folder = &SweepFolder::new(folder);
            let plan = &folder.read_plan()?;
            let Some(cell) = plan.cell(cell) else {
                let known = plan.cells.len();
                let message = format!("the sweep has no cell `{cell}` among its {known}");
                return Err(UsageError(message).into());
            };
            let signals = &Signals::install()?;
            let worker = Worker { folder, plan, data, threads, signals };
            let overview = Overview::new(1, 0, 0, 1.0);
            worker.run(cell, &overview.begin(0, (0.9, 0.1))).map(|ended| ended.outcome())
        }
    }
}

/// How a sweep ended, for the shell; says what is to be done next.
pub fn outcome_of(tally: &Tally, folder: &SweepFolder) -> Outcome {
    if let Some(signal) = tally.interrupted {
        talk!("saved; to go on:\n  {}", how_to_go_on(folder));
        return Outcome::Interrupted { signal };
    }
    if !tally.hindered.is_empty() {
        let hindered = counted(tally.hindered.len(), "cell");
        talk!("not done: {hindered}; to go on:\n  {}", how_to_go_on(folder));
    }
    if !tally.failed.is_empty() {
        let (failed, folder) = (counted(tally.failed.len(), "cell"), how_to_go_on(folder));
        talk!("failed: {failed}; to try again:\n  {folder} --retry-failed");
    }
    match tally.failed.is_empty() && tally.hindered.is_empty() {
        true => Outcome::Done,
        false => Outcome::Unsound,
    }
}

/// One line of the status.
#[derive(Serialize)]
struct Line {
    cell: String,
    state: &'static str,
    epochs: usize,
    of: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Prints where every cell stands.
fn status(folder: &SweepFolder, plan: &Plan, json: bool) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for cell in &plan.cells {
        let (state, epochs, message) = match folder.state(plan, cell)? {
            State::Waiting => ("waiting", 0, None),
            State::Begun { epochs } => ("begun", epochs, None),
            State::Beyond { epochs } => ("beyond the plan", epochs, None),
            State::Done(result) => ("done", result.epochs, None),
            State::Failed(failure) => ("failed", 0, Some(failure.message)),
        };
        let of = cell.settings.train.epochs;
        lines.push(Line { cell: cell.id.clone(), state, epochs, of, message });
    }
    if json {
        return print_json(&lines);
    }
    let columns = [("cell", Align::Left), ("state", Align::Left), ("epochs", Align::Right)];
    let mut table = Table::new(&columns);
    for Line { cell, state, epochs, of, .. } in &lines {
        table.row([cell.clone(), (*state).to_owned(), format!("{epochs}/{of}")]);
    }
    let count = |state| lines.iter().filter(|line| line.state == state).count();
    let mut text = format!("{table}\n{} of {} cells are done", count("done"), lines.len());
    if count("failed") > 0 {
        text += &format!(", {} failed", count("failed"));
    }
    text.push('\n');
    for line in &lines {
        if let Some(message) = &line.message {
            text += &format!("{}: {message}\n", line.cell);
        }
    }
    print(&text)
}
