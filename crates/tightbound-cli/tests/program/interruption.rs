//! Interrupt what has not begun, and lengthen what has ended.

use std::fs;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Folder, Run, TINY, send, wait_until};

#[test]
fn more_epochs_continue_a_run() {
    let folder = Folder::new();
    let straight = folder.run(&format!("train --data glyphs {TINY} --epochs 3 --out straight"));
    let short = folder.train("run", "").digest();
    let grown = folder.run("train --resume --out run --epochs 3").digest();
    assert_eq!(grown, straight.digest());
    assert_ne!(grown, short);

    let again = folder.run("train --resume --out run");
    assert!(again.stderr.contains("done already"), "{}", again.stderr);
    assert_eq!(again.digest(), grown);
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
    wait_until(|| reads(&child));
    let patience = Instant::now();
    assert!(send("INT", &child));
    while child.try_wait().unwrap().is_none() && patience.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    Run::from(child.wait_with_output().unwrap()).fails(130, &[]);
    assert!(!folder.path().join("run").exists());
}
