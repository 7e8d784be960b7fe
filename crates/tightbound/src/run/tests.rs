//! Damage run folders in every way, and see what is refused, repaired and reported.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::{TempDir, tempdir};

use super::testing::{Fault, FaultyDisk, checkpoint, description};
use super::{
    CHECKPOINT, Checkpoint, Condition, DESCRIPTION, Damage, EVALUATION, METRICS, MODEL, Model,
    PREVIOUS, Record, RunError, RunFolder, SkipRecord, digest, verify, write_atomic,
};

/// A folder with two checkpoints (steps 6 and 7), one record and a model.
fn run() -> (TempDir, RunFolder) {
    let folder = tempdir().unwrap();
    let mut run = RunFolder::create(&folder.path().join("run"), description()).unwrap();
    let mut log = run.log(0).unwrap();
    let mut checkpoint = checkpoint(run.description());
    checkpoint.position.epoch = 0;
    checkpoint.position.step = 6;
    run.save_checkpoint(&checkpoint).unwrap();
    let skip = SkipRecord { epoch: 1, batch: 1, reason: "made up".into() };
    log.append(&Record::Skip(skip)).unwrap();
    checkpoint.position.step = 7;
    checkpoint.position.records = 1;
    run.save_checkpoint(&checkpoint).unwrap();
    run.save_model(0, &checkpoint.parameters).unwrap();
    (folder, run)
}

fn steps(run: &mut RunFolder) -> (u64, Option<String>) {
    let latest = run.latest().unwrap().unwrap();
    (latest.checkpoint.position.step, latest.passed_over)
}

fn flip_last_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
}

fn condition(path: &Path, file: &str) -> Condition {
    let report = verify(path).unwrap();
    report.files.iter().find(|f| f.file == file).unwrap().condition
}

#[test]
fn a_run_is_made_once_and_only_in_an_empty_folder() {
    let (_folder, run) = run();
    let path = run.path().to_owned();
    let again = || RunFolder::create(&path, description());
    assert!(matches!(again(), Err(RunError::Exists(_))));
    assert!(again().unwrap_err().to_string().contains("--resume"));

    let other = tempdir().unwrap();
    fs::write(other.path().join("thesis.tex"), "").unwrap();
    let error = RunFolder::create(other.path(), description()).unwrap_err();
    assert!(error.to_string().contains("thesis.tex"), "{error}");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1, "nothing was left behind");
    assert!(matches!(RunFolder::open(other.path()), Err(RunError::NotARun(_))));
    assert!(matches!(verify(other.path()), Err(RunError::NotARun(_))));
}

#[test]
fn a_second_user_is_refused_until_the_first_has_gone() {
    let (_folder, run) = run();
    let path = run.path().to_owned();
    assert!(matches!(RunFolder::open(&path), Err(RunError::Locked(_))));
    assert!(Model::load(&path).is_ok(), "looking needs no lock");
    drop(run);
    assert!(RunFolder::open(&path).is_ok());
}

#[test]
fn a_run_without_records_has_not_begun() {
    let folder = tempdir().unwrap();
    let mut run = RunFolder::create(&folder.path().join("run"), description()).unwrap();
    assert!(run.latest().unwrap().is_none());
    let skip = SkipRecord { epoch: 1, batch: 1, reason: "made up".into() };
    run.log(0).unwrap().append(&Record::Skip(skip)).unwrap();
    assert!(matches!(run.latest(), Err(RunError::NoCheckpoint { .. })), "it was lost");
}

#[test]
fn the_newest_checkpoint_counts() {
    let (_folder, mut run) = run();
    assert_eq!(steps(&mut run), (7, None));
    let report = verify(run.path()).unwrap();
    assert!(report.whole, "{report}");
    assert!(report.to_string().contains("goes on from checkpoint.safetensors"), "{report}");
}

#[test]
fn a_damaged_checkpoint_is_put_aside_and_the_previous_one_used() {
    let (_folder, mut run) = run();
    let path = run.path().to_owned();
    flip_last_byte(&path.join(CHECKPOINT));
    assert_eq!(condition(&path, CHECKPOINT), Condition::Damaged);
    assert!(verify(&path).unwrap().to_string().contains("goes on from checkpoint.previous"));
    let (step, reason) = steps(&mut run);
    assert_eq!(step, 6);
    assert!(reason.unwrap().contains("checksum"));
    // The next checkpoint must not push out the only good one before it is itself complete.
    let next = checkpoint(run.description());
    let rename = FaultyDisk::new(4, Fault::FromThenOn(5));
    drop(run);
    let mut run = RunFolder::open_on(Arc::new(rename), &path).unwrap();
    assert!(run.save_checkpoint(&next).is_err());
    drop(run);
    let mut run = RunFolder::open(&path).unwrap();
    assert_eq!(steps(&mut run).0, 6);
}

/// Every byte is changed in turn, and the file is cut at every length: the run goes on from the checkpoint
/// before, says why, and never from a wrong one.
#[test]
fn whatever_byte_is_damaged_the_previous_checkpoint_is_used() {
    let (_folder, mut run) = run();
    let path = run.path().join(CHECKPOINT);
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|end| whole[..end].to_vec()).collect();
    damaged.extend((0..whole.len()).map(|at| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    }));
    for bytes in damaged {
        fs::write(&path, bytes).unwrap();
        let (step, reason) = steps(&mut run);
        assert_eq!(step, 6);
        assert!(reason.unwrap().starts_with("checkpoint.safetensors: "));
    }
    fs::write(&path, whole).unwrap();
    assert_eq!(steps(&mut run), (7, None));
}

/// Settings that a damaged `run.toml` tells are not those of the checkpoints, if they can be read at all; the
/// machine and the number of epochs, which may change, are the exception.
#[test]
fn whatever_byte_of_the_description_is_damaged_no_run_goes_on_with_other_settings() {
    let (_folder, run) = run();
    let path = run.path().to_owned();
    let fingerprint = run.description().fingerprint();
    drop(run);
    let whole = fs::read(path.join(DESCRIPTION)).unwrap();
    let (mut unreadable, mut refused, mut harmless) = (0, 0, 0);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(path.join(DESCRIPTION), bytes).unwrap();
        match RunFolder::open(&path) {
            Err(RunError::Description { .. }) => unreadable += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(mut run) => match run.latest() {
                Ok(_) => {
                    assert_eq!(run.description().fingerprint(), fingerprint, "byte {at}");
                    harmless += 1;
                }
                Err(RunError::NoCheckpoint { .. }) => refused += 1,
                Err(other) => panic!("byte {at}: {other}"),
            },
        }
    }
    assert!(unreadable > 0 && refused > 0 && harmless < whole.len() / 5, "{harmless}");
}

#[test]
fn a_crash_between_the_two_renames_loses_nothing() {
    let (_folder, mut run) = run();
    fs::rename(run.path().join(CHECKPOINT), run.path().join(PREVIOUS)).unwrap();
    assert_eq!(condition(run.path(), CHECKPOINT), Condition::Interrupted);
    assert!(verify(run.path()).unwrap().whole);
    assert_eq!(steps(&mut run).0, 7);
}

#[test]
fn two_damaged_checkpoints_are_both_named() {
    let (_folder, mut run) = run();
    flip_last_byte(&run.path().join(CHECKPOINT));
    fs::write(run.path().join(PREVIOUS), "short").unwrap();
    let error = run.latest().unwrap_err().to_string();
    assert!(error.contains("checkpoint.safetensors: the checksum"), "{error}");
    assert!(error.contains("checkpoint.previous.safetensors: the file is not"), "{error}");
    let report = verify(run.path()).unwrap();
    assert!(!report.whole && report.usable.len() == 1, "{report}");
    assert!(report.usable[0].contains("--from"), "{report}");
    assert_eq!(Model::load(run.path()).unwrap().info.epoch, 0, "the weights are still there");
}

#[test]
fn a_checkpoint_lost_altogether_is_not_taken_for_a_run_that_never_began() {
    let (_folder, mut run) = run();
    fs::remove_file(run.path().join(CHECKPOINT)).unwrap();
    fs::remove_file(run.path().join(PREVIOUS)).unwrap();
    assert!(matches!(run.latest(), Err(RunError::NoCheckpoint { .. })));
    assert_eq!(condition(run.path(), CHECKPOINT), Condition::Damaged);
}

#[test]
fn a_log_that_lost_records_sends_the_run_back_to_before_them() {
    let (_folder, mut run) = run();
    fs::write(run.path().join(METRICS), "").unwrap();
    assert_eq!(condition(run.path(), METRICS), Condition::Damaged);
    let (step, reason) = steps(&mut run);
    assert_eq!(step, 6);
    assert!(reason.unwrap().contains("0 whole records"));
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let (_folder, run) = run();
    let mut other = description();
    other.settings.train.rate = 0.5;
    let path = run.path().parent().unwrap().join("other");
    let mut second = RunFolder::create(&path, other).unwrap();
    fs::copy(run.path().join(CHECKPOINT), path.join(CHECKPOINT)).unwrap();
    let error = second.latest().unwrap_err().to_string();
    assert!(error.contains("another run"), "{error}");
}

#[test]
fn other_settings_are_refused_by_key_and_more_epochs_recorded() {
    let (_folder, mut run) = run();
    let mut wanted = description();
    wanted.settings.train.epochs = 9;
    run.continue_as(&wanted).unwrap();
    let path = run.path().to_owned();
    assert_eq!(steps(&mut run).0, 7);
    drop(run);
    let mut run = RunFolder::open(&path).unwrap();
    assert_eq!(run.description().settings.train.epochs, 9);
    wanted.settings.seed = 1;
    let error = run.continue_as(&wanted).unwrap_err().to_string();
    assert!(error.contains("seed: was 7, now 1") && !error.contains("epochs:"), "{error}");
}

#[test]
fn weights_come_back_and_know_where_they_are_from() {
    let (_folder, run) = run();
    let wanted = checkpoint(run.description()).parameters;
    let model = Model::load(&run.path().join(MODEL)).unwrap();
    assert_eq!(model.parameters, wanted);
    assert_eq!(model.info.digest, digest(&wanted));
    assert_eq!(model.info.settings, description().settings);
    let error = Model::load(&run.path().join(CHECKPOINT)).unwrap_err();
    let RunError::Damaged { damage: Damage::Kind { .. }, .. } = error else { panic!("{error:?}") };
    let bare = run.path().parent().unwrap().join("bare");
    fs::create_dir(&bare).unwrap();
    fs::copy(run.path().join(MODEL), bare.join(MODEL)).unwrap();
    assert_eq!(Model::load(&bare).unwrap(), model);
}

#[test]
fn leftovers_of_a_crash_are_removed_when_the_run_is_opened() {
    let (_folder, run) = run();
    let path = run.path().to_owned();
    let leftover = path.join(format!(".{CHECKPOINT}.4711.tmp"));
    let foreign = path.join(format!(".{EVALUATION}.4711.tmp"));
    fs::write(&leftover, "half").unwrap();
    fs::write(&foreign, "half").unwrap();
    drop(run);
    RunFolder::open(&path).unwrap();
    assert!(!leftover.exists(), "only the lock's holder writes checkpoints");
    assert!(foreign.exists(), "scores may be on their way without the lock");
}

#[test]
fn verify_names_each_damaged_file() {
    let (_folder, run) = run();
    let path = run.path().to_owned();
    for file in [CHECKPOINT, PREVIOUS, MODEL, METRICS, EVALUATION, DESCRIPTION] {
        let original = fs::read(path.join(file)).ok();
        fs::write(path.join(file), "{broken\n").unwrap();
        let report = verify(&path).unwrap();
        assert!(!report.whole, "{file}:\n{report}");
        let damaged: Vec<&str> = (report.files.iter())
            .filter(|f| f.condition == Condition::Damaged)
            .map(|f| f.file)
            .collect();
        assert_eq!(damaged, [file], "{report}");
        match original {
            Some(bytes) => fs::write(path.join(file), bytes).unwrap(),
            None => fs::remove_file(path.join(file)).unwrap(),
        }
        assert!(verify(&path).unwrap().whole);
    }
}

/// A crash after the last checkpoint leaves the weights of an earlier stop beside it.
#[test]
fn weights_older_than_a_complete_training_are_an_interruption() {
    let folder = tempdir().unwrap();
    let mut run = RunFolder::create(&folder.path().join("run"), description()).unwrap();
    let mut last = checkpoint(run.description());
    run.save_model(2, &last.parameters).unwrap();
    last.position = super::Position { epoch: 4, ..Default::default() };
    last.parameters[5] += 1.0;
    run.save_checkpoint(&last).unwrap();
    assert_eq!(condition(run.path(), MODEL), Condition::Interrupted);
    run.save_model(4, &last.parameters).unwrap();
    assert_eq!(condition(run.path(), MODEL), Condition::Whole);
}

/// What cannot be read is not called absent: a folder stands in for a file without permission.
#[test]
fn files_that_cannot_be_read_are_not_called_absent() {
    let (_folder, run) = run();
    fs::remove_file(run.path().join(MODEL)).unwrap();
    for file in [MODEL, EVALUATION] {
        fs::create_dir(run.path().join(file)).unwrap();
        assert_eq!(condition(run.path(), file), Condition::Damaged, "{file}");
    }
}

#[test]
fn a_torn_last_line_is_an_interruption_and_no_damage() {
    let (_folder, run) = run();
    let log = run.path().join(METRICS);
    let mut bytes = fs::read(&log).unwrap();
    bytes.extend(b"{\"kind\":\"ep");
    fs::write(&log, bytes).unwrap();
    assert_eq!(condition(run.path(), METRICS), Condition::Interrupted);
    assert!(verify(run.path()).unwrap().whole);
}

/// What is renamed was synced before, and its folder is synced after: else a power cut could
/// leave an empty file under the name.
#[test]
fn files_are_synced_before_they_get_their_names_and_folders_after() {
    let folder = tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::sound());
    let path = folder.path().join("run");
    let mut run = RunFolder::create_on(disk.clone(), &path, description()).unwrap();
    let before = disk.calls().len();
    let state = Checkpoint::start(vec![0.5; 38]);
    run.save_checkpoint(&state).unwrap();
    run.save_checkpoint(&state).unwrap();
    let calls = disk.calls()[before..].join(", ");
    let first = "create .checkpoint.safetensors.tmp, write, sync, \
                 rename .checkpoint.safetensors.tmp checkpoint.safetensors, sync_folder";
    let second = "create .checkpoint.safetensors.tmp, write, sync, \
                  rename checkpoint.safetensors checkpoint.previous.safetensors, \
                  rename .checkpoint.safetensors.tmp checkpoint.safetensors, sync_folder";
    assert_eq!(calls, format!("{first}, {second}"));

    // A new log's name is made to last at once, an old log's has been.
    for expected in ["append metrics.jsonl, sync_folder", "append metrics.jsonl"] {
        let before = disk.calls().len();
        run.log(0).unwrap();
        assert_eq!(disk.calls()[before..].join(", "), expected);
    }
    let before = disk.calls().len();
    let mut log = run.log(0).unwrap();
    let skip = SkipRecord { epoch: 1, batch: 1, reason: "made up".into() };
    log.append(&Record::Skip(skip)).unwrap();
    log.sync().unwrap();
    assert_eq!(disk.calls()[before..].join(", "), "append metrics.jsonl, write, sync");
}

#[test]
fn an_atomic_write_leaves_the_old_content_or_the_new() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file");
    for at in 0..6 {
        for fault in [Fault::Once(28), Fault::FromThenOn(28), Fault::TornWrite] {
            fs::write(&path, "old").unwrap();
            let result = write_atomic(&FaultyDisk::new(at, fault), &path, b"new content");
            let found = fs::read_to_string(&path).unwrap();
            // After the rename (call 3, which is no write to tear) the content is there, only not
            // yet for certain.
            let renamed = at > 3 || at == 3 && fault == Fault::TornWrite;
            assert!(renamed || result.is_err());
            let expected = if renamed { "new content" } else { "old" };
            assert_eq!(found, expected, "{fault:?} at {at}");
        }
    }
}

#[test]
fn epochs_shrink_only_as_far_as_the_training_came() {
    let (_folder, mut run) = run();
    for (at, asked, agreed) in [((2, 0), 9, 4), ((2, 1), 2, 4), ((2, 1), 3, 3), ((2, 0), 2, 2)] {
        let mut checkpoint = checkpoint(run.description());
        (checkpoint.position.epoch, checkpoint.position.batch) = at;
        run.save_checkpoint(&checkpoint).unwrap();
        run.end_after(asked).unwrap();
        assert_eq!(run.description().settings.train.epochs, agreed, "{asked} at {at:?}");
        let written = super::RunDescription::read(run.path()).unwrap();
        assert_eq!(written, *run.description());
    }
}
