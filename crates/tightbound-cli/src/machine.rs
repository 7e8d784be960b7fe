//! Choose how the machine is used; nothing here changes a result.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use clap::builder::PossibleValuesParser;
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
    #[arg(long, value_name = "NAME", hide_possible_values = true, value_parser = kernel_names())]
    pub kernels: Option<String>,
}

/// The names of the instruction sets that this machine has.
fn kernel_names() -> PossibleValuesParser {
    KernelPath::available().into_iter().map(KernelPath::name).collect::<Vec<_>>().into()
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
        let named = |path: &KernelPath| self.kernels.as_deref() == Some(path.name());
        let path = KernelPath::available().into_iter().find(named);
        let path = path.unwrap_or_else(KernelPath::fastest);
        Ok(CpuEngine::with_path(architecture.clone(), self.count(), path)?)
    }
}
