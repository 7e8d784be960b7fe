//! Measure gradients of a tiny model, and let evidence choose its β.

use std::fs;

use serde_json::Value;

use crate::support::Folder;

const SMALL: &str = "--m 1,2 --k 1,3 --draws 20 --images 5";

#[test]
fn signal_and_noise_of_a_model_are_told() {
    let folder = Folder::new();
    folder.train("run", "--estimator piwae --m 2 --k 4").succeeds();
    let text = folder.run(&format!("snr run {SMALL} --layers")).succeeds();
    for words in [
        "trained as piwae M=2 K=4, 2 epochs",
        "20 draws on 5 of 60 train images of glyphs",
        "Encoder, φ",
        "encoder.0.weight",
        "all estimators with M·K = 8",
        "piwae-dreg (2, 4)",
        "ciwae, encoder's ratio:",
        "Findings",
        "From miwae (1, 1) to miwae (1, 3)",
        "Of the unbiased rules at this budget",
    ] {
        assert!(text.contains(words), "no `{words}` in: {text}");
    }
    // PIWAE's decoder follows IWAE's bound: there is nothing to find.
    let found = |from: &str, word: &str| text.lines().any(|l| l.contains(from) && l.contains(word));
    assert!(found("From iwae (1, 8) to piwae (2, 4)", "encoder"), "{text}");
    assert!(!found("From iwae (1, 8) to piwae (2, 4)", "decoder"), "{text}");
    let json = folder.run(&format!("snr run {SMALL} --budget 6 --gradient dreg --json")).json();
    let [grid, what_if] = ["grid", "what_if"].map(|key| json[key].as_array().unwrap());
    assert_eq!(grid.len(), 4);
    let samples = |row: &Value| {
        let estimator = &row["estimator"];
        estimator["m"].as_u64().unwrap() * estimator["k"].as_u64().unwrap()
    };
    assert!(what_if.len() > 20 && what_if.iter().all(|row| samples(row) == 6));
    let (limit, mut unresolved) = (f64::sqrt(12.0 / 20.0), 0);
    let scopes = || grid.iter().flat_map(|row| row["scopes"].as_array().unwrap());
    for scope in scopes() {
        let [value, low, high, below] =
            ["value", "low", "high", "below"].map(|k| scope["ratio"][k].as_f64());
        let value = value.unwrap();
        match below {
            None => assert!(value >= limit && low < high && high.unwrap().is_finite(), "{scope}"),
            Some(below) => {
                assert!(value >= 0.0 && value < limit && low.or(high).is_none(), "{scope}");
                assert_eq!(below, 2.0 * limit);
                unresolved += 1;
            }
        }
        let [raw, debiased] = ["raw", "debiased"].map(|k| scope[k].as_f64().unwrap());
        assert!(raw > debiased && debiased > 0.0, "{scope}");
    }
    assert!(unresolved > 0 && unresolved < scopes().count(), "both kinds: {unresolved}");
    // With one sample rws-dreg has no gradient; that is no reason to say nothing of the others.
    let one = folder.run(&format!("snr run {SMALL} --budget 1 --json")).json();
    let names: Vec<_> =
        one["unmeasured"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert!(names.len() == 3 && names.iter().all(|n| n.contains("rws-dreg(1, 1)")), "{names:?}");
    // The same seed, the same bits, with any number of threads.
    let alone = folder.run(&format!("snr run {SMALL} --no-what-if --json --threads 1")).json();
    let two = folder.run(&format!("snr run {SMALL} --no-what-if --json --threads 2")).json();
    assert_eq!(alone, two);
    let kept = fs::read_to_string(folder.path().join("run/snr.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), two);
    assert_eq!(alone["what_if"].as_array().unwrap().len(), 0);
}

#[test]
fn what_has_no_signal_to_noise_ratio_is_refused() {
    let folder = Folder::new();
    folder.train("run", "--k 4").succeeds();
    for (flags, words) in [
        ("--draws 1", &["1 gradient draw(s)", "a variance"][..]),
        ("--m 0", &["--m"]),
        ("--k 1,0", &["--k"]),
        ("--m 65536 --k 16777216", &["16,777,216"]),
        ("--k 1 --gradient vimco", &["vimco needs K ≥ 2"]),
        ("--gradient covariance", &["miwae has no gradient rule `covariance`"]),
        ("--no-what-if --budget 8", &["--budget"]),
    ] {
        folder.run(&format!("snr run {flags}")).fails(2, words);
    }
    folder.run("snr nowhere").fails(1, &["nowhere"]);
}

/// The records of one kind in a run's log.
fn records(folder: &Folder, run: &str, kind: &str) -> Vec<Value> {
    let log = fs::read_to_string(folder.path().join(run).join("metrics.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|record| record["kind"] == kind).collect()
}

#[test]
fn watching_signal_and_noise_changes_no_bit() {
    let folder = Folder::new();
    let digest = folder.train("plain", "--k 4").digest();
    assert_eq!(folder.train("watched", "--k 4 --monitor snr").digest(), digest);
    let watched = records(&folder, "watched", "snr");
    assert_eq!(watched.len(), 2);
    for record in watched {
        let ess = record["figures"]["effective_samples"].as_f64().unwrap();
        assert!((1.0..=4.0).contains(&ess), "{record}");
        assert!(record["figures"]["encoder"]["value"].as_f64().unwrap() > 0.0, "{record}");
    }
    assert!(records(&folder, "plain", "snr").is_empty());
}

#[test]
fn beta_is_chosen_by_evidence() {
    let folder = Folder::new();
    let ciwae = "--estimator ciwae --k 4 --beta-objective";
    let trained = folder.train("snr", &format!("{ciwae} snr --beta-target 0.01"));
    assert!(trained.stderr.contains("from epoch 1 on: the encoder's"), "{}", trained.stderr);
    let choices = records(&folder, "snr", "beta");
    assert_eq!(choices.len(), 2);
    assert!(choices.iter().all(|c| c["reached"] == true && c["target"] == 0.01));
    let chosen = records(&folder, "snr", "epoch");
    assert!(chosen.iter().zip(&choices).all(|(epoch, choice)| epoch["beta"] == choice["beta"]));

    folder.train("held", &format!("{ciwae} validation --validation 20")).succeeds();
    let choices = records(&folder, "held", "beta");
    for choice in &choices {
        let evidence = choice["evidence"].as_array().unwrap();
        let best = evidence.iter().max_by(|a, b| {
            let value = |e: &Value| e["value"].as_f64().unwrap();
            value(a).total_cmp(&value(b)).then(value(b).total_cmp(&value(a)))
        });
        assert_eq!(best.unwrap()["beta"], choice["beta"], "{choice}");
    }
    assert_eq!(choices.len(), 2, "before epochs 1 and 2");
    folder.train("none", &format!("{ciwae} validation")).fails(2, &["--validation 1000"]);
    assert!(!folder.path().join("none").exists());
}
