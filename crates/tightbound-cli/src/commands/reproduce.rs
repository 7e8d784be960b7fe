//! Run a whole experiment of the papers, and show its tables and figures.

use std::path::{Path, PathBuf};

use tightbound::sweep::SweepFolder;

use super::sweep::{ClusterArgs, Failed, PlanArgs, Sweep, gather, outcome_of};
use crate::args::DataFolder;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::print;
use crate::sweep::builtin;

/// Run an experiment of the papers, all of it: plan, train, score, tables, figures, page
///
/// Interrupted, or killed, the same command goes on, and ends in the same bytes. A smaller budget is the
/// beginning of a larger one: what was cut is said under every table. The page stands in the folder as
/// report.html, its figures and tables in report/, all numbers in results.csv and results.json.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Experiments: table1 (six systems, two sizes, MNIST), omniglot, table2 (across data \
sets), beta-study, rainforth (the original paper's grid), snr (signal and noise of the gradients).

Examples:
  tightbound reproduce table1 --budget smoke
  tightbound reproduce table1 --budget smoke --data glyphs    no download
  tightbound reproduce table1 --budget hour --only 50l        the reference model alone
  tightbound reproduce omniglot --budget day
  tightbound reproduce table1 --seeds 4 --on hyperqueue       the whole experiment, on many machines"
)]
pub struct Args {
    /// Name of an experiment of the papers, or a file of your own
    #[arg(value_name = "NAME|FILE")]
    experiment: String,

    #[command(flatten)]
    plan: PlanArgs,

    /// Folder of everything [default: reproduce/NAME-BUDGET]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    #[command(flatten)]
    on: ClusterArgs,

    #[command(flatten)]
    data: DataFolder,

    #[command(flatten)]
    threads: Threads,
}

/// Runs `tightbound reproduce`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let (experiment, path) = builtin::find(&args.experiment)?;
    let out = args.out.clone().unwrap_or_else(|| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Path::new("reproduce").join(format!("{name}-{}", args.plan.budget))
    });
    let folder = &SweepFolder::new(&out);
    let sweep = Sweep::new(folder, &args.data, &args.threads);
    let (plan, costs) = sweep.plan(&experiment, &path, &args.plan.choices()?)?;
    sweep.announce(&plan, &costs);
    let tally = sweep.run(&plan, &costs, &args.on, Failed::Keep)?;
    let (results, _) = gather(folder, &plan)?;
    if tally.interrupted.is_none() {
        print(&sweep.report(&plan, &results)?)?;
    }
    Ok(outcome_of(&tally, folder))
}
