//! Give the program what it must refuse: the exit code, the words, and nothing left behind.

use std::fs;

use crate::support::{Folder, Run, TINY};

/// Mistakes in the arguments: exit code 2, the key and the flag named, no folder made.
#[test]
fn wrong_arguments_are_usage_errors() {
    let folder = Folder::new();
    fs::write(folder.path().join("typo.toml"), "seed = 3\n[train]\nepoch = 3\n").unwrap();
    fs::write(folder.path().join("broken.toml"), "seed = = 3\n").unwrap();
    for (flags, words) in [
        ("--m 0", &["M must be at least 1", "--m 0"][..]),
        ("--k 0", &["K must be at least 1", "--k 0"]),
        ("--estimator vae --k 64", &["--m 64 --k 1"]),
        ("--estimator iwae --m 64", &["--k 64"]),
        ("--estimator ciwae --beta 2", &["β must lie in [0, 1], not 2"]),
        ("--estimator ciwae --beta nan", &["β must lie in [0, 1]"]),
        ("--estimator ciwae --beta many", &["--beta", "`learned`"]),
        ("--estimator iwae --beta learned", &["iwae has no β"]),
        ("--estimator iwea", &["--estimator", "iwae"]),
        ("--estimator ciwae --gradient stl", &["ciwae has no gradient rule `stl`", "plain, dreg"]),
        ("--estimator miwae --k 1 --gradient ovis", &["ovis needs K ≥ 2"]),
        ("--gradient dreg --gamma 0.5", &["iwae-dreg has no γ"]),
        ("--estimator ciwae --beta-target 2", &["(--beta-target) belongs to"]),
        ("--estimator ciwae --beta learned --beta-objective fixed", &["contradict each other"]),
        ("--gradient drag", &["--gradient", "dreg"]),
        ("--estimator tvo --partition 0.5,0.2", &["a partition starts at 0"]),
        ("--estimator vr-iwae --alpha 2", &["α must lie in [0, 1], not 2"]),
        ("--estimator iwae --beta-objective snr", &["iwae has no β"]),
        ("--estimator ciwae --beta-objective snr --beta-target 0", &["(--beta-target)", "above 0"]),
        ("--epochs 0", &["train.epochs (--epochs) must be at least 1"]),
        ("--batch 0", &["train.batch (--batch) must be at least 1"]),
        ("--threads 0", &["--threads"]),
        ("--set train.rate=0", &["train.rate must be a finite number above 0"]),
        ("--set model.encoder=[16,0]", &["model.encoder must be widths of at least 1"]),
        ("--set train.epoch=3", &["--set: there is no setting `train.epoch`", "epochs"]),
        ("--set epochs", &["--set takes key=value"]),
        ("--set train.epochs=", &["train.epochs = \"\"", "a whole number"]),
        ("--config typo.toml", &["typo.toml, line 3, column 1", "`train.epoch`", "epochs"]),
        ("--config broken.toml", &["broken.toml, line 1"]),
        ("--set model.encoder=[1000000000]", &["too many parameters", "smaller widths"]),
        ("--set model.latents=100000000", &["too many parameters"]),
        ("--k 4000000000", &["4000000000", "16,777,216"]),
        ("--protocol papr", &["--protocol", "paper"]),
        ("--prune often", &["--prune", "off, lossless or roulette=τ"]),
        ("--prune roulette=0", &["`roulette=0`", "τ > 0"]),
        ("--set train.prune=roulette=nan", &["train.prune", "`roulette=nan`", "τ > 0"]),
        ("--kernels sse9", &["--kernels", "portable"]),
        ("--no-such-flag", &["--no-such-flag"]),
    ] {
        folder.run(&format!("train --data glyphs {TINY} {flags} --out run")).fails(2, words);
        assert!(!folder.path().join("run").exists(), "{flags}");
    }
}

#[test]
fn flags_that_would_be_ignored_are_refused() {
    let folder = Folder::new();
    folder.train("run", "").succeeds();
    folder.run("eval run --k 2 --draw 2").fails(2, &["--draw", "--test-pixels redraw"]);
    folder.run("demo --set estimator.name=iwae").fails(2, &["estimator.name", "tightbound train"]);
    folder.run("demo --set data.name=mnist").fails(2, &["data.name", "tightbound train"]);
    folder.train("child", "--from run").succeeds();
    let words = ["run began with new weights", "`child`", "leave --from out"];
    folder.run("train --resume --from child --out run").fails(1, &words);
    folder.run("train --resume --from run --out child").succeeds();
}

#[test]
fn nothing_is_scored_that_was_not_held_out() {
    let folder = Folder::new();
    folder.train("run", "").succeeds();
    let words = ["no validation images of glyphs", "--validation N"];
    folder.run("eval run --part validation").fails(1, &words);
    assert!(!folder.path().join("run/evaluation-validation.json").exists());
}

/// Mistakes in the world: exit code 1, the thing named, no folder made.
#[test]
fn missing_things_are_failures() {
    let folder = Folder::new();
    let train = |flags: &str| folder.run(&format!("train --epochs 1 {flags} --out run"));
    train("--data nowhere.npz").fails(1, &["nowhere.npz", "mnist"]);
    train("--data mnist").fails(1, &["train-images", "--data-dir", "$TIGHTBOUND_DATA"]);
    train("--data glyphs --config none.toml").fails(1, &["--config", "none.toml"]);
    train("--data glyphs --validation 10000").fails(1, &["10000", "one must remain"]);
    train("--data glyphs --set data.limit=10001").fails(1, &["data.limit", "10000"]);
    train("--data glyphs --from nothing").fails(1, &["nothing"]);
    assert!(!folder.path().join("run").exists());
    for command in ["eval", "sample", "encode --out c.npz", "reconstruct", "verify"] {
        folder.run(&format!("{command} nowhere")).fails(1, &["nowhere"]);
    }
    folder.run("cite nowhere").fails(2, &["`nowhere` is no run folder", "iwae"]);
    fs::create_dir(folder.path().join("empty")).unwrap();
    folder.run("eval empty").fails(1, &["empty is no run folder"]);
}

/// Writes `bytes` as MNIST's training images and tries to read them.
fn with_training_images(bytes: &[u8]) -> Run {
    let folder = Folder::new();
    fs::write(folder.path().join("train-images-idx3-ubyte"), bytes).unwrap();
    folder.run("data mnist --data-dir .")
}

#[test]
fn damaged_idx_files_are_refused_with_the_byte() {
    let header = |magic: u32| {
        let fields = [magic, 60_000, 28, 28];
        fields.iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<u8>>()
    };
    let name = "train-images-idx3-ubyte";
    with_training_images(&header(0x0801)).fails(1, &[name, "byte"]);
    with_training_images(&header(0x0803)).fails(1, &[name, "byte"]);
    with_training_images(&header(0x0803)[..7]).fails(1, &[name, "byte"]);
    with_training_images(b"").fails(1, &[name]);
}

/// Writes 6 images of 2 × 2 pixels as NumPy does, with `odd` as the last pixel.
fn npy(odd: f32) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 2, 2), }";
    bytes.extend(format!("{header:117}\n").bytes());
    let values = std::iter::repeat_n(0.5f32, 23).chain([odd]);
    bytes.extend(values.flat_map(f32::to_le_bytes));
    bytes
}

#[test]
fn pixels_that_are_no_probabilities_are_refused() {
    let folder = Folder::new();
    let path = folder.path().join("images.npy");
    fs::write(&path, npy(1.0)).unwrap();
    folder.run("data images.npy").succeeds();
    for (odd, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (1.5, "1.5"), (-0.5, "-0.5")] {
        fs::write(&path, npy(odd)).unwrap();
        folder.run("data images.npy").fails(1, &["images.npy", word]);
    }
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let folder = Folder::new();
    let digest = folder.train("run", "").digest();
    folder.train("run", "--seed 2").fails(1, &["run already holds a run", "--resume", "--out"]);
    folder.train("run", "--seed 2 --resume").fails(1, &["seed: was 1, now 2", "--from"]);
    assert_eq!(folder.train("run", "--resume").digest(), digest);
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/thesis.tex"), "").unwrap();
    folder.train("other", "").fails(1, &["other is not empty", "thesis.tex"]);
}

#[test]
fn weights_of_another_architecture_are_refused() {
    let folder = Folder::new();
    folder.train("small", "").succeeds();
    folder
        .train("wide", "--from small --set model.latents=5")
        .fails(1, &["`small` holds the model", "is asked for"]);
    assert!(!folder.path().join("wide").exists());

    folder.train("large", "--set model.latents=5").succeeds();
    for name in ["checkpoint.safetensors", "checkpoint.previous.safetensors"] {
        let from = folder.path().join("large").join(name);
        fs::copy(from, folder.path().join("small").join(name)).unwrap();
    }
    folder.run("train --resume --out small").fails(1, &["no checkpoint of small can be used"]);
    let verdict = folder.run("verify small");
    assert_eq!(verdict.code, Some(1), "{}", verdict.stdout);
    assert!(verdict.stdout.contains("DAMAGED"), "{}", verdict.stdout);
}

/// A limit on the size of files makes a write fail half-way, as a full disk does.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = Folder::new();
    let expected = folder.train("whole", "").digest();
    let program = env!("CARGO_BIN_EXE_tightbound");
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec {program} train --data glyphs {TINY} --epochs 2 --out run"
    );
    let failed = Run::of(folder.process("sh").args(["-c", &script]));
    failed.fails(1, &["cannot write", "checkpoint.safetensors", "make room", "--resume"]);
    let left: Vec<_> = fs::read_dir(folder.path().join("run"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.starts_with("checkpoint")), "{left:?}");
    assert_eq!(folder.train("run", "--resume").digest(), expected);
}

/// Standard output that cannot be written is a failure; a reader that goes away is not.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_may_be_full_or_closed() {
    let folder = Folder::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = Run::of(folder.tightbound("estimators").stdout(full));
    run.fails(1, &["cannot write the result to standard output"]);

    let mut child = folder
        .tightbound("completions bash")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    run.fails(0, &[]);
}

/// A device in the place of a file must stay one; a link must keep its place.
#[cfg(target_os = "linux")]
#[test]
fn results_do_not_replace_devices_or_links() {
    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(folder.process("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    folder.run("data glyphs --montage pipe").succeeds();
    assert!(reader.join().unwrap().starts_with(b"\x89PNG"));
    assert!(!pipe.metadata().unwrap().is_file());

    fs::write(folder.path().join("target.png"), "old").unwrap();
    let link = folder.path().join("link.png");
    std::os::unix::fs::symlink("target.png", &link).unwrap();
    folder.run("data glyphs --montage link.png").succeeds();
    assert!(link.is_symlink());
    assert!(fs::read(folder.path().join("target.png")).unwrap().starts_with(b"\x89PNG"));
}
