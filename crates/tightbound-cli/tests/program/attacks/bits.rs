//! Train with every estimator on any number of threads and any instructions, killed or not: one digest.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use tightbound::engine::cpu::KernelPath;
use tightbound::estimators::{EstimatorSettings, examples};
use tightbound::run::RunFolder;

use super::{Remains, assert_went_on_from, counted_lines, is_full};
use crate::support::{Folder, Random, npy, start};

/// Three minibatches to the epoch.
const EPOCHS: usize = 3;

/// Of 137 images 13 are for the test. The samples of a minibatch of 50 are 300 rows, of which one
/// thread makes two waves of up to 256, in groups of up to 128; those of the last one, of 24, are
/// two groups.
fn images() -> Folder {
    let site = Folder::new();
    fs::write(site.path().join("images.npy"), npy(&[137, 6, 6])).unwrap();
    site
}

fn line(threads: usize, path: KernelPath, out: &str) -> String {
    format!(
        "train --data images.npy --config estimator.toml --set model.encoder=[17] \
         --set model.decoder=[9,11] --set model.latents=3 --set train.batch=50 \
         --epochs {EPOCHS} --resume --threads {threads} --kernels {} --out {out}",
        path.name()
    )
}

/// Starts `line` and kills it `microseconds` after its first epoch, again and sooner where that was
/// too late: what is left stands after the first epoch and before the end of the last.
fn kill_in_the_midst(site: &Folder, line: &str, microseconds: u64) {
    let run = site.path().join("run");
    let epoch = || RunFolder::position(&run).map_or(0, |position| position.epoch);
    for attempt in 0..100 {
        let mut process = start(&mut site.tightbound(line));
        while epoch() == 0 && process.try_wait().unwrap().is_none() {
            sleep(Duration::from_micros(50));
        }
        sleep(Duration::from_micros(microseconds.checked_shr(attempt).unwrap_or(0)));
        process.kill().unwrap();
        let status = process.wait().unwrap();
        assert!(status.code().is_none_or(|code| code == 0), "{line}: {status}");
        if (1..EPOCHS).contains(&epoch()) {
            return;
        }
        fs::remove_dir_all(&run).unwrap();
    }
    panic!("no kill comes before the end: {line}");
}

/// Trains in `folder` and gives what is left of it; with `kill`, kills a first attempt.
fn train(site: &Folder, threads: usize, path: KernelPath, kill: Option<u64>) -> Remains {
    let run = site.path().join("run");
    let mut counted = Vec::new();
    if let Some(microseconds) = kill {
        // Other threads and instructions begin than end.
        let other = line(4 - threads % 3, KernelPath::fastest(), "run");
        kill_in_the_midst(site, &other, microseconds);
        counted = counted_lines(&run);
        assert!(!counted.is_empty());
    }
    site.run(&line(threads, path, "run")).succeeds();
    assert_went_on_from(&counted, &run, "a kill");
    let remains = Remains::of(&run);
    fs::remove_dir_all(run).unwrap();
    remains
}

/// In turn, where not all are asked for: every estimator sees every number of threads, and a kill.
#[test]
fn threads_instructions_and_kills_do_not_change_a_bit_of_any_estimator() {
    let site = images();
    let paths = KernelPath::available();
    let mut random = Random(3);
    let (mut trainings, mut kills, estimators) = (0, 0, examples(2, 3));
    for (number, estimator) in estimators.iter().enumerate() {
        #[derive(serde::Serialize)]
        struct Config<'a> {
            estimator: &'a EstimatorSettings,
        }
        let text = toml::to_string(&Config { estimator }).unwrap();
        fs::write(site.path().join("estimator.toml"), &text).unwrap();
        let expected = train(&site, 1, KernelPath::fastest(), None);
        for (turn, threads) in [1, 2, 3, 8].into_iter().enumerate() {
            for (place, path) in paths.iter().enumerate() {
                for killed in [false, true] {
                    let kill = killed.then(|| random.below(4_000));
                    let is_chosen =
                        (number + turn + usize::from(killed)) % (2 * paths.len()) == place;
                    if is_full() || is_chosen {
                        let found = train(&site, threads, *path, kill);
                        let path = path.name();
                        found.assert_is(
                            &expected,
                            &format!("{threads} threads, {path}, {kill:?}, {text}"),
                        );
                        trainings += 1;
                        kills += usize::from(killed);
                    }
                }
            }
        }
    }
    assert!(trainings > estimators.len() && kills > estimators.len());
    let paths: Vec<&str> = paths.iter().map(|path| path.name()).collect();
    println!(
        "{trainings} trainings, {kills} of them killed midway, {} estimators and rules, {}",
        estimators.len(),
        paths.join(", ")
    );
}
