//! Send signals to trainings at random moments: they save, and say so with the right exit code.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tightbound::run::{Position, RunFolder};

use super::{Remains, is_full, leave_out, site, times};
use crate::support::{Folder, Random, Run, npy, send, two_cells, wait_until};

/// What is promised, and what a full attack demands.
const PROMISE: Duration = Duration::from_secs(1);

/// The rest is for machines that do much else.
const PATIENCE: Duration = Duration::from_secs(10);

/// Minibatches of a millisecond or so, hundreds to the epoch.
const LONG: &str = "train --data many.npy --set model.encoder=[8] --set model.decoder=[8] \
                    --set model.latents=2 --set train.batch=5 --epochs 3 --estimator miwae --m 2 --k 300 \
                    --threads 2 --resume";

fn long_site() -> (Folder, Remains) {
    let site = site();
    fs::write(site.path().join("many.npy"), npy(&[2000, 6, 6])).unwrap();
    site.run(&format!("{LONG} --out whole")).succeeds();
    let expected = Remains::of(&site.path().join("whole"));
    (site, expected)
}

/// Starts a training whose words are kept.
fn listen(site: &Folder, line: &str) -> Child {
    let mut command = site.tightbound(line);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The step that the newest checkpoint of `run` holds.
fn step(run: &Path) -> u64 {
    RunFolder::position(run).map_or(0, |position| position.step)
}

/// Prints the median and the slowest, which in a full attack must keep the promise.
fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what}: {} times, median {median:.1?}, slowest {slowest:.1?}", times.len());
    assert!(slowest < PROMISE || !is_full(), "{what}: {slowest:.1?}");
}

/// Whether the process has the threads of a training: from then on a signal finds something to
/// save. Only Linux tells.
fn has_begun(process: &Child) -> bool {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).into_iter().flatten();
    let mut names = tasks.flatten().map(|task| fs::read_to_string(task.path().join("comm")));
    names.any(|name| name.is_ok_and(|name| name.starts_with("tightbound-")))
}

/// What came of a training that got a signal.
struct Signalled {
    /// Whether the training had begun when the signal was sent.
    begun: bool,
    took: Duration,
    output: Output,
}

/// Starts a training and sends it the signal `name` at a random moment: of the program's first
/// milliseconds, if `early`, else after the training has begun.
fn signal_at_random(
    site: &Folder,
    line: &str,
    name: &str,
    random: &mut Random,
    early: bool,
) -> Signalled {
    let mut process = listen(site, line);
    let waits = cfg!(target_os = "linux") && !early;
    while waits && !has_begun(&process) && process.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_micros(random.below(if early { 20_000 } else { 150_000 })));
    let begun = has_begun(&process);
    let sent = Instant::now();
    if process.try_wait().unwrap().is_none() {
        send(name, &process);
    }
    let output = process.wait_with_output().unwrap();
    Signalled { begun, took: sent.elapsed(), output }
}

/// Whether this process, and so all that it starts, was told to ignore SIGHUP, as under `nohup`. If so,
/// says that `what` was left out.
fn is_hangup_ignored(what: &str) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.is_none_or(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1);
    if ignored {
        leave_out(what, "a SIGHUP that is not ignored");
    }
    ignored
}

/// A training is stopped and resumed until it is complete, and then another one.
#[test]
fn signals_at_random_moments_save_and_end_with_their_exit_code() {
    let (site, expected) = long_site();
    let run = site.path().join("run");
    let line = format!("{LONG} --out run");
    let mut random = Random(4);
    for (name, signal) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        if signal == 1 && is_hangup_ignored("SIGHUP at random moments") {
            continue;
        }
        let (mut times_taken, wanted) = (Vec::new(), times(6, 100));
        let (mut attacks, mut early) = (0_usize, 0);
        while times_taken.len() < wanted {
            let before = step(&run);
            let is_early = attacks.is_multiple_of(10);
            attacks += 1;
            let Signalled { begun, took, output } =
                signal_at_random(&site, &line, name, &mut random, is_early);
            let unheard = output.status.signal() == Some(signal);
            let Run { code, stdout, stderr } = Run::from(output);
            assert!(took < PATIENCE, "{name}: {took:?}");
            assert!(!stderr.contains("panicked"), "{name}: {stderr}");
            if code == Some(0) {
                Remains::of(&run).assert_is(&expected, name);
                fs::remove_dir_all(&run).unwrap();
                continue;
            }
            // The signal may come before anybody listens to it, or before there is something to save.
            assert!(unheard || code == Some(128 + signal), "{name}: {code:?}, {stderr}");
            assert_eq!(stdout, "", "{name}");
            if stderr.contains("saved after step") {
                let told = format!("saved after step {};", step(&run));
                assert!(stderr.contains(&told), "{told} is not in {stderr}");
                assert!(stderr.contains("tightbound train --resume --out run"), "{stderr}");
                times_taken.push(took);
            } else {
                assert!(!begun, "{name}: nothing was saved, {code:?}, {stderr}");
                early += 1;
            }
            assert!(step(&run) >= before);
        }
        println!("SIG{name} before the training: {early} times");
        print_times(&format!("SIG{name} to exit"), times_taken);
    }
    site.run(&line).succeeds();
    Remains::of(&run).assert_is(&expected, "signals");
}

/// What was saved is found by a kill that follows at once.
#[test]
fn sigusr1_at_random_moments_saves_and_goes_on() {
    let (site, expected) = long_site();
    let run = site.path().join("run");
    let mut random = Random(5);
    let (mut took, mut within, wanted) = (Vec::new(), 0, times(6, 100));
    while took.len() < wanted {
        let mut process = listen(&site, &format!("{LONG} --out run"));
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        wait_until(|| run.join("checkpoint.safetensors").exists());
        sleep(Duration::from_micros(random.below(100_000)));
        let (before, sent) = (step(&run), Instant::now());
        send("USR1", &process);
        // A training that has ended says no such thing, and one that has not begun is ended.
        if lines.any(|line| line.unwrap().contains("saving, and going on")) {
            wait_until(|| step(&run) > before);
            took.push(sent.elapsed());
            within += usize::from(RunFolder::position(&run).unwrap().batch > 0);
        }
        process.kill().unwrap();
        if process.wait().unwrap().code() == Some(0) {
            Remains::of(&run).assert_is(&expected, "SIGUSR1");
            fs::remove_dir_all(&run).unwrap();
        }
    }
    assert!(2 * within > wanted, "{within} of {wanted} within an epoch");
    print_times("SIGUSR1 to the new checkpoint", took);
    site.run(&format!("{LONG} --out run")).succeeds();
    Remains::of(&run).assert_is(&expected, "SIGUSR1");
}

/// Each of several trainings in one process saves, and none of them waits for the end of its epoch.
#[test]
fn sigusr1_saves_every_training_of_a_sweep() {
    let site = Folder::new();
    fs::write(site.path().join("many.npy"), npy(&[2000, 6, 6])).unwrap();
    let longer = "estimator.k = 300\ntrain.batch = 5\ntrain.epochs = 99";
    let text = two_cells("'Two'", "'many.npy'").replace("estimator.k = 3", longer);
    fs::write(site.path().join("two.toml"), text).unwrap();
    site.run("sweep plan two.toml --out two").succeeds();
    let mut process = listen(&site, "sweep run two --jobs 2 --threads 2");
    let cells = || -> Vec<PathBuf> {
        let entries = fs::read_dir(site.path().join("two/cells")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let all = |is: fn(Position) -> bool| {
        let positions: Vec<_> = cells().iter().map(|cell| RunFolder::position(cell)).collect();
        positions.len() == 2 && positions.into_iter().all(|position| position.is_some_and(is))
    };
    wait_until(|| all(|position| position.epoch > 0));
    send("USR1", &process);
    wait_until(|| all(|position| position.batch > 0));
    assert_eq!(process.try_wait().unwrap(), None, "they go on");
    process.kill().unwrap();
    process.wait().unwrap();
}

/// The first Ctrl-C waits for the end of a step, here of seconds; the second waits for nothing.
#[test]
fn a_second_ctrl_c_ends_at_once() {
    let site = site();
    let line =
        "train --data images.npy --epochs 2 --estimator iwae --k 100000 --threads 1 --out run";
    let mut process = listen(&site, line);
    wait_until(|| site.path().join("run/checkpoint.safetensors").exists());
    send("INT", &process);
    sleep(Duration::from_millis(100));
    assert!(process.try_wait().unwrap().is_none(), "the step is too short for this test");
    let sent = Instant::now();
    send("INT", &process);
    let ended = Run::from(process.wait_with_output().unwrap());
    assert!(sent.elapsed() < PATIENCE);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(!ended.stderr.contains("saved"), "{}", ended.stderr);
    assert!(site.run("verify run").succeeds().contains("--resume goes on"));
}

/// Who trains in a terminal has a training to go on with when the terminal is gone.
#[cfg(target_os = "linux")]
#[test]
fn a_closed_terminal_saves() {
    if is_hangup_ignored("a closed terminal") {
        return;
    }
    let (site, expected) = long_site();
    let run = site.path().join("run");
    let command = format!("{} {LONG} --out run", env!("CARGO_BIN_EXE_tightbound"));
    let mut terminal = site.process("script");
    terminal.args(["--quiet", "--command", &command, "/dev/null"]);
    let terminal =
        terminal.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut terminal) = terminal else {
        leave_out("a closed terminal", "the program script");
        return;
    };
    wait_until(|| run.join("checkpoint.safetensors").exists());
    sleep(Duration::from_millis(50));
    // With it goes the terminal that it made.
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    wait_until(|| RunFolder::open(&run).is_ok());
    let position = RunFolder::position(&run).unwrap();
    assert!(position.batch > 0, "{position:?} is the end of an epoch: nothing was saved");
    site.run(&format!("{LONG} --out run")).succeeds();
    Remains::of(&run).assert_is(&expected, "a closed terminal");
}

#[cfg(target_os = "linux")]
#[test]
fn under_nohup_a_closed_terminal_changes_nothing() {
    let (site, expected) = long_site();
    let run = site.path().join("run");
    let mut nohup = site.process("nohup");
    nohup
        .arg(env!("CARGO_BIN_EXE_tightbound"))
        .args(LONG.split_whitespace())
        .args(["--out", "run"]);
    let process =
        nohup.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    wait_until(|| run.join("checkpoint.safetensors").exists());
    send("HUP", &process);
    Run::from(process.wait_with_output().unwrap()).succeeds();
    Remains::of(&run).assert_is(&expected, "SIGHUP");
}
