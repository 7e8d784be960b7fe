//! Train with every estimator on any number of threads and any instructions, killed or not: one digest.

use std::fs;

use tightbound::engine::cpu::KernelPath;
use tightbound::estimators::{EstimatorSettings, examples};

use super::kills::killed;
use super::{Remains, is_full, site};
use crate::support::{Folder, Random};

/// A training of three epochs of minibatches of 9 images, the last one of 6.
fn line(threads: usize, path: KernelPath, out: &str) -> String {
    format!(
        "train --data images.npy --config estimator.toml --set model.encoder=[17] \
         --set model.decoder=[9,11] --set model.latents=3 --set train.batch=9 --epochs 3 --resume \
         --threads {threads} --kernels {} --out {out}",
        path.name()
    )
}

/// Trains in `folder` and gives what is left of it; with `kill`, kills a first attempt.
fn train(site: &Folder, threads: usize, path: KernelPath, kill: Option<u64>) -> Remains {
    if let Some(microseconds) = kill {
        // Other threads and instructions begin than end.
        let other = line(4 - threads % 3, KernelPath::fastest(), "run");
        killed(site, &other, microseconds);
    }
    site.run(&line(threads, path, "run")).succeeds();
    let remains = Remains::of(&site.path().join("run"));
    fs::remove_dir_all(site.path().join("run")).unwrap();
    remains
}

/// In turn, where not all are asked for: every estimator sees every number of threads, and a kill.
#[test]
fn threads_instructions_and_kills_do_not_change_a_bit_of_any_estimator() {
    let site = site();
    let paths = KernelPath::available();
    let mut random = Random(3);
    let (mut trainings, estimators) = (0, examples(2, 3));
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
                    let kill = killed.then(|| 5_000 + random.below(20_000));
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
                    }
                }
            }
        }
    }
    assert!(trainings > estimators.len());
    let paths: Vec<&str> = paths.iter().map(|path| path.name()).collect();
    println!(
        "{trainings} trainings, {} estimators and rules, {}",
        estimators.len(),
        paths.join(", ")
    );
}
