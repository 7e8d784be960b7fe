//! Let two processes meet, and take away whoever listens to one.

use std::fs;
use std::process::Stdio;

use super::{Remains, TRAINING, site};
use crate::support::{start, wait_until};

/// The second process is refused as long as the first one lives, however that one ends.
#[test]
fn a_run_folder_has_one_user_until_it_is_gone() {
    let site = site();
    let line = format!("{TRAINING} --epochs 100000 --threads 1 --out run");
    let mut first = start(&mut site.tightbound(&line));
    wait_until(|| site.path().join("run/checkpoint.safetensors").exists());
    site.run(&line).fails(1, &["another process is using run", "--out"]);
    // Looking needs no lock.
    site.run("cite run").succeeds();
    first.kill().unwrap();
    first.wait().unwrap();
    let over = site.run(&format!("{TRAINING} --epochs 5 --out run"));
    assert!(over.code != Some(0) && !over.stderr.contains("another process"), "{}", over.stderr);
    assert!(over.stderr.contains("train.epochs"), "{}", over.stderr);
}

/// Nobody reads what a training prints or says: it trains.
#[test]
fn a_training_goes_on_when_nobody_listens() {
    let site = site();
    let line = |out| format!("{TRAINING} --epochs 20 --out {out}");
    site.run(&line("whole")).succeeds();
    let mut command = site.tightbound(&line("deaf"));
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((process.stdout.take(), process.stderr.take()));
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let [whole, deaf] = ["whole", "deaf"].map(|run| Remains::of(&site.path().join(run)));
    deaf.assert_is(&whole, "closed pipes");
    assert!(
        !fs::read_dir(site.path().join("deaf"))
            .unwrap()
            .any(|file| { file.unwrap().file_name().to_string_lossy().ends_with(".tmp") })
    );
}
