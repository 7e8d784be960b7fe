//! Take what is chosen about a sweep from the command line.

use clap::value_parser;
use tightbound::settings::Assignment;
use tightbound::sweep::{Budget, Choices};

use crate::machine::Threads;
use crate::sweep::{Cluster, Manager};

/// How much of an experiment is run.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// How much to run: `smoke` shows in minutes that all of it works, `hour` and `day` cut all trainings
    /// at the stage of the ladder that this machine can reach in that time, `full` is the experiment.
    /// What was cut is said under every table
    #[arg(long, value_name = "NAME", default_value = "full", value_parser = ["smoke", "hour", "day", "full"])]
    pub budget: String,

    /// Epochs of every cell [default: the experiment's, or what the budget allows]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,

    /// Seeds of every cell [default: the experiment's; 1 with a budget]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=10_000))]
    pub seeds: Option<u32>,

    /// These images instead of the experiment's: `glyphs` needs no download
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<String>,

    /// Only cells with this in their name, such as mnist-iwae or 20l; given again, with all of them
    #[arg(long, value_name = "WORD")]
    pub only: Vec<String>,

    /// Any other setting of all cells, such as train.batch=100; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl PlanArgs {
    /// What was chosen.
    ///
    /// # Errors
    /// If a `--set` is no assignment.
    pub fn choices(&self) -> anyhow::Result<Choices> {
        let budget: Budget = self.budget.parse()?;
        let set = self.set.iter().map(|text| Assignment::parse(text)).collect::<Result<_, _>>()?;
        Ok(Choices {
            budget,
            epochs: self.epochs.map(|n| n as usize),
            seeds: self.seeds.or((budget != Budget::Full).then_some(1)),
            data: self.data.clone(),
            only: self.only.clone(),
            set,
        })
    }
}

/// Where the cells are run.
#[derive(Clone, Debug, clap::Args)]
pub struct ClusterArgs {
    /// Who runs the cells: `local` this machine, `hyperqueue` and `slurm` the machines behind `hq` and
    /// `sbatch`, which must see the folder
    #[arg(long, value_name = "ENGINE", default_value = "local", value_parser = ["local", "hyperqueue", "slurm"])]
    on: String,

    /// Cells side by side on this machine [default: one per core, as far as there are cells]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    jobs: Option<u16>,

    /// How often a cell is submitted before it is given up, beyond this machine
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    attempts: u32,

    /// Cells of one task of a Slurm job array
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..))]
    per_task: u16,

    /// A further argument of `hq submit` or `sbatch`, such as --submit-arg=--partition=long; may be
    /// repeated
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    submit_arg: Vec<String>,
}

impl ClusterArgs {
    /// Cells side by side on this machine, if that was said.
    pub fn jobs(&self) -> Option<usize> {
        self.jobs.map(usize::from)
    }

    /// The engine, if it is not this machine.
    pub fn cluster(&self, threads: &Threads) -> Option<Cluster> {
        let manager = match self.on.as_str() {
            "hyperqueue" => Manager::HyperQueue,
            "slurm" => Manager::Slurm,
            _ => return None,
        };
        Some(Cluster {
            manager,
            cores: threads.threads.unwrap_or(1),
            attempts: self.attempts,
            per_task: self.per_task.into(),
            arguments: self.submit_arg.clone(),
        })
    }
}
