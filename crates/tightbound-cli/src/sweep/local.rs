//! Run the cells of a sweep on this machine, side by side where cores allow.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tightbound::sweep::{Cell, State};

use super::cell::{Ended, Worker};
use super::estimate::Costs;
use super::overview::Overview;
use crate::failure::explain;
use crate::machine::Threads;

/// What came of the cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cells that cannot go on.
    pub failed: Vec<String>,
    /// Cells that something stood in the way of, which may go better next time, and what.
    pub hindered: Vec<String>,
    /// The signal that stopped the sweep, if one did.
    pub interrupted: Option<u8>,
}

/// Does what is left of all cells, `jobs` at a time. A cell that fails is reported, and the others go on.
///
/// # Errors
/// If the state of the cells cannot be read.
pub fn run_here(worker: Worker<'_>, jobs: Option<usize>, costs: &Costs) -> anyhow::Result<Tally> {
    let mut left: Vec<(usize, &Cell)> = Vec::new();
    let (mut done, mut tally) = (0, Tally::default());
    for (index, cell) in worker.plan.cells.iter().enumerate() {
        match worker.folder.state(worker.plan, cell)? {
            State::Done(_) => done += 1,
            State::Failed(failure) => tally.failed.push(failure.message),
            _ => left.push((index, cell)),
        }
    }
    let cores = worker.threads.count();
    let jobs = jobs.unwrap_or(cores).clamp(1, left.len().max(1));
    let threads = Threads { threads: Some((cores / jobs).max(1) as u64), ..*worker.threads };
    let cost = |cell: &Cell| costs.of(worker.plan, cell);
    let seconds: f64 = left.iter().map(|(_, cell)| cost(cell)).map(|(a, b)| a + b).sum();
    let overview = Overview::new(worker.plan.cells.len(), done, tally.failed.len(), seconds);
    let next = AtomicUsize::new(0);
    let shared = Mutex::new(tally);
    let work = || {
        while worker.signals.stop().is_none() {
            let Some(&(index, cell)) = left.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let progress = overview.begin(index, cost(cell));
            let ended = Worker { threads: &threads, ..worker }.run(cell, &progress);
            let mut tally = shared.lock().expect("no worker panics while it counts");
            let id = &cell.id;
            match ended {
                Ok(Ended::Done) => progress.end(true, false, &format!("{id}: done")),
                Ok(Ended::Failed(message)) => {
                    progress.end(false, true, &format!("{id}: failed: {message}"));
                    tally.failed.push(message);
                }
                Ok(Ended::Interrupted(signal)) => {
                    progress.end(false, false, &format!("{id}: saved"));
                    tally.interrupted = Some(signal);
                }
                Err(error) => {
                    let message = explain(&error);
                    progress.end(false, false, &format!("{id}: {message}"));
                    tally.hindered.push(message);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    overview.end();
    let mut tally = shared.into_inner().expect("no worker panics while it counts");
    tally.interrupted = tally.interrupted.or(worker.signals.stop());
    Ok(tally)
}
