//! Kill the program before each of its durable system calls, fail each of them, and fill its disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use tightbound::run::RunFolder;

use super::strace::{self, DURABLE, Traced, can_trace};
use super::{Remains, TRAINING, assert_went_on_from, counted_lines, is_full, leave_out, site};
use crate::support::{Folder, Run};

/// Two epochs: the first checkpoint, one that replaces none, and ones that replace two.
fn line(out: &str) -> String {
    format!("{TRAINING} --epochs 2 --threads 1 --out {out}")
}

/// The undisturbed training.
fn expected(site: &Folder) -> Remains {
    site.run(&line("whole")).succeeds();
    Remains::of(&site.path().join("whole"))
}

/// Asserts that the run is whole as far as it came, goes on from there when it is resumed, ends as
/// `expected`, and removes it.
#[track_caller]
fn go_on(site: &Folder, expected: &Remains, after: &str) {
    let run = site.path().join("run");
    if run.join("run.toml").exists() {
        let found = site.run("verify run");
        assert_eq!(found.code, Some(0), "{after}: {}{}", found.stdout, found.stderr);
    }
    let counted = counted_lines(&run);
    let resumed = site.run(&line("run"));
    assert_eq!(resumed.code, Some(0), "{after}: {}", resumed.stderr);
    assert_went_on_from(&counted, &run, after);
    Remains::of(&run).assert_is(expected, after);
    fs::remove_dir_all(&run).unwrap();
}

/// The steps, and the records in the log, that the newest checkpoint counts.
fn reached(site: &Folder) -> (u64, u64) {
    let position = RunFolder::position(&site.path().join("run")).unwrap_or_default();
    (position.step, position.records)
}

/// Where a training begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// Without a run folder.
    Fresh,
    /// In a copy of what [`leave_begun`] leaves. Here the thread that trains is the first to write,
    /// sync, rename and truncate; in a fresh run it is the thread that makes the folder.
    Begun,
}

impl Start {
    fn prepare(self, site: &Folder) {
        if self == Self::Begun {
            copy_files(&site.path().join("begun"), &site.path().join("run"));
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Leaves, as `begun`, a run that was killed while it replaced the checkpoint of its first epoch by
/// that of the first score: the log is longer than the checkpoint counts, and a temporary file lies
/// there.
fn leave_begun(site: &Folder) {
    // One file was renamed for the start's checkpoint, two for that of the first epoch.
    let traced = strace::run(site, "rename", "signal=SIGKILL:when=4", &line("run"));
    assert!(traced.killed, "{}", traced.run.stderr);
    let run = site.path().join("run");
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let (step, records) = reached(site);
    assert!(step > 0 && records > 0 && log.lines().count() as u64 > records);
    let mut files = fs::read_dir(&run).unwrap().map(|file| file.unwrap().file_name());
    assert!(files.any(|name| name.to_string_lossy().ends_with(".tmp")));
    fs::rename(run, site.path().join("begun")).unwrap();
}

/// What is done to a training.
struct Attack<'a> {
    start: Start,
    call: &'a str,
    /// Which one of these calls within its thread is the first to suffer it.
    number: usize,
    /// What strace injects.
    inject: &'a str,
}

impl std::fmt::Display for Attack<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, {:?}", self.call, self.inject, self.start)
    }
}

/// Runs the training, from either start, with each of `faults` at each durable call in turn, told
/// apart by its number within its thread, until no thread makes so many. `faults` gives, for a
/// number, what strace is to inject; `judge` looks at what was done, and what came of it. No
/// checkpoint may be lost, and every durable call must be reached.
fn at_every_call(
    site: &Folder,
    faults: impl Fn(usize) -> Vec<String>,
    mut judge: impl FnMut(&Attack<'_>, Traced),
) {
    leave_begun(site);
    let mut hit = BTreeSet::new();
    let starts = [Start::Fresh, Start::Begun].into_iter();
    for (start, call) in starts.flat_map(|start| DURABLE.map(|call| (start, call))) {
        'numbers: for number in first(site, start, call).. {
            for inject in faults(number) {
                start.prepare(site);
                let before = reached(site);
                let traced = strace::run(site, call, &inject, &line("run"));
                if !traced.was_hit() {
                    fs::remove_dir_all(site.path().join("run")).unwrap();
                    break 'numbers;
                }
                hit.insert(call);
                let attack = Attack { start, call, number, inject: &inject };
                assert!(reached(site) >= before, "{attack}: a checkpoint was lost");
                judge(&attack, traced);
            }
        }
    }
    assert_eq!(hit, BTreeSet::from(DURABLE), "these calls were reached");
}

/// The number of the first call that matters: before it, the system opens the libraries, and the
/// program what it reads.
fn first(site: &Folder, start: Start, call: &str) -> usize {
    if call != "openat" {
        return 1;
    }
    start.prepare(site);
    let traced = strace::run(site, call, "error=EIO:when=60000", &line("run"));
    fs::remove_dir_all(site.path().join("run")).unwrap();
    let own = traced.calls.lines().position(|line| line.contains("\"run/.lock"));
    own.expect("the folder is locked") + 1
}

/// A kill before every call leaves every state that a kill at any moment leaves. Each is made
/// twice: the process that resumes is killed at the same call again. A short attack does without
/// the second where the first one resumed already.
#[test]
fn killed_before_every_durable_call_a_training_ends_in_the_same_bytes() {
    if !can_trace("kills before every system call") {
        return;
    }
    let site = site();
    let expected = expected(&site);
    let mut kills = 0;
    let kill = |number| vec![format!("signal=SIGKILL:when={number}")];
    at_every_call(&site, kill, |attack, traced| {
        assert!(traced.killed, "{attack}: {}", traced.run.stderr);
        kills += 1;
        // What a crash left under a temporary name is removed first.
        let again = [(attack.call, attack.inject), ("unlink", "signal=SIGKILL:when=1")];
        for (call, inject) in again {
            if is_full() || attack.start == Start::Fresh {
                let before = reached(&site);
                kills += usize::from(strace::run(&site, call, inject, &line("run")).killed);
                assert!(reached(&site) >= before, "{attack}, {call} again: a checkpoint was lost");
            }
        }
        go_on(&site, &expected, &attack.to_string());
    });
    // Six checkpoints of five calls each, twice, are less than all.
    assert!(kills > 60, "{kills}");
    println!("{kills} kills before durable system calls");
}

/// What strace is to inject at, or from, call `number`: in turn, where not all are asked for.
fn failures(number: usize) -> Vec<String> {
    // An interruption for ever would not be one.
    let faults = ["ENOSPC", "ENOSPC+", "EIO", "EIO+", "EDQUOT", "EDQUOT+", "EINTR", "EROFS"];
    let fault = |fault: &&str| {
        let (error, for_ever) = fault.strip_suffix('+').map_or((*fault, ""), |f| (f, "+"));
        format!("error={error}:when={number}{for_ever}")
    };
    let chosen = if is_full() { &faults[..] } else { &faults[number % faults.len()..][..1] };
    chosen.iter().map(fault).collect()
}

#[test]
fn whatever_call_fails_the_training_stops_with_a_named_error_or_goes_on() {
    if !can_trace("failures of every system call") {
        return;
    }
    let site = site();
    let expected = expected(&site);
    let (mut stopped, mut mute, mut went_on) = (0, 0, 0);
    at_every_call(&site, failures, |attack, traced| {
        let Run { code, stderr, .. } = &traced.run;
        assert!(!stderr.contains("panicked"), "{attack}: {stderr}");
        // The thread that says so has written once at most, to make the folder: the message may
        // have been its write of the same number, and lost.
        let lost = attack.call == "write" && attack.number <= 2;
        let is_mute = lost && !stderr.contains("error: ");
        match code {
            Some(0) => went_on += 1,
            Some(1) if is_mute => mute += 1,
            Some(1) => {
                let named = ["os error", "cannot"].iter().all(|word| stderr.contains(word));
                assert!(named, "{attack}: {stderr}");
                stopped += 1;
            }
            code => panic!("{attack}: exit code {code:?}, {stderr}"),
        }
        go_on(&site, &expected, &attack.to_string());
    });
    // Of five calls for each of six checkpoints, one failure each is more than this.
    assert!(stopped > 25, "{stopped}");
    println!(
        "{stopped} failures stopped the training with a named error, {mute} took the message too, \
         {went_on} did not stop it"
    );
}

/// Gives why no disk of limited size can be had here.
fn why_no_disk(site: &Folder) -> Option<String> {
    let mut shell = site.process("unshare");
    let script = "mount -t tmpfs -o size=4k none disk";
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    match shell.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(Run::from(output).stderr),
        Err(error) => Some(error.to_string()),
    }
}

/// A disk of limited size takes half of a write and then no more.
#[test]
fn a_disk_that_is_full_stops_the_training_and_what_was_saved_is_good() {
    let site = site();
    let expected = expected(&site);
    let all: usize = fs::read_dir(site.path().join("whole"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len() as usize)
        .sum();
    fs::create_dir(site.path().join("disk")).unwrap();
    if let Some(why) = why_no_disk(&site) {
        leave_out("full disks", &format!("a disk to fill ({})", why.trim()));
        return;
    }
    let program = env!("CARGO_BIN_EXE_tightbound");
    let (mut stopped, step) = (0, if is_full() { 1 } else { 3 });
    for pages in (1..=all / 4096 + 12).step_by(step) {
        let script = format!(
            "mount -t tmpfs -o size={}k none disk && {{ {program} {}; code=$?; \
             cp -r disk/run run; exit $code; }} || exit $?",
            4 * pages,
            line("disk/run"),
        );
        let mut shell = site.process("unshare");
        shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
        let Run { code, stderr, .. } = Run::of(shell.stdin(Stdio::null()));
        let after = format!("{pages} pages");
        match code {
            Some(0) => {}
            Some(1) => {
                stopped += 1;
                assert!(
                    stderr.contains("No space left") && stderr.contains("make room"),
                    "{stderr}"
                );
            }
            code => panic!("{after}: {code:?}, {stderr}"),
        }
        assert!(site.path().join("run").exists(), "{after}: {stderr}");
        go_on(&site, &expected, &after);
    }
    assert!(stopped > 3);
    println!("{stopped} sizes of the disk were too small");
}
