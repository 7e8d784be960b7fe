//! Interrupt trainings and go on: every way must end in the same bits.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Folder, Run, TINY};

/// A training that takes seconds: long enough to be interrupted, short enough to wait for.
const LONG: &str = "train --data glyphs --set data.limit=4000 --set model.encoder=[24] \
                    --set model.decoder=[20] --set model.latents=4 --epochs 24 --eval-every 24 \
                    --estimator piwae --m 4 --k 8";

/// Starts the long training, and waits until its first epoch is in the log.
fn started(folder: &Folder, out: &str) -> Child {
    let mut command = folder.tightbound(&format!("{LONG} --out {out}"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = folder.path().join(out).join("metrics.jsonl");
    let patience = Instant::now();
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains('\n')) {
        assert!(patience.elapsed() < Duration::from_secs(300), "the training does not begin");
        assert!(child.try_wait().unwrap().is_none(), "the training has ended");
        sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "the training has ended before {name}");
}

#[cfg(unix)]
#[test]
fn interrupted_trainings_end_in_the_same_bits() {
    let folder = Folder::new();
    let expected = folder.run(&format!("{LONG} --out whole --threads 1")).digest();
    let resume = |out: &str| folder.run(&format!("train --resume --out {out} --threads 3"));

    for (name, out, code) in [("-INT", "first", 130), ("-TERM", "second", 143)] {
        let child = started(&folder, out);
        signal(&child, name);
        let asked = Instant::now();
        let stopped = Run::from(child.wait_with_output().unwrap());
        // A second is promised; the rest is for machines that do much else.
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        let advice = format!("tightbound train --resume --out {out}");
        stopped.fails(code, &["saved", &advice]);
        folder.run(&format!("verify {out}")).succeeds();
        assert_eq!(resume(out).digest(), expected, "{name}");
    }

    let child = started(&folder, "saved");
    signal(&child, "-USR1");
    let went_on = Run::from(child.wait_with_output().unwrap());
    assert!(went_on.stderr.contains("going on"), "{}", went_on.stderr);
    assert_eq!(went_on.digest(), expected);

    let mut child = started(&folder, "killed");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(resume("killed").digest(), expected);

    let again = resume("killed");
    assert!(again.stderr.contains("done already"), "{}", again.stderr);
    assert_eq!(again.digest(), expected);
}

#[test]
fn more_epochs_continue_a_run() {
    let folder = Folder::new();
    let straight = folder.run(&format!("train --data glyphs {TINY} --epochs 3 --out straight"));
    let short = folder.train("run", "").digest();
    let grown = folder.run("train --resume --out run --epochs 3").digest();
    assert_eq!(grown, straight.digest());
    assert_ne!(grown, short);
}

/// While there is nothing to save, nobody waits: here the images come from a pipe that never ends.
#[cfg(target_os = "linux")]
#[test]
fn what_has_not_begun_ends_at_once() {
    let folder = Folder::new();
    let pipe = folder.path().join("images.npy");
    assert!(folder.process("mkfifo").arg(&pipe).status().unwrap().success());
    // Open for reading too, this side does not wait for the other one.
    let _both = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let mut command = folder.tightbound("train --data images.npy --out run");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let reads = |child: &Child| {
        let open = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        open.flatten()
            .any(|fd| fs::read_link(fd.path()).is_ok_and(|path| path.ends_with("images.npy")))
    };
    let patience = Instant::now();
    while !reads(&child) {
        assert!(patience.elapsed() < Duration::from_secs(60), "the program does not read");
        sleep(Duration::from_millis(5));
    }
    signal(&child, "-INT");
    while child.try_wait().unwrap().is_none() && patience.elapsed() < Duration::from_secs(120) {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    Run::from(child.wait_with_output().unwrap()).fails(130, &[]);
    assert!(!folder.path().join("run").exists());
}
