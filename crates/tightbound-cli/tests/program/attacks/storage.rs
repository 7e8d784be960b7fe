//! Kill the program before each of its durable system calls, fail each of them, and fill its disk.

use std::fs;
use std::process::Stdio;

use super::strace::{self, DURABLE, Traced};
use super::{Remains, TRAINING, is_full, site};
use crate::support::{Folder, Run, can_trace};

/// Two epochs: the first checkpoint, one that replaces none, and ones that replace two.
fn line(out: &str) -> String {
    format!("{TRAINING} --epochs 2 --threads 1 --out {out}")
}

/// The undisturbed training.
fn expected(site: &Folder) -> Remains {
    site.run(&line("whole")).succeeds();
    Remains::of(&site.path().join("whole"))
}

/// Asserts that the run is whole as far as it came, ends as `expected` when it is resumed, and removes it.
#[track_caller]
fn go_on(site: &Folder, expected: &Remains, after: &str) {
    let run = site.path().join("run");
    if run.join("run.toml").exists() {
        let found = site.run("verify run");
        assert_eq!(found.code, Some(0), "{after}: {}{}", found.stdout, found.stderr);
    }
    let resumed = site.run(&line("run"));
    assert_eq!(resumed.code, Some(0), "{after}: {}", resumed.stderr);
    Remains::of(&run).assert_is(expected, after);
    fs::remove_dir_all(&run).unwrap();
}

/// Runs the training with each of `faults` at each durable call in turn, told apart by its number within its
/// thread, until no thread makes so many. `faults` gives, for a number, what strace is to inject; `judge`
/// looks at the call, what was injected, and what came of it.
fn at_every_call(
    site: &Folder,
    faults: impl Fn(usize) -> Vec<String>,
    mut judge: impl FnMut(&str, &str, Traced),
) {
    for call in DURABLE {
        'numbers: for number in first(site, call).. {
            for inject in faults(number) {
                let traced = strace::run(site, call, &inject, &line("run"));
                if !traced.was_hit() {
                    fs::remove_dir_all(site.path().join("run")).unwrap();
                    break 'numbers;
                }
                judge(call, &inject, traced);
            }
        }
    }
}

/// The number of the first call that is the program's own: before it, the system opens the libraries.
fn first(site: &Folder, call: &str) -> usize {
    let traced = strace::run(site, call, "error=EIO:when=60000", &line("run"));
    fs::remove_dir_all(site.path().join("run")).unwrap();
    let own = traced.calls.lines().position(|line| line.contains("\"run") || call != "openat");
    own.map_or(1, |before| before + 1)
}

/// A kill before every call leaves every state that a kill at any moment leaves. Each is made twice: the
/// process that resumes is killed at the same call again.
#[test]
fn killed_before_every_durable_call_a_training_ends_in_the_same_bytes() {
    if !can_trace("kills before every system call") {
        return;
    }
    let site = site();
    let expected = expected(&site);
    let mut kills = 0;
    let kill = |number| vec![format!("signal=SIGKILL:when={number}")];
    at_every_call(&site, kill, |call, inject, traced| {
        assert!(traced.killed, "{call}, {inject}: {}", traced.run.stderr);
        kills += 1;
        // What a crash left under a temporary name is removed first.
        for call in [call, "unlink"] {
            kills += usize::from(strace::run(&site, call, inject, &line("run")).killed);
        }
        go_on(&site, &expected, &format!("{call}, {inject}"));
    });
    // Six checkpoints of five calls each, twice, are less than all.
    assert!(kills > 60, "{kills}");
    println!("{kills} kills before durable system calls");
}

/// In turn, where not all are asked for.
#[test]
fn whatever_call_fails_the_training_stops_with_a_named_error_or_goes_on() {
    if !can_trace("failures of every system call") {
        return;
    }
    let site = site();
    let expected = expected(&site);
    // An interruption for ever would not be one.
    let faults = ["ENOSPC", "ENOSPC+", "EIO", "EIO+", "EDQUOT", "EDQUOT+", "EINTR", "EROFS"];
    let (mut stopped, mut went_on) = (0, 0);
    let chosen = |number: usize| {
        let fault = |fault: &&str| {
            let (error, for_ever) = fault.strip_suffix('+').map_or((*fault, ""), |f| (f, "+"));
            format!("error={error}:when={number}{for_ever}")
        };
        let chosen = if is_full() { &faults[..] } else { &faults[number % faults.len()..][..1] };
        chosen.iter().map(fault).collect()
    };
    at_every_call(&site, chosen, |call, inject, traced| {
        let Run { code, stderr, .. } = &traced.run;
        let after = format!("{call}, {inject}");
        assert!(!stderr.contains("panicked"), "{after}: {stderr}");
        match code {
            Some(0) => went_on += 1,
            Some(1) => {
                stopped += 1;
                // That write of the other thread may have been the message.
                let mute = call == "write" && !stderr.contains("error: ");
                let named = ["os error", "cannot"].iter().all(|word| stderr.contains(word));
                assert!(mute || named, "{after}: {stderr}");
            }
            code => panic!("{after}: exit code {code:?}, {stderr}"),
        }
        go_on(&site, &expected, &after);
    });
    // Of five calls for each of six checkpoints, one failure each is more than this.
    assert!(stopped > 25, "{stopped}");
    println!("{stopped} failures stopped the training, {went_on} did not");
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
        if stderr.contains("unshare") || stderr.contains("mount:") {
            eprintln!("left out, for want of a disk to fill: {stderr}");
            return;
        }
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
