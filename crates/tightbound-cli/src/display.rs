//! Show how a training goes on: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tightbound::run::EpochRecord;
use tightbound::train::Progress;

use crate::output::{talk, visible};
use crate::sweep::CellProgress;

/// A bar over `length` things on a terminal, nothing elsewhere.
pub fn counting_bar(doing: &str, things: &str, length: u64) -> ProgressBar {
    bar(&format!("{doing} {{bar:24}} {{human_pos}}/{{human_len}} {things}  {{eta}} left"), length)
}

/// A bar of any look on a terminal, nothing elsewhere.
pub fn bar(template: &str, length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).expect("the template is valid");
    ProgressBar::new(length).with_style(style)
}

/// Time between two plain lines.
const QUIET: Duration = Duration::from_secs(10);

/// Where the progress of one training is shown.
#[derive(Debug)]
pub enum Display {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a log.
    Lines {
        /// What stands at the beginning of every line.
        name: String,
        /// When the last line about an epoch was written.
        last: Option<Instant>,
    },
    /// In the overview of a sweep.
    Cell(CellProgress),
}

impl Display {
    /// A display on standard error. `name` stands at the beginning of every line.
    pub fn new(name: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { name: name.to_owned(), last: None };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let template = "{prefix} {bar:24} {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        bar.set_prefix(visible(name).into_owned());
        Self::Bar(bar)
    }

    /// Shows a step.
    pub fn step(&mut self, progress: &Progress) {
        let bar = match self {
            Self::Bar(bar) => bar,
            Self::Lines { .. } => return,
            Self::Cell(cell) => return cell.trained(progress),
        };
        let batches = progress.batches as u64;
        let done = (progress.epoch as u64 - 1) * batches + progress.batch as u64;
        if bar.length().is_none() {
            bar.set_length(progress.epochs as u64 * batches);
            // What an earlier session did must not count for the time left.
            bar.set_position(done);
            bar.reset_eta();
        }
        bar.set_position(done);
        let bound = progress.bound.map_or(String::new(), |b| format!("  bound {b:.2}"));
        let beta = progress.beta.map_or(String::new(), |beta| format!("  β {beta:.3}"));
        bar.set_message(format!(
            "epoch {}/{}{bound}{beta}  rate {:.1e}  {:.0} steps/s",
            progress.epoch,
            progress.epochs,
            progress.rate,
            bar.per_sec(),
        ));
    }

    /// Shows a complete epoch; `last` says that it was the last one.
    pub fn epoch(&mut self, record: &EpochRecord, last: bool) {
        let Self::Lines { name, last: told } = self else { return };
        if !last && told.is_some_and(|told| told.elapsed() < QUIET) {
            return;
        }
        *told = Some(Instant::now());
        let bound = record.bound.map_or("none".to_owned(), |bound| format!("{bound:.2}"));
        let beta = record.beta.map_or(String::new(), |beta| format!(", β {beta:.3}"));
        talk!(
            "{name} epoch {}: bound {bound}{beta}, rate {:.1e}, {:.0} images/s",
            record.epoch,
            record.rate,
            record.timing.images_per_second,
        );
    }

    /// Says something between two steps.
    pub fn say(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| talk!("{} {text}", bar.prefix())),
            Self::Lines { name, .. } => talk!("{name} {text}"),
            // A sweep has too many of them; the cell's log keeps what was said.
            Self::Cell(_) => {}
        }
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
