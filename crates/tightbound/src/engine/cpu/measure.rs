//! Measure how many multiply-adds this machine can do, to say what part of them an engine uses.

use std::thread;
use std::time::{Duration, Instant};

use super::kernels::{FmaChains, KernelPath};
use crate::engine::EngineError;

/// Rounds between two looks at the clock: 10 µs or more.
const ROUNDS: u32 = 2000;

/// Measures for `time` how many floating-point operations `threads` threads do per second together
/// when they do nothing but fused multiply-adds in registers, with the instructions of `path`.
///
/// No program on this path can be faster. Neighbours on the machine make the number smaller: measure
/// before and after whatever is compared with it.
pub fn fma_peak(path: KernelPath, threads: usize, time: Duration) -> Result<f64, EngineError> {
    let no_threads =
        |error: std::io::Error| EngineError::Threads { threads, reason: error.to_string() };
    thread::scope(|scope| {
        let started: Vec<_> = (0..threads)
            .map(|_| thread::Builder::new().spawn_scoped(scope, move || thread_peak(path, time)))
            .collect();
        let mut total = 0.0;
        for thread in started {
            total += thread.map_err(no_threads)?.join().expect("counting does not panic");
        }
        Ok(total)
    })
}

/// What one thread can do, per second.
fn thread_peak(path: KernelPath, time: Duration) -> f64 {
    let started = Instant::now();
    let mut operations = 0;
    loop {
        operations += path.run(FmaChains { rounds: ROUNDS });
        let elapsed = started.elapsed();
        if elapsed >= time {
            return operations as f64 / elapsed.as_secs_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that was compiled away would be faster than 64 lanes per cycle of 10 GHz, and an error of
    /// units slower than a multiply-add per microsecond. How fast it is in between is not tested:
    /// the machine may be busy.
    #[test]
    fn peaks_are_possible() {
        for path in KernelPath::available() {
            let peak = fma_peak(path, 1, Duration::from_millis(20)).unwrap();
            assert!(peak > 1e6 && peak < 1.28e12, "{path}: {peak:e}");
        }
    }
}
