//! Give trainings numbers that are not finite, and rates that make them.

use std::fs;
use std::path::Path;

use tightbound::run::sha256_hex;

use crate::support::{Folder, TINY};

/// Changes the bytes of a model file or checkpoint, and makes its checksum right again.
fn reseal(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut file = fs::read(path).unwrap();
    change(&mut file);
    let key = br#"\"sha256\":\""#;
    let found = file.windows(key.len()).position(|window| window == key).unwrap();
    let digits = found + key.len()..found + key.len() + 64;
    file[digits.clone()].fill(b'0');
    let checksum = sha256_hex(&file);
    file[digits].copy_from_slice(checksum.as_bytes());
    fs::write(path, file).unwrap();
}

#[test]
fn a_rate_that_diverges_ends_with_step_and_tensor_and_a_whole_checkpoint() {
    let folder = Folder::new();
    for (rate, out) in [("1e30", "huge"), ("30", "large"), ("1e38", "largest")] {
        let words = ["error: stopped", " step ", "epoch 1", "in `", "train.rate"];
        let run = folder.train(out, &format!("--k 3 --set train.rate={rate}"));
        let named = ["mu.", "sigma.", "encoder.", "decoder."];
        assert!(
            named.iter().any(|name| run.stderr.contains(&format!("`{name}"))),
            "{}",
            run.stderr
        );
        run.fails(1, &words);
        let verdict = folder.run(&format!("verify {out}")).succeeds();
        assert!(verdict.contains("nothing is damaged"), "{verdict}");
        assert!(verdict.contains("--resume goes on from checkpoint.safetensors"), "{verdict}");
        assert!(!folder.path().join(out).join("model.safetensors").exists());
    }
}

/// Epochs that went well before the rate was raised are kept.
#[test]
fn a_run_that_goes_on_diverging_keeps_the_epochs_before() {
    let folder = Folder::new();
    let digest = folder.train("sound", "--k 3").digest();
    let child = folder.train("child", "--k 3 --from sound --set train.rate=1e30");
    child.fails(1, &["stopped at step"]);
    let verdict = folder.run("verify child").succeeds();
    assert!(verdict.contains("checkpoint.safetensors           whole"), "{verdict}");
    assert!(folder.run("verify sound").succeeds().contains(&digest));
}

/// `skip` leaves steps out, counts them and logs why; what is left is not scored in silence.
#[test]
fn steps_that_are_skipped_are_counted_and_logged() {
    let folder = Folder::new();
    let flags = "--k 3 --set train.rate=1e30 --set train.non_finite=skip";
    let said = folder.train("run", flags).succeeds();
    // 60 images in minibatches of 20: the first of six steps ruins the others.
    assert!(said.contains("skipped 5 steps") && said.contains("no scores: L_1"), "{said}");
    let log = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let skips = log.lines().filter(|line| line.contains(r#""kind":"skip""#));
    assert_eq!(skips.filter(|line| line.contains("the bound of image")).count(), 5, "{log}");
    folder.run("verify run").succeeds();
    folder.run("eval run --k 5").fails(1, &["L_1 of image", "NaN"]);
}

/// Commands that compute with the model in `run`, and write to `y` if anywhere.
const USERS_OF_A_MODEL: [&str; 7] = [
    "eval run --k 5",
    "sample run --out y",
    "reconstruct run --out y",
    "encode run --out y",
    "snr run --k 3 --m 2",
    "ais run",
    "compare run run",
];

/// The checksums of these files are right: only the numbers are not.
#[test]
fn models_with_numbers_that_are_not_finite_are_named() {
    let folder = Folder::new();
    for (number, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let _ = fs::remove_dir_all(folder.path().join("run"));
        folder.train("run", "--k 3").succeeds();
        for name in ["checkpoint.safetensors", "checkpoint.previous.safetensors"] {
            let _ = fs::remove_file(folder.path().join("run").join(name));
        }
        let model = folder.path().join("run/model.safetensors");
        reseal(&model, |file| {
            // The last tensor of a file is that of the last name.
            let end = file.len();
            file[end - 4..].copy_from_slice(&number.to_le_bytes());
        });
        let words = ["tensor `sigma.weight` holds the number", word];
        for command in USERS_OF_A_MODEL {
            folder.run(command).fails(1, &words);
        }
        assert!(!folder.path().join("y").exists());
        let words = ["cannot start from", "sigma.weight", word];
        folder
            .run(&format!("train --data glyphs {TINY} --k 3 --from run --out x"))
            .fails(1, &words);
        assert!(!folder.path().join("x").exists());
    }
}
