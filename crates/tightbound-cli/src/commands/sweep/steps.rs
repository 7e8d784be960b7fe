//! Take a sweep through its steps: plan, run, gather.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use tightbound::run::short_digest;
use tightbound::sweep::{Budget, Cell, CellResult, Choices, Experiment, Plan, SweepFolder};
use tightbound_report::study::Run;
use tightbound_report::{Align, Table};

use super::args::ClusterArgs;
use crate::args::DataFolder;
use crate::machine::Threads;
use crate::output::{counted, quoted, talk};
use crate::reporting::{Page, describe_report};
use crate::scoring::measured;
use crate::signals::Signals;
use crate::sweep::{Costs, Tally, Worker, run_here};

/// What becomes of cells that could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// They stay as they are.
    Keep,
    /// They are tried again.
    Retry,
}

/// A sweep, and with what it is made.
pub struct Sweep<'a> {
    /// Its folder.
    folder: &'a SweepFolder,
    /// Where the images are; they are loaded once for all steps.
    data: DataFolder,
    /// How the machine is used.
    threads: &'a Threads,
}

impl<'a> Sweep<'a> {
    /// A sweep in `folder`.
    pub fn new(folder: &'a SweepFolder, data: &DataFolder, threads: &'a Threads) -> Self {
        Self { folder, data: data.remembering(), threads }
    }

    /// The plan of `experiment`, which came from `path`: the one in the folder if it is of the same cells,
    /// with more epochs if so many are asked for now, or else a new one. With it comes what the cells cost.
    ///
    /// # Errors
    /// If a setting is refused, or the folder holds another sweep.
    pub fn plan(
        &self,
        experiment: &Experiment,
        path: &Path,
        choices: &Choices,
    ) -> anyhow::Result<(Plan, Costs)> {
        let mut plan = Plan::new(experiment, path, choices)?;
        let kept = if self.folder.is_planned() { Some(self.folder.read_plan()?) } else { None };
        if let Some(kept) = &kept {
            self.refuse_another(kept, &plan)?;
        }
        let costs = match plan.budget {
            Budget::Smoke => Costs::unknown(),
            _ => {
                talk!("measuring this machine for 10 seconds");
                Costs::measure(&plan, &self.data, self.threads)?
            }
        };
        let time = plan.budget.time().filter(|_| choices.epochs.is_none());
        match (kept, time) {
            // What an hour allows is decided once; later measurements differ.
            (Some(kept), Some(_)) if kept.budget == plan.budget => plan.cells = kept.cells,
            (_, Some(time)) => {
                let cores = self.threads.count();
                plan = plan.affordable(time.as_secs_f64(), |plan| costs.total(plan, cores));
            }
            (_, None) => {}
        }
        self.folder.make("cells")?;
        let _lock = self.folder.lock()?;
        self.folder.write_plan(&plan)?;
        Ok((plan, costs))
    }

    /// Refuses to plan other cells in a folder than it holds.
    fn refuse_another(&self, kept: &Plan, plan: &Plan) -> anyhow::Result<()> {
        let ids = |plan: &Plan| plan.cells.iter().map(|cell| cell.id.clone()).collect::<Vec<_>>();
        let path = self.folder.path().display();
        if ids(kept) != ids(plan) {
            bail!(
                "{path} holds {}, and its cells are not those of {}: ask for the same cells, or give \
                 another folder with --out",
                in_short(kept),
                in_short(plan)
            );
        }
        Ok(())
    }

    /// Says what is going to be done, and about how long it takes.
    pub fn announce(&self, plan: &Plan, costs: &Costs) {
        let cores = self.threads.count();
        let epochs = plan.cells.iter().map(|cell| cell.settings.train.epochs).max().unwrap_or(0);
        let (cells, epochs) = (counted(plan.cells.len(), "cell"), counted(epochs, "epoch"));
        let mut text = format!("{}: {cells} of {epochs}", plan.title);
        if plan.budget != Budget::Smoke {
            let total = Duration::from_secs_f64(costs.total(plan, cores));
            text += &format!("; about {} on {cores} cores from the beginning", in_words(total));
        }
        talk!("{text}");
        if let Some(truncation) = plan.truncation() {
            talk!("{truncation}");
        }
    }

    /// Does what is left of all cells.
    ///
    /// # Errors
    /// If another process runs the sweep, or a file of it cannot be read.
    pub fn run(
        &self,
        plan: &Plan,
        costs: &Costs,
        on: &ClusterArgs,
        failed: Failed,
    ) -> anyhow::Result<Tally> {
        let _lock = self.folder.lock()?;
        if failed == Failed::Retry {
            plan.cells.iter().try_for_each(|cell| self.folder.forgive(cell))?;
        }
        let signals = Signals::install()?;
        signals.hold_back();
        let Self { folder, data, threads } = self;
        let worker = Worker { folder, plan, data, threads, signals: &signals };
        match on.cluster(threads) {
            None => run_here(worker, on.jobs(), costs),
            Some(cluster) => cluster.run(worker),
        }
    }

    /// Writes the page of all results, and its figures and tables as files; returns them in words.
    pub fn report(&self, plan: &Plan, results: &[(&Cell, CellResult)]) -> anyhow::Result<String> {
        if results.is_empty() {
            return Ok("no cell is done yet\n".to_owned());
        }
        let runs = results.iter().map(|(cell, _)| Ok(Run::read(&self.folder.run(cell))?));
        let runs: Vec<Run> = runs.collect::<anyhow::Result<_>>()?;
        let out = self.folder.path().join("report.html");
        let files = self.folder.path().join("report");
        let mut note = plan.truncation();
        if results.len() < plan.cells.len() {
            let (done, cells) = (results.len(), plan.cells.len());
            let missing = format!("{done} of {cells} cells are done.");
            note = Some(note.map_or_else(|| missing.clone(), |note| format!("{note} {missing}")));
        }
        let page = Page {
            title: &plan.title,
            note,
            out: &out,
            files: Some(&files),
            folder: &self.data,
            threads: self.threads,
        };
        let report = page.write(runs)?;
        Ok(describe_report(&report, &out))
    }
}

/// Writes `results.json` and `results.csv`, and returns the results with a table of them in words.
pub fn gather<'a>(
    folder: &SweepFolder,
    plan: &'a Plan,
) -> anyhow::Result<(Vec<(&'a Cell, CellResult)>, String)> {
    let results = folder.gather(plan)?;
    let columns = [
        ("cell", Align::Left),
        ("epochs", Align::Right),
        ("scored on", Align::Left),
        ("log p̂", Align::Right),
        ("digest", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for (cell, result) in &results {
        for scores in &result.scores {
            table.row([
                cell.id.clone(),
                result.epochs.to_string(),
                scores.data.clone(),
                measured(scores.log_p_hat).to_string(),
                short_digest(&result.digest).to_owned(),
            ]);
        }
    }
    let path = folder.path();
    talk!("{} of {} cells are in {}", results.len(), plan.cells.len(), path.display());
    Ok((results, table.to_string()))
}

/// A plan in a few words.
fn in_short(plan: &Plan) -> String {
    format!("`{}` ({}, budget {})", plan.title, counted(plan.cells.len(), "cell"), plan.budget)
}

/// How to go on with a sweep.
pub fn how_to_go_on(folder: &SweepFolder) -> String {
    format!("tightbound sweep run {}", quoted(folder.path()))
}

/// `about 3 h 5 min`, without the `about`.
fn in_words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes.div_ceil(1440)),
    }
}
