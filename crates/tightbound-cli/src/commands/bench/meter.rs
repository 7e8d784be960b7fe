//! Time a piece of work again and again, beside the machine's peak.

use std::time::{Duration, Instant};

use serde::Serialize;
use tightbound::engine::cpu::{KernelPath, fma_peak};
use tightbound::model::{Network, ParameterTable};

/// How long the peak is measured, before and after.
const PEAK_TIME: Duration = Duration::from_millis(250);

/// Part of the time that goes before, unmeasured.
const WARM_UP: f64 = 0.2;

/// How fast something was.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    /// Repetitions that were timed.
    pub repetitions: usize,
    /// The median of their times.
    pub median_seconds: f64,
    /// Their mean time, whatever lay between them included.
    pub mean_seconds: f64,
    /// Useful operations per second of the median, in 10⁹.
    pub gflops: f64,
    /// Multiply-adds in registers, two operations each: the larger of before and after, in 10⁹.
    pub fma_peak_gflops: f64,
    /// `gflops` / `fma_peak_gflops`.
    pub fma_peak_fraction: f64,
    /// The most memory this process has had, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// The instructions used.
    pub kernels: &'static str,
    /// Threads of the engine.
    pub threads: usize,
    /// The version of tightbound.
    pub version: &'static str,
}

/// What to measure with.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Instructions of the engine.
    pub path: KernelPath,
    /// Threads of the engine.
    pub threads: usize,
    /// How long to repeat the work.
    pub seconds: f64,
    /// Useful operations of one repetition.
    pub operations: f64,
}

impl Meter {
    /// Repeats `work` once at least, and as long as there is time.
    pub fn measure(self, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Speed> {
        let Self { path, threads, seconds, operations } = self;
        let before = fma_peak(path, threads, PEAK_TIME)?;
        repeat(WARM_UP * seconds, &mut work)?;
        let started = Instant::now();
        let mut times = repeat(seconds, &mut work)?;
        let mean_seconds = started.elapsed().as_secs_f64() / times.len() as f64;
        let after = fma_peak(path, threads, PEAK_TIME)?;
        let median_seconds = median(&mut times);
        let gflops = operations / median_seconds / 1e9;
        let fma_peak_gflops = before.max(after) / 1e9;
        Ok(Speed {
            repetitions: times.len(),
            median_seconds,
            mean_seconds,
            gflops,
            fma_peak_gflops,
            fma_peak_fraction: gflops / fma_peak_gflops,
            peak_memory_bytes: peak_memory(),
            kernels: path.name(),
            threads,
            version: tightbound::VERSION,
        })
    }
}

/// The times of all repetitions that begin within `seconds`, at least one.
fn repeat(seconds: f64, work: &mut impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Vec<f64>> {
    let started = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || started.elapsed().as_secs_f64() < seconds {
        let began = Instant::now();
        work()?;
        times.push(began.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// The middle of at least one number, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => 0.5 * (values[middle - 1] + values[middle]),
    }
}

/// The largest resident set so far, from Linux's `/proc`; nothing elsewhere.
fn peak_memory() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Multiply-adds of one pass through each network, forward or back: the weights without the biases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Per image.
    pub encoder: f64,
    /// Per sample.
    pub decoder: f64,
}

impl Work {
    /// The work that the parameters in `table` make.
    pub fn of(table: &ParameterTable) -> Self {
        let weights = |network| {
            let own = table.entries().iter().filter(|p| p.is_weight() && p.network == network);
            own.map(|p| p.len() as f64).sum()
        };
        Self { encoder: weights(Network::Encoder), decoder: weights(Network::Decoder) }
    }

    /// Operations of the forward pass of `images` images with `samples` samples each.
    pub fn forward(self, images: usize, samples: usize) -> f64 {
        2.0 * images as f64 * (samples as f64 * self.decoder + self.encoder)
    }
}

#[cfg(test)]
mod tests {
    use tightbound::model::Architecture;

    use super::*;

    #[test]
    fn work_counts_weights_alone() {
        let work = Work::of(&ParameterTable::new(&Architecture::reference()));
        // 50·200 + 200·200 + 200·784, and 784·200 + 200·200 + 2·200·50.
        assert_eq!(work, Work { encoder: 216_800.0, decoder: 206_800.0 });
        assert_eq!(work.forward(20, 64), 2.0 * (20.0 * 64.0 * 206_800.0 + 20.0 * 216_800.0));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&mut [5.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(&mut [5.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn work_is_done_at_least_once() {
        let mut done = 0;
        let mut work = || {
            done += 1;
            Ok(())
        };
        assert_eq!(repeat(0.0, &mut work).unwrap().len(), 1);
        assert_eq!(done, 1);
    }
}
