//! Fail every durable call of trainings, damage what they left, and compare where they end.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::tempdir;

use super::testing::{Remains, Script, ToyEngine, go, go_on, go_through};
use super::{Outcome, TrainError};
use crate::run::testing::{Fault, FaultyDisk, description};
use crate::run::{
    CHECKPOINT, DESCRIPTION, METRICS, MODEL, Record, RunDescription, RunError, RunFolder, read_log,
    verify,
};

const EINTR: i32 = 4;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Where a damaged checkpoint is put aside.
const ASIDE: &str = "checkpoint.damaged.safetensors";
/// What a crash while writing a checkpoint leaves; no process has the number 0.
const LEFTOVER: &str = ".checkpoint.safetensors.0.tmp";
/// Where the previous checkpoint of [`stop_twice`] stands; each of the epochs has three steps.
const PREVIOUS_STEP: u64 = 4;

/// `description`'s training with another number of epochs.
fn of_epochs(epochs: usize) -> RunDescription {
    let mut description = description();
    description.settings.train.epochs = epochs;
    description
}

/// Stops a training in its second epoch, and again where that epoch is complete but not scored: the
/// log then has three records, of which the newest checkpoint counts all and the previous one two.
fn stop_twice(path: &Path, description: &RunDescription) {
    let first = Script { stop_at: Some(PREVIOUS_STEP), ..Script::default() };
    let second = Script { interrupt_scoring: true, ..Script::default() };
    for mut script in [first, second] {
        let mut engine = ToyEngine::new(description.architecture());
        assert!(!go(path, description, &mut engine, &mut script).unwrap().complete);
    }
    assert_eq!(read_log(&path.join(METRICS)).unwrap().records.len(), 3);
    assert_eq!(RunFolder::position(path).unwrap().step, 6);
}

/// Stops a training of more epochs than wanted in the end, then damages its newest checkpoint and
/// leaves half of another one behind. Returns what is damaged.
fn stop_and_damage(path: &Path) -> Vec<u8> {
    stop_twice(path, &of_epochs(8));
    let mut newest = fs::read(path.join(CHECKPOINT)).unwrap();
    *newest.last_mut().unwrap() ^= 1;
    fs::write(path.join(CHECKPOINT), &newest).unwrap();
    fs::write(path.join(LEFTOVER), "half").unwrap();
    assert_eq!(RunFolder::position(path).unwrap().step, PREVIOUS_STEP);
    newest
}

/// Resumes such a training, first to end after two epochs, then after those of `description`:
/// `run.toml` is written again both times.
fn resume(
    disk: Arc<FaultyDisk>,
    path: &Path,
    description: &RunDescription,
    script: &mut Script,
) -> Result<Outcome, TrainError> {
    RunFolder::open_on(disk.clone(), path)?.end_after(2)?;
    let mut engine = ToyEngine::new(description.architecture());
    go_on(disk, path, description, &mut engine, script)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Whether `fault` at `call` stopped a session: with a named error, and unless it is harmless.
fn was_stopped(
    outcome: Result<Outcome, TrainError>,
    fault: Fault,
    call: &str,
    last: bool,
    attack: &str,
) -> bool {
    match outcome {
        Ok(outcome) => {
            assert!(outcome.complete, "{attack}");
            // Half a write, and an interrupted one, are finished by the next.
            let mild = matches!(fault, Fault::ShortWrite | Fault::Once(EINTR));
            let not_a_write = fault == Fault::TornWrite && last;
            // A leftover that stays does no harm.
            let leftover = fault == Fault::Once(EIO) && call.starts_with("remove ");
            assert!(mild || not_a_write || leftover, "{attack} went unnoticed");
            false
        }
        Err(TrainError::Run(RunError::Storage { source, .. })) => {
            assert_ne!(fault, Fault::ShortWrite, "{attack}: {source}");
            true
        }
        Err(other) => panic!("{attack}: {other}"),
    }
}

/// Fails every durable call of `session` in every way, then goes on with a sound disk. `prepare`
/// makes what it finds at `path`, `inspect` looks at what a failure left there. Returns the calls.
fn fail_every_call(
    path: &Path,
    expected: &Remains,
    prepare: impl Fn(),
    session: impl Fn(Arc<FaultyDisk>) -> Result<Outcome, TrainError>,
    inspect: impl Fn(&str),
) -> Vec<String> {
    let sound = Arc::new(FaultyDisk::sound());
    prepare();
    assert!(session(sound.clone()).unwrap().complete);
    assert_eq!(Remains::of(path), *expected);
    fs::remove_dir_all(path).unwrap();
    let calls = sound.calls();
    let faults = [
        Fault::Once(EIO),
        Fault::Once(EINTR),
        Fault::FromThenOn(ENOSPC),
        Fault::ShortWrite,
        Fault::TornWrite,
    ];
    let mut stopped = 0;
    for (at, call) in calls.iter().enumerate() {
        for fault in faults {
            let attack = format!("{fault:?} at {at} ({call})");
            prepare();
            let disk = Arc::new(FaultyDisk::new(at, fault));
            let last = at + 1 == calls.len();
            if was_stopped(session(disk.clone()), fault, call, last, &attack) {
                stopped += 1;
            }
            assert_eq!(disk.calls()[at], *call, "{attack}");
            inspect(&attack);
            assert!(session(Arc::new(FaultyDisk::sound())).unwrap().complete, "{attack}");
            assert_eq!(Remains::of(path), *expected, "{attack}");
            fs::remove_dir_all(path).unwrap();
        }
    }
    assert!(stopped > 2 * calls.len());
    calls
}

/// Breaks every durable call of a training in every way, then goes on with a sound disk.
#[test]
fn whatever_call_fails_the_run_ends_in_a_named_error_and_can_be_resumed() {
    let folder = tempdir().unwrap();
    let description = of_epochs(2);
    let (whole, path) = (folder.path().join("whole"), folder.path().join("broken"));
    go_through(&whole, &description);
    let session = |disk: Arc<FaultyDisk>| {
        let mut engine = ToyEngine::new(description.architecture());
        go_on(disk, &path, &description, &mut engine, &mut Script::default())
    };
    let inspect = |attack: &str| {
        if path.join(DESCRIPTION).exists() {
            let report = verify(&path).unwrap();
            assert!(report.whole, "{attack}:\n{report}");
        }
    };
    let calls = fail_every_call(&path, &Remains::of(&whole), || {}, session, inspect);
    assert!(calls.len() > 40, "{calls:?}");
}

/// Resuming has calls that a fresh run has not: the log is cut, a damaged checkpoint put aside, a
/// leftover removed, `run.toml` replaced.
#[test]
fn whatever_call_fails_while_a_damaged_run_is_resumed_it_can_be_resumed_again() {
    let folder = tempdir().unwrap();
    let description = of_epochs(3);
    let [whole, stopped, path] = ["whole", "stopped", "broken"].map(|n| folder.path().join(n));
    go_through(&whole, &description);
    let damaged = stop_and_damage(&stopped);
    let session = |disk: Arc<FaultyDisk>| {
        let mut script = Script::default();
        let outcome = resume(disk, &path, &description, &mut script);
        assert!(script.steps.first().is_none_or(|p| p.step > PREVIOUS_STEP));
        if outcome.is_ok() {
            assert_eq!(fs::read(path.join(ASIDE)).unwrap(), damaged);
            assert!(!path.join(LEFTOVER).exists());
        }
        outcome
    };
    let inspect = |attack: &str| {
        let report = verify(&path).unwrap();
        assert_eq!(report.whole, path.join(ASIDE).exists(), "{attack}:\n{report}");
    };
    let prepare = || copy_folder(&stopped, &path);
    let calls = fail_every_call(&path, &Remains::of(&whole), prepare, session, inspect);
    for (kind, times) in [
        (format!("remove {LEFTOVER}"), 1),
        ("rename .run.toml.tmp run.toml".to_owned(), 2),
        (format!("rename {CHECKPOINT} {ASIDE}"), 1),
        ("truncate".to_owned(), 1),
    ] {
        assert_eq!(calls.iter().filter(|call| **call == kind).count(), times, "{kind}: {calls:?}");
    }
}

#[test]
fn a_training_goes_on_from_the_checkpoint_before_a_damaged_one() {
    let folder = tempdir().unwrap();
    let description = of_epochs(3);
    let (whole, path) = (folder.path().join("whole"), folder.path().join("damaged"));
    go_through(&whole, &description);
    let damaged = stop_and_damage(&path);
    let mut script = Script::default();
    let disk = Arc::new(FaultyDisk::sound());
    assert!(resume(disk, &path, &description, &mut script).unwrap().complete);
    let steps: Vec<u64> = script.steps.iter().map(|p| p.step).collect();
    assert_eq!(steps, [5, 6, 7, 8, 9]);
    assert_eq!(fs::read(path.join(ASIDE)).unwrap(), damaged);
    assert_eq!(Remains::of(&path), Remains::of(&whole));
}

/// A checkpoint counts the log's records: after a power cut they must be there if it is.
#[test]
fn the_log_is_synced_before_the_checkpoint_that_counts_its_records_gets_its_name() {
    let folder = tempdir().unwrap();
    let description = of_epochs(1);
    let disk = Arc::new(FaultyDisk::sound());
    let path = folder.path().join("run");
    let mut engine = ToyEngine::new(description.architecture());
    go_on(disk.clone(), &path, &description, &mut engine, &mut Script::default()).unwrap();
    let calls = disk.calls();
    let opened = calls.iter().position(|call| call == "append metrics.jsonl").unwrap();
    let staged = "create .checkpoint.safetensors.tmp, write, sync";
    let kept = "rename checkpoint.safetensors checkpoint.previous.safetensors";
    let published = "rename .checkpoint.safetensors.tmp checkpoint.safetensors, sync_folder";
    let logged_and_saved = format!("write, sync, {staged}, {kept}, {published}");
    let expected: [&str; 6] = [
        "append metrics.jsonl, sync_folder",
        // The start has no record.
        &format!("sync, {staged}, {published}"),
        // The epoch, then its score.
        &logged_and_saved,
        &logged_and_saved,
        "create .model.safetensors.tmp, write, sync",
        "rename .model.safetensors.tmp model.safetensors, sync_folder",
    ];
    assert_eq!(calls[opened..].join(", "), expected.join(", "));
}

/// Stops a training twice in its second epoch: both checkpoints count the same two records.
fn stop_within_an_epoch(path: &Path, description: &RunDescription) {
    for steps in [PREVIOUS_STEP, 1] {
        let mut engine = ToyEngine::new(description.architecture());
        let mut script = Script { stop_at: Some(steps), ..Script::default() };
        assert!(!go(path, description, &mut engine, &mut script).unwrap().complete);
    }
    assert_eq!(read_log(&path.join(METRICS)).unwrap().records.len(), 2);
}

/// The records of the log at `path` but for their times.
fn records(path: &Path) -> Vec<Record> {
    let records = read_log(&path.join(METRICS)).unwrap().records;
    records.into_iter().map(Record::without_timing).collect()
}

/// The log has no checksum. Trainings go on from checkpoints alone, which count its records; where a
/// changed byte makes a line more or less, they are counted all the same, and none is lost but those
/// that have the byte in them or beside them.
#[test]
fn whatever_byte_of_the_log_is_changed_the_training_ends_the_same() {
    let folder = tempdir().unwrap();
    let description = of_epochs(3);
    let [whole, stopped, path] = ["whole", "stopped", "changed"].map(|n| folder.path().join(n));
    go_through(&whole, &description);
    let expected = records(&whole);
    for stop in [stop_twice, stop_within_an_epoch] {
        stop(&stopped, &description);
        let log = fs::read(stopped.join(METRICS)).unwrap();
        // The last line end is missing where a crash cuts the line short, and is not told from that.
        let places = 0..log.len() - 1;
        let changes = places.flat_map(|at| [(at, log[at] ^ 1), (at, b'\n')]);
        for (at, byte) in changes.filter(|&(at, byte)| log[at] != byte) {
            let attack = format!("byte {at} became {byte}");
            copy_folder(&stopped, &path);
            let mut changed = log.clone();
            changed[at] = byte;
            fs::write(path.join(METRICS), changed).unwrap();
            assert!(go_through(&path, &description).complete);
            for file in [CHECKPOINT, MODEL, DESCRIPTION] {
                let (found, wanted) = (fs::read(path.join(file)), fs::read(whole.join(file)));
                assert_eq!(found.unwrap(), wanted.unwrap(), "{file}: {attack}");
            }
            let found = records(&path);
            let missing = expected.iter().filter(|record| !found.contains(record)).count();
            assert!(missing <= if log[at] == b'\n' { 2 } else { 1 }, "{attack}: {missing}");
            assert!(found.len() <= expected.len(), "{attack}: {found:?}");
            if byte == b'\n' || log[at] == b'\n' {
                assert_eq!(verify(&path).unwrap().whole, missing == 0, "{attack}");
            }
            fs::remove_dir_all(&path).unwrap();
        }
        fs::remove_dir_all(&stopped).unwrap();
    }
}
