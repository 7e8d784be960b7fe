//! Kill trainings at random moments, while they resume too.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::{Remains, TRAINING, site, times};
use crate::support::{Folder, Random, start};

/// Starts `line` and kills it after `microseconds`; says whether it was still running.
fn killed(site: &Folder, line: &str, microseconds: u64) -> bool {
    let mut process = start(&mut site.tightbound(line));
    sleep(Duration::from_micros(microseconds));
    process.kill().unwrap();
    process.wait().unwrap().code().is_none()
}

/// A training is killed again and again until it is complete, and then another one.
#[test]
fn trainings_killed_at_random_moments_end_in_the_same_bytes() {
    let site = site();
    let line = |out| format!("{TRAINING} --epochs 30 --out {out}");
    site.run(&line("whole")).succeeds();
    let expected = Remains::of(&site.path().join("whole"));
    let run = site.path().join("run");
    let (kills, mut hit, mut complete) = (times(50, 1000), 0, 0);
    let mut random = Random(1);
    while hit < kills {
        let threads = 1 + random.below(3);
        let line = format!("{} --threads {threads}", line("run"));
        if killed(&site, &line, random.below(60_000)) {
            hit += 1;
        } else {
            Remains::of(&run).assert_is(&expected, &format!("{hit} kills"));
            fs::remove_dir_all(&run).unwrap();
            complete += 1;
        }
    }
    site.run(&line("run")).succeeds();
    Remains::of(&run).assert_is(&expected, &format!("{hit} kills"));
    println!("{hit} kills of running processes, in {} trainings of 30 epochs", complete + 1);
}

/// The same for scores.
#[test]
fn scoring_killed_at_random_moments_ends_in_the_same_bytes() {
    let site = site();
    site.run(&format!("{TRAINING} --epochs 1 --out run")).succeeds();
    let score = "eval run --k 2000 --threads 1";
    site.run(score).succeeds();
    let read =
        || ["evaluation.json", "evaluation.csv"].map(|f| fs::read(site.path().join("run").join(f)));
    let expected = read().map(Result::unwrap);
    let mut random = Random(2);
    let (kills, mut hit) = (times(20, 200), 0);
    while hit < kills {
        for file in ["evaluation.json", "evaluation.csv"] {
            fs::remove_file(site.path().join("run").join(file)).ok();
        }
        hit += usize::from(killed(&site, score, random.below(40_000)));
        for (found, expected) in read().into_iter().zip(&expected) {
            // What is there is whole.
            assert!(found.is_err() || found.unwrap() == *expected);
        }
    }
    site.run(score).succeeds();
    assert!(read().map(Result::unwrap) == expected);
    println!("{hit} kills of running scorings");
}
