//! Attack trainings and scores: whatever happens, they must end in the same bytes.
//!
//! Short attacks run always. `TIGHTBOUND_ATTACKS=full` asks for the long ones, whose figures
//! docs/reliability.md shows; `--nocapture` prints them.

mod bits;
mod kills;
mod processes;
#[cfg(unix)]
mod signals;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod storage;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod strace;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tightbound::run::RunFolder;

use crate::support::{Folder, npy};

/// A training that keeps everything that can be kept, without its epochs and its folder. It takes
/// milliseconds.
const TRAINING: &str = "train --data images.npy --set model.encoder=[8] --set model.decoder=[8] \
                        --set model.latents=2 --set train.batch=9 --eval-every 1 --estimator ciwae --k 3 \
                        --beta learned --monitor snr --resume";

/// A folder with images to train on.
fn site() -> Folder {
    let site = Folder::new();
    fs::write(site.path().join("images.npy"), npy(&[60, 6, 6])).unwrap();
    site
}

/// How often to attack: `few` times, or `many` in a full attack.
fn times(few: usize, many: usize) -> usize {
    if is_full() { many } else { few }
}

fn is_full() -> bool {
    std::env::var("TIGHTBOUND_ATTACKS").is_ok_and(|value| value == "full")
}

/// Says that `what` is left out for want of `missing`. A full attack leaves nothing out: it fails.
#[cfg(unix)]
#[track_caller]
fn leave_out(what: &str, missing: &str) {
    assert!(!is_full(), "a full attack needs {missing}: {what}");
    eprintln!("left out, for want of {missing}: {what}");
}

/// The lines of the log that the newest checkpoint of `run` counts.
#[track_caller]
fn counted_lines(run: &Path) -> Vec<String> {
    let records = RunFolder::position(run).map_or(0, |position| position.records) as usize;
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    let lines: Vec<_> = log.lines().take(records).map(str::to_owned).collect();
    assert_eq!(lines.len(), records, "the log is shorter than its checkpoint says");
    lines
}

/// Asserts that a resumed training went on from the checkpoint that counts `lines`: from an earlier
/// one it would have made some of them again, with other times.
#[track_caller]
fn assert_went_on_from(lines: &[String], run: &Path, after: &str) {
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let kept = log.lines().zip(lines).filter(|(found, line)| found == line).count();
    assert_eq!(kept, lines.len(), "after {after} records were made again");
}

/// What a complete training leaves, without the times in its log and the machine it began on.
#[derive(Debug, PartialEq)]
struct Remains {
    checkpoint: Vec<u8>,
    model: Vec<u8>,
    description: String,
    log: Vec<Value>,
}

impl Remains {
    fn of(run: &Path) -> Self {
        let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let log = log.lines().map(|line| {
            let mut record: Value = serde_json::from_str(line).unwrap();
            record.as_object_mut().unwrap().remove("timing");
            record
        });
        let description = fs::read_to_string(run.join("run.toml")).unwrap();
        Self {
            checkpoint: fs::read(run.join("checkpoint.safetensors")).unwrap(),
            model: fs::read(run.join("model.safetensors")).unwrap(),
            description: description.split("[machine]").next().unwrap().to_owned(),
            log: log.collect(),
        }
    }

    /// Asserts that nothing differs, without printing kilobytes of weights.
    #[track_caller]
    fn assert_is(&self, expected: &Self, after: &str) {
        assert!(self.checkpoint == expected.checkpoint, "another checkpoint after {after}");
        assert!(self.model == expected.model, "another model after {after}");
        assert_eq!(self.description, expected.description, "after {after}");
        assert_eq!(self.log, expected.log, "after {after}");
    }
}
