//! List the subcommands, and say what the program is for.

use std::sync::LazyLock;

use clap::{Parser, Subcommand};
use tightbound::engine::cpu::KernelPath;

use crate::commands::{
    ais, bench, certify, cite, compare, completions, data, demo, encode, estimators, eval,
    reconstruct, report, reproduce, sample, snr, sweep, toy, train, verify,
};
use crate::outcome::Outcome;

/// Find out how tight a bound to train a deep latent-variable model on.
///
/// tightbound trains VAE, IWAE, MIWAE, PIWAE, CIWAE, VR-IWAE, JVI and TVO, scores them honestly, and
/// gives the same bits for the same seed: with any number of threads, and after any interruption.
#[derive(Debug, Parser)]
#[command(
    name = "tightbound",
    version = version(),
    after_help = "Begin with:  tightbound demo\n\
                  Then:        tightbound estimators        which bound when\n             \
                               tightbound train --data mnist --estimator piwae --epochs 13\n             \
                               tightbound report runs/demo -o report.html  all runs on one page\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 interrupted (and saved).",
    max_term_width = 100
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The version, and the instructions that the engine uses on this machine.
fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| format!("{} ({})", tightbound::VERSION, KernelPath::fastest()));
    &VERSION
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Args),
    Train(Box<train::Args>),
    Eval(eval::Args),
    Compare(compare::Args),
    Ais(ais::Args),
    Encode(encode::Args),
    Sample(sample::Args),
    Reconstruct(reconstruct::Args),
    Report(report::Args),
    Reproduce(reproduce::Args),
    Sweep(sweep::Args),
    Snr(snr::Args),
    Data(data::Args),
    Estimators(estimators::Args),
    Cite(cite::Args),
    Toy(toy::Args),
    Verify(verify::Args),
    Certify(certify::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Demo(args) => demo::run(&args),
            Self::Train(args) => train::run(&args),
            Self::Eval(args) => eval::run(&args),
            Self::Compare(args) => compare::run(&args),
            Self::Ais(args) => ais::run(&args),
            Self::Encode(args) => encode::run(&args),
            Self::Sample(args) => sample::run(&args),
            Self::Reconstruct(args) => reconstruct::run(&args),
            Self::Report(args) => report::run(&args),
            Self::Reproduce(args) => reproduce::run(&args),
            Self::Sweep(args) => sweep::run(&args),
            Self::Snr(args) => snr::run(&args),
            Self::Data(args) => data::run(&args),
            Self::Estimators(args) => estimators::run(&args),
            Self::Cite(args) => cite::run(&args),
            Self::Toy(args) => toy::run(&args),
            Self::Verify(args) => verify::run(&args),
            Self::Certify(args) => certify::run(&args),
            Self::Bench(args) => bench::run(&args),
            Self::Completions(args) => completions::run(&args),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// clap checks its own definitions only when asked: clashing flags, missing values and so on.
    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }
}
