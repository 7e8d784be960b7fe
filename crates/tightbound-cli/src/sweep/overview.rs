//! Show how a whole sweep goes on: cells done, running and left, and the time left.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tightbound::train::Progress;

use crate::output::talk;

/// What all cells of a sweep show together.
#[derive(Debug)]
pub struct Overview {
    bar: ProgressBar,
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    cells: usize,
    done: usize,
    failed: usize,
    running: usize,
    /// Seconds of work of the cells that have ended.
    ended: f64,
    /// Seconds of work that is done of each running cell.
    begun: Vec<(usize, f64)>,
}

/// Where one cell reports to.
#[derive(Clone, Debug)]
pub struct CellProgress {
    overview: Arc<Overview>,
    index: usize,
    /// Seconds of its training, and of its scoring.
    cost: (f64, f64),
}

impl Overview {
    /// An overview of `cells` cells, of which `done` are done and `failed` cannot go on; the others take
    /// `seconds` of one worker's work.
    pub fn new(cells: usize, done: usize, failed: usize, seconds: f64) -> Arc<Self> {
        let bar = match std::io::stderr().is_terminal() {
            false => ProgressBar::hidden(),
            true => {
                let milliseconds = (seconds * 1000.0) as u64;
                let target = ProgressDrawTarget::stderr_with_hz(4);
                let style = ProgressStyle::with_template("{msg}  {bar:24} {percent} %  {eta} left");
                ProgressBar::with_draw_target(Some(milliseconds.max(1)), target)
                    .with_style(style.expect("the template is valid"))
            }
        };
        let counts = Counts { cells, done, failed, ..Counts::default() };
        let overview = Self { bar, state: Mutex::new(counts) };
        overview.show(&overview.state());
        Arc::new(overview)
    }

    /// Says that a cell begins that takes `cost` seconds of training and of scoring.
    pub fn begin(self: &Arc<Self>, index: usize, cost: (f64, f64)) -> CellProgress {
        let mut state = self.state();
        state.running += 1;
        state.begun.push((index, 0.0));
        self.show(&state);
        drop(state);
        CellProgress { overview: Arc::clone(self), index, cost }
    }

    /// Says something without tearing the bar.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| talk!("{text}"));
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn state(&self) -> MutexGuard<'_, Counts> {
        // Counts cannot be left half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &Counts) {
        self.bar.set_message(state.describe());
        let begun: f64 = state.begun.iter().map(|(_, seconds)| seconds).sum();
        self.bar.set_position(((state.ended + begun) * 1000.0) as u64);
    }
}

impl Counts {
    fn describe(&self) -> String {
        let Self { cells, done, failed, running, .. } = self;
        let left = cells - done - failed - running;
        let mut text = format!("cells: {done} done, {running} running, {left} left");
        if *failed > 0 {
            text += &format!(", {failed} failed");
        }
        text
    }
}

impl CellProgress {
    /// Hears of a step of training.
    pub fn trained(&self, progress: &Progress) {
        let done = (progress.epoch - 1) as f64 + progress.batch as f64 / progress.batches as f64;
        self.set(self.cost.0 * done / progress.epochs as f64);
    }

    /// Hears which part of the scoring is done.
    pub fn scored(&self, fraction: f64) {
        self.set(self.cost.0 + self.cost.1 * fraction);
    }

    /// Says that the cell ended: done, failed, or neither.
    pub fn end(&self, done: bool, failed: bool, text: &str) {
        let mut state = self.overview.state();
        state.running -= 1;
        state.done += usize::from(done);
        state.failed += usize::from(failed);
        state.begun.retain(|(index, _)| *index != self.index);
        if done || failed {
            state.ended += self.cost.0 + self.cost.1;
        }
        self.overview.say(&format!("{text} ({})", state.describe()));
        self.overview.show(&state);
    }

    fn set(&self, seconds: f64) {
        let mut state = self.overview.state();
        if let Some(own) = state.begun.iter_mut().find(|(index, _)| *index == self.index) {
            own.1 = seconds;
        }
        self.overview.show(&state);
    }
}
