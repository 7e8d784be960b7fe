//! Look at what the program prints and writes when all goes well.

use std::fs;

use serde_json::Value;
use tightbound::estimators::registry;

use crate::support::{Folder, TINY};

#[test]
fn help_teaches() {
    let folder = Folder::new();
    for command in [
        "demo",
        "train",
        "eval",
        "ais",
        "compare",
        "report",
        "encode",
        "sample",
        "reconstruct",
        "data",
        "estimators",
        "cite",
        "toy",
        "verify",
        "certify",
        "completions",
    ] {
        let help = folder.run(&format!("{command} --help")).succeeds();
        assert!(help.contains("Example"), "{command}: {help}");
        assert!(help.contains(&format!("tightbound {command}")), "{command}: {help}");
    }
    let help = folder.run("--help").succeeds();
    assert!(help.contains("tightbound demo") && help.contains("130"), "{help}");
    let version = folder.run("--version").succeeds();
    assert!(
        version.starts_with(concat!("tightbound ", env!("CARGO_PKG_VERSION"), " (")),
        "{version}"
    );
}

#[test]
fn completions_are_scripts() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.run(&format!("completions {shell}")).succeeds();
        assert!(script.contains("reconstruct") && script.contains("piwae"), "{shell}");
    }
}

#[test]
fn estimators_are_explained_and_cited() {
    let folder = Folder::new();
    let text = folder.run("estimators piwae").succeeds();
    for word in
        ["L_{M,K}", "when", "Rainforth et al. 2018, section “New Estimators”", "tightbound train"]
    {
        assert!(text.contains(word), "{text}");
    }
    let all = folder.run("estimators --json").json();
    let names = all.as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap());
    assert!(names.eq(registry().iter().map(|d| d.name)), "{all}");
    let rules = folder.run("estimators --gradients").succeeds();
    assert!(rules.contains("bounds     vae, iwae, miwae, piwae"), "{rules}");
    assert!(folder.run("cite ciwae").succeeds().contains("@inproceedings{rainforth2018tighter,"));
}

/// The whole life of one run, in JSON.
#[test]
fn a_run_can_be_scored_shown_and_cited() {
    let folder = Folder::new();
    let trained = folder.train("run", "--estimator miwae --m 4 --k 8 --json").json();
    assert_eq!((&trained["epochs"], &trained["steps"]), (&2.into(), &6.into()));
    assert!(trained["scores"]["l_k"].is_array(), "{trained}");

    let line = "eval run --k 100 --images 50 --json";
    let scores = folder.run(line).json();
    for key in ["log_p_hat", "jackknife", "iwae_64", "minus_kl", "kl_q_p"] {
        for part in ["value", "se"] {
            assert!(scores[key][part].is_f64(), "{key}: {scores}");
        }
    }
    let number = |value: &Value| value["value"].as_f64().unwrap();
    let l_k = scores["l_k"].as_array().unwrap();
    let ks: Vec<_> = l_k.iter().map(|point| point["k"].as_u64().unwrap()).collect();
    assert_eq!(ks, [1, 2, 4, 8, 16, 32, 64, 100]);
    for (point, key) in [(6, "iwae_64"), (7, "log_p_hat")] {
        assert_eq!(l_k[point]["value"], scores[key]["value"]);
        assert_eq!(l_k[point]["se"], scores[key]["se"]);
    }
    // The difference per image against the difference of means, in f64.
    let minus_kl = number(&scores["iwae_64"]) - number(&scores["log_p_hat"]);
    assert!((number(&scores["minus_kl"]) - minus_kl).abs() < 1e-9);
    let kl = number(&scores["log_p_hat"]) - number(&l_k[0]);
    assert!((number(&scores["kl_q_p"]) - kl).abs() < 1e-9);
    let effective = scores["effective_samples"]["median"].as_f64().unwrap();
    assert!((1.0..=100.0).contains(&effective), "{scores}");
    assert_eq!(scores["units"]["kl"].as_array().unwrap().len(), 4);
    assert_eq!(scores["ssim"].as_array().unwrap().len(), 4, "two codes, two borders");
    let protocol = scores["protocol"].as_str().unwrap();
    for word in [
        "glyphs (hash ",
        "first 60 training images",
        "dynamic",
        "miwae M=4 K=8",
        "seed 1",
        "protocol paper",
        "50 of 2000 test images",
        "K=100",
        "frozen pixels",
        "evaluation seed 0",
    ] {
        assert!(protocol.contains(word), "no `{word}` in {protocol}");
    }
    let kept = fs::read_to_string(folder.path().join("run/evaluation.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), scores);
    assert_eq!(folder.run(&format!("{line} --threads 3")).json(), scores);
    let redrawn = folder.run("eval run --k 100 --images 50 --test-pixels redraw --json").json();
    assert_ne!(redrawn["log_p_hat"], scores["log_p_hat"]);

    let table = folder.run("eval run --k 70 --images 50").succeeds();
    for word in [
        "L_1 ",
        "L_64",
        "log p̂",
        "jackknife",
        "−KL",
        "KL(q‖p)",
        "±",
        "effective samples",
        "Pareto k̂",
        "of 4 (variance",
        "zero-padded",
        "frozen pixels",
    ] {
        assert!(table.contains(word), "no `{word}` in {table}");
    }

    for (line, file, magic) in [
        ("sample run --count 5 --out s.png --npy s.npy --json", "s.png", &b"\x89PNG"[..]),
        ("sample run --count 5 --out s.png --npy s.npy --json", "s.npy", b"\x93NUMPY"),
        ("reconstruct run --images 5 --out r.png --json", "r.png", b"\x89PNG"),
        ("encode run --part train --out c.npz --json", "c.npz", b"PK"),
        ("data glyphs --montage m.png --json", "m.png", b"\x89PNG"),
    ] {
        folder.run(line).json();
        assert!(fs::read(folder.path().join(file)).unwrap().starts_with(magic), "{file}");
    }
    assert_eq!(folder.run("verify run --json").json()["whole"], true);
    let citations = folder.run("cite run --json").json();
    assert_eq!(citations[0]["key"], "rainforth2018tighter");
}

#[test]
fn a_sweep_over_seeds_trains_what_single_runs_train() {
    let folder = Folder::new();
    let sweep = folder.train("sweep", "--seed 5 --seeds 2 --json").json();
    let digest = |index: usize| sweep[index]["digest"].as_str().unwrap().to_owned();
    assert_ne!(digest(0), digest(1));
    assert_eq!(folder.train("single", "--seed 6").digest(), digest(1));
    assert!(folder.path().join("sweep/seed-2/run.toml").exists());
    let again = folder.run("train --resume --seeds 2 --out sweep").succeeds();
    assert!(again.contains(&digest(1)), "{again}");
    assert!(again.contains("(mean ± sd over 2 seeds)"), "{again}");
}

/// What has not begun yet is trained like what has: on the same images, from the same parent.
#[test]
fn an_interrupted_sweep_goes_on_as_it_began() {
    let folder = Folder::new();
    folder.train("parent", "").succeeds();
    let line = "train --from parent --estimator vae --m 4 --epochs 1 --seed 5";
    let whole = folder.run(&format!("{line} --seeds 2 --out whole --json")).json();
    folder.run(&format!("{line} --seeds 1 --out part")).succeeds();
    let part = folder.run("train --resume --seeds 2 --out part --json").json();
    for index in 0..2 {
        assert_eq!(part[index]["seed"], 5 + index);
        assert_eq!(part[index]["digest"], whole[index]["digest"]);
    }
}

#[test]
fn held_out_images_can_be_scored_by() {
    let folder = Folder::new();
    folder.train("run", "--validation 20").succeeds();
    let log = fs::read_to_string(folder.path().join("run/run.toml")).unwrap();
    assert!(log.contains("validation = 20"), "{log}");
    let scores = folder.run("eval run --part validation --k 3 --json").json();
    let protocol = scores["protocol"].as_str().unwrap();
    for words in ["20 held out for validation", "scored on 20 of 20 validation images of glyphs"] {
        assert!(protocol.contains(words), "no `{words}` in {protocol}");
    }
    let kept = fs::read_to_string(folder.path().join("run/evaluation-validation.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), scores);
    assert!(!folder.path().join("run/evaluation.json").exists());
    for (part, count) in [("train", 40), ("validation", 20), ("test", 2000)] {
        let encoded = folder.run(&format!("encode run --part {part} --out c.npz --json")).json();
        assert_eq!((&encoded["images"], &encoded["part"]), (&count.into(), &part.into()));
    }
}

#[test]
fn fine_tuning_starts_from_the_parent() {
    let folder = Folder::new();
    let parent = folder.train("parent", "").digest();
    folder.run("train --from parent --estimator piwae --epochs 1 --out child").succeeds();
    let description = fs::read_to_string(folder.path().join("child/run.toml")).unwrap();
    assert!(description.contains(&format!("digest = \"{parent}\"")), "{description}");
    assert!(description.contains("latents = 4"), "the model's settings are the parent's");
    assert_ne!(folder.run("train --resume --out child").digest(), parent);
}

#[test]
fn a_learned_beta_is_logged() {
    let folder = Folder::new();
    folder.train("run", "--estimator ciwae --k 8 --beta learned").succeeds();
    let log = fs::read_to_string(folder.path().join("run/metrics.jsonl")).unwrap();
    let betas: Vec<f64> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|record| record["beta"].as_f64())
        .collect();
    assert_eq!(betas.len(), 2);
    assert!(0.5 > betas[0] && betas[0] > betas[1], "maximising drives β down: {betas:?}");
}

#[test]
fn the_demo_compares_three_bounds() {
    let folder = Folder::new();
    let line = format!("demo --epochs 1 {TINY}");
    let demo = folder.run(&format!("{line} --json")).json();
    let models = demo["models"].as_array().unwrap();
    let names: Vec<_> = models.iter().map(|m| m["estimator"].as_str().unwrap()).collect();
    assert_eq!(names, ["vae", "iwae", "piwae"]);
    let table = folder.run(&line).succeeds();
    let last = table.lines().last().unwrap();
    let digest = models[2]["digest"].as_str().unwrap();
    assert!(last.ends_with(&digest[..16]), "the same command reuses its runs: {last}");
}
