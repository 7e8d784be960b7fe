//! Read run folders that are unfinished, damaged or outdated: what is left out is named.

use std::fs;

use tightbound::diagnose::live::{Scope, ScopeSnr, SnrReport};
use tightbound::estimators::EstimatorSettings;
use tightbound::run::RunError;
use tightbound::statistics::{Interval, Ratio};
use tightbound_report::study::{Run, is_run};

use super::fixture::{Runs, scored, seeded, settings};

/// A run of three epochs that is called `run`.
fn one() -> Runs {
    let runs = Runs::new();
    runs.add("run", &settings("iwae", 1, 64));
    runs
}

/// A run as above with scores of three images.
fn one_scored() -> Runs {
    let runs = one();
    runs.score("run", &scored(&[-90.0, -91.0, -95.0]));
    runs
}

#[test]
fn a_whole_run_has_no_problems() {
    let runs = one_scored();
    let run = runs.read("run");
    assert_eq!(run.problems, [] as [&str; 0]);
    assert_eq!((run.epochs.len(), run.scored.len(), run.images.len()), (3, 3, 3));
    assert_eq!((run.epoch(), run.name()), (3, "run".to_owned()));
    assert_eq!(run.images[2].log_p_hat, -95.0);
}

#[test]
fn what_is_no_run_is_refused() {
    let runs = one();
    assert!(is_run(&runs.path("run")) && !is_run(&runs.path("other")));
    let refused = Run::read(&runs.path("other"));
    assert!(matches!(&refused, Err(RunError::NotARun(path)) if path.ends_with("other")));
}

#[test]
fn missing_epochs_and_scores_are_noted() {
    let runs = Runs::new();
    runs.add_part("run", &settings("iwae", 1, 64), 1);
    let problems = runs.read("run").problems;
    assert_eq!(problems[0], "trained for 1 of 3 epochs");
    let advice = format!("not scored: run `tightbound eval {}`", runs.path("run").display());
    assert_eq!(problems[1..], [advice]);
}

#[test]
fn a_line_that_cannot_be_read_is_left_out_by_its_number() {
    let runs = one_scored();
    let path = runs.path("run").join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    // The third line is the bound of epoch 2.
    let damage = |lines: &[usize]| {
        let damaged = text.lines().enumerate().map(|(index, line)| {
            if lines.contains(&(index + 1)) { "{\n".to_owned() } else { format!("{line}\n") }
        });
        fs::write(&path, damaged.collect::<String>()).unwrap();
        runs.read("run")
    };
    let run = damage(&[3]);
    assert_eq!(run.problems, ["1 line of metrics.jsonl cannot be read and is left out: 3"]);
    assert_eq!(run.epochs.iter().map(|record| record.epoch).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(run.scored.len(), 3);
    let run = damage(&[3, 4]);
    assert_eq!(run.problems, ["2 lines of metrics.jsonl cannot be read and are left out: 3, 4"]);
}

#[test]
fn scores_of_another_epoch_are_left_out() {
    let runs = one();
    let mut old = scored(&[-90.0, -91.0, -95.0]);
    old.epoch = 2;
    runs.score("run", &old);
    let run = runs.read("run");
    assert!(run.evaluations.is_empty() && run.images.is_empty());
    let problem = &run.problems[0];
    assert!(problem.starts_with("evaluation.json is of epoch 2"), "{problem}");
    assert!(problem.ends_with("score it again"), "{problem}");
}

/// Images' lines count only with the scores that they were averaged to.
#[test]
fn lines_of_other_scores_are_left_out() {
    let runs = one_scored();
    let (_, other) = scored(&[-90.0, -91.0, -96.0]).evaluation();
    let path = runs.path("run").join("evaluation.csv");
    fs::write(&path, other).unwrap();
    let run = runs.read("run");
    assert_eq!(run.problems, ["evaluation.csv is left out: it does not belong to the scores"]);
    assert!(run.images.is_empty());
    assert_eq!(run.evaluations.len(), 1, "the scores themselves are whole");
    fs::remove_file(path).unwrap();
    let problem = &runs.read("run").problems[0];
    assert!(problem.starts_with("evaluation.csv is left out: "), "{problem}");
}

#[test]
fn damaged_scores_are_noted() {
    let runs = one_scored();
    let path = runs.path("run").join("evaluation.json");
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [&text[..text.len() / 2], &text.replace("\"k\":100", "\"k\":\"many\""), ""] {
        fs::write(&path, damaged).unwrap();
        let run = runs.read("run");
        assert!(run.evaluations.is_empty());
        let problem = &run.problems[0];
        assert!(problem.starts_with("evaluation.json cannot be read ("), "{problem}");
        assert!(run.problems[1].starts_with("not scored"), "{:?}", run.problems);
    }
}

/// The same images under another name: the file that names nothing counts, with its own lines.
#[test]
fn scores_of_one_set_of_images_do_not_mix() {
    let runs = one_scored();
    let mut again = scored(&[-80.0, -81.0]);
    again.k = 70;
    // Sorted by name, this one comes first.
    runs.score_as("run", "evaluation---data-mnist", &again);
    let run = runs.read("run");
    assert_eq!(run.own().unwrap().options.k, 100);
    assert_eq!(run.images.len(), 3);
}

/// Ratios of two estimators, as `snr.json` has them.
fn snr_json(epoch: usize, digest: &str) -> String {
    let ratio =
        |value: f64| Ratio::Resolved(Interval { value, low: 0.5 * value, high: 2.0 * value });
    let scope = |name: &str, value| ScopeSnr {
        scope: Scope { name: name.into(), whole: true, is_phi: name == "encoder", parameters: 9 },
        raw: 9.0,
        floor: 0.1,
        debiased: 8.0,
        ratio: ratio(value),
        directional: None,
    };
    let report = |k: usize| SnrReport {
        estimator: EstimatorSettings::new("miwae", 2, k),
        draws: 20,
        images: 5,
        effective_samples: 1.5,
        scopes: vec![scope("encoder", 3.0 / k as f64), scope("decoder", 2.0 + k as f64)],
    };
    serde_json::json!({ "epoch": epoch, "digest": digest, "grid": [report(1), report(8)] })
        .to_string()
}

#[test]
fn ratios_of_other_weights_are_left_out() {
    let runs = one_scored();
    let path = runs.path("run").join("snr.json");
    fs::write(&path, snr_json(3, "digest")).unwrap();
    let run = runs.read("run");
    assert_eq!((run.snr.len(), run.problems.len()), (2, 0), "{:?}", run.problems);
    let report = runs.report();
    let csv = report.figures.iter().find(|figure| figure.name.starts_with("snr-iwae-mnist"));
    let csv = csv.unwrap().drawing.to_csv().unwrap();
    assert!(csv.contains("\"encoder, M = 2\",8,0.375,0.1875,0.75\n"), "{csv}");
    assert!(csv.contains("\"decoder, M = 2\",1,3,1.5,6\n"), "{csv}");

    for (epoch, digest) in [(3, "other"), (2, "digest")] {
        fs::write(&path, snr_json(epoch, digest)).unwrap();
        let run = runs.read("run");
        assert!(run.snr.is_empty());
        assert_eq!(run.problems, ["snr.json is of another state of the model and is left out"]);
    }
    fs::write(&path, "{}").unwrap();
    let problem = &runs.read("run").problems[0];
    assert!(problem.starts_with("snr.json cannot be read: "), "{problem}");

    // Without scores there is no digest to compare with, but an epoch.
    let runs = one();
    fs::write(runs.path("run").join("snr.json"), snr_json(2, "digest")).unwrap();
    assert!(runs.read("run").snr.is_empty());
}

/// Every sweep has a `seed-1`.
#[test]
fn runs_of_sweeps_are_named_with_their_sweep() {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    for (run, name) in [
        ("fast/seed-1", "fast/seed-1"),
        ("slow/seed-12", "slow/seed-12"),
        ("fast/seed-x", "seed-x"),
        ("fast/seed-", "seed-"),
    ] {
        runs.add(run, &seeded(&iwae, 2));
        assert_eq!(runs.read(run).name(), name);
    }
}
