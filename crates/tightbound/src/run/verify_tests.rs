//! Ask `verify` about run folders of which something is known to be wrong.

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use super::testing::{checkpoint, description, record};
use super::{
    CHECKPOINT, Condition, DESCRIPTION, FileReport, METRICS, MODEL, Model, PREVIOUS, Position,
    RunError, RunFolder, verify,
};

/// A run that has not begun.
fn new_run() -> (TempDir, RunFolder) {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run"), description()).unwrap();
    (folder, run)
}

/// A run whose log has these epochs, and a checkpoint after `epoch` of them that counts `records`.
fn run_of(epochs: &[usize], epoch: usize, records: u64) -> (TempDir, RunFolder) {
    let (folder, mut run) = new_run();
    let mut log = run.log(0).unwrap();
    for &epoch in epochs {
        log.append(&record(epoch)).unwrap();
    }
    let mut last = checkpoint(run.description());
    last.position = Position { epoch, records, ..Position::default() };
    run.save_checkpoint(&last).unwrap();
    (folder, run)
}

fn report(path: &Path, file: &str) -> FileReport {
    let report = verify(path).unwrap();
    report.files.into_iter().find(|report| report.file == file).unwrap()
}

#[test]
fn every_epoch_of_the_checkpoint_stands_in_the_log_once() {
    let whole = [&[1, 2][..], &[1, 1], &[1], &[1, 2, 3]];
    let expected = [
        (Condition::Whole, "2 records"),
        (Condition::Damaged, "these epochs do not stand in it once: 1, 2"),
        (Condition::Damaged, "metrics.jsonl has 1 whole records where the checkpoint counted 2"),
        (Condition::Interrupted, "1 records are newer than the checkpoint and 0 bytes"),
    ];
    for (epochs, (condition, detail)) in whole.into_iter().zip(expected) {
        let (_folder, run) = run_of(epochs, 2, 2);
        let found = report(run.path(), METRICS);
        assert_eq!(found.condition, condition, "{epochs:?}: {}", found.detail);
        assert!(found.detail.starts_with(detail), "{epochs:?}: {}", found.detail);
    }
    let (_folder, run) = run_of(&[1, 2], 2, 2);
    let log = run.path().join(METRICS);
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend(b"{\"ki");
    fs::write(&log, bytes).unwrap();
    let found = report(run.path(), METRICS);
    assert_eq!(found.condition, Condition::Interrupted);
    assert!(found.detail.starts_with("0 records are newer than the checkpoint and 4 bytes"));
}

#[test]
fn what_has_not_begun_is_told_from_what_was_lost() {
    let (_folder, run) = new_run();
    for file in [CHECKPOINT, PREVIOUS, MODEL] {
        assert_eq!(report(run.path(), file).condition, Condition::Absent, "{file}");
    }
    assert_eq!(verify(run.path()).unwrap().usable, ["--resume begins the training"]);

    let (_folder, run) = run_of(&[1], 1, 1);
    fs::remove_file(run.path().join(CHECKPOINT)).unwrap();
    assert_eq!(report(run.path(), CHECKPOINT).condition, Condition::Damaged, "its log is there");
    assert_eq!(verify(run.path()).unwrap().usable, [""; 0]);

    let (_folder, run) = run_of(&[], 0, 0);
    fs::write(run.path().join(CHECKPOINT), "damaged").unwrap();
    assert_eq!(verify(run.path()).unwrap().usable, [""; 0], "there was a checkpoint");
}

#[test]
fn a_complete_training_has_a_model() {
    let epochs = description().settings.train.epochs;
    for (epoch, condition) in [(epochs - 1, Condition::Absent), (epochs, Condition::Interrupted)] {
        let done: Vec<usize> = (1..=epoch).collect();
        let (_folder, run) = run_of(&done, epoch, epoch as u64);
        assert_eq!(report(run.path(), MODEL).condition, condition, "{epoch}");
    }
}

/// Both files have a checksum that is right.
#[test]
fn a_model_that_contradicts_itself_or_the_run_is_damage() {
    let (_folder, run) = new_run();
    let parameters = checkpoint(run.description()).parameters;
    let mut wrong = Model::new(run.description(), 0, parameters.clone());
    let good = wrong.encode();
    wrong.info.digest.replace_range(..1, "x");
    let mut wider = description();
    wider.settings.model.latents = 2;
    let other = Model::new(&wider, 0, checkpoint(&wider).parameters);
    for (bytes, condition, detail) in [
        (good, Condition::Whole, "epoch 0, digest"),
        (wrong.encode(), Condition::Damaged, "its digest is not that of its weights"),
        (other.encode(), Condition::Damaged, "it holds another model"),
    ] {
        fs::write(run.path().join(MODEL), bytes).unwrap();
        let found = report(run.path(), MODEL);
        assert_eq!(found.condition, condition, "{}", found.detail);
        assert!(found.detail.starts_with(detail), "{}", found.detail);
    }
}

#[test]
fn a_description_that_cannot_be_read_is_not_a_missing_one() {
    let (_folder, run) = new_run();
    let file = run.path().join(DESCRIPTION);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(verify(run.path()), Err(RunError::Storage { .. })));
}
