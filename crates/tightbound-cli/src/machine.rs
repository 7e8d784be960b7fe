//! Choose how the machine is used; nothing here changes a result.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use clap::value_parser;
use tightbound::engine::cpu::CpuEngine;
use tightbound::model::Architecture;

/// The most threads that can be asked for.
const MOST_THREADS: u64 = 1024;

/// How many threads to use.
#[derive(Clone, Debug, clap::Args)]
pub struct Threads {
    /// Threads [default: all cores]. Their number never changes a result
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MOST_THREADS))]
    pub threads: Option<u64>,
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
        Ok(CpuEngine::new(architecture.clone(), self.count())?)
    }
}
