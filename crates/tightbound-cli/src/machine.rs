//! Choose how the machine is used; nothing here changes a result.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::value_parser;
use tightbound::engine::cpu::{CpuEngine, KernelPath};
use tightbound::model::Architecture;

/// The most threads that can be asked for.
const MOST_THREADS: u64 = 1024;

/// How many threads to use, and which instructions.
#[derive(Clone, Debug, clap::Args)]
pub struct Threads {
    /// Threads [default: all cores]. Their number never changes a result
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MOST_THREADS))]
    pub threads: Option<u64>,

    /// Instructions: avx512, avx2, neon or portable [default: the fastest this machine has]. They
    /// never change a result
    #[arg(long, value_name = "NAME", hide_possible_values = true, value_parser = kernels())]
    pub kernels: Option<KernelPath>,
}

/// Takes the name of an instruction set that this machine has.
fn kernels() -> impl TypedValueParser<Value = KernelPath> {
    let paths = KernelPath::available();
    let names = PossibleValuesParser::new(paths.iter().map(|path| path.name()));
    names.map(move |name| *paths.iter().find(|path| path.name() == name).expect("a name of these"))
}

impl Threads {
    /// The number of threads.
    pub fn count(&self) -> usize {
        match self.threads {
            Some(threads) => threads as usize,
            None => available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// The engine for a model.
    pub fn engine(&self, architecture: &Architecture) -> anyhow::Result<CpuEngine> {
        let path = self.kernels.unwrap_or_else(KernelPath::fastest);
        Ok(CpuEngine::with_path(architecture.clone(), self.count(), path)?)
    }
}
