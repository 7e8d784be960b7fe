//! Put runs together that differ in their seed alone, and name what tells the others apart.

use std::fs;

use tightbound::run::RunDescription;
use tightbound::settings::{Monitor, Protocol, Settings};
use tightbound_report::study::Report;

use super::fixture::{Runs, Scored, ciwae, scored, seeded, settings};

/// The names of the rows of the first table.
fn rows(report: &Report) -> Vec<&str> {
    report.tables[0].table.rows.iter().map(|row| &*row.name).collect()
}

/// The differences that are warned of, without the hint that no images were found.
fn differences(report: &Report) -> Vec<&str> {
    let warnings = report.warnings.iter().map(|warning| &**warning);
    warnings.filter(|warning| warning.contains(" differs: ")).collect()
}

/// Two runs, `a` of seed 1 and `b` of seed 2, changed by `change`.
fn pair(change: impl FnOnce(&mut Settings, &mut Scored)) -> Report {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    runs.add("a", &iwae);
    runs.score("a", &scored(&[-90.0, -91.0, -95.0]));
    let (mut other, mut scores) = (seeded(&iwae, 2), scored(&[-91.0, -92.0, -99.0]));
    change(&mut other, &mut scores);
    scores.epoch = other.train.epochs;
    runs.add("b", &other);
    runs.score("b", &scores);
    runs.report()
}

#[test]
fn seeds_join() {
    let report = pair(|_, _| {});
    assert_eq!(rows(&report), ["IWAE"]);
    assert_eq!(report.tables[0].table.rows[0].cells[1].values, [-92.0, -94.0]);
    assert_eq!(differences(&report), [] as [&str; 0]);
}

#[test]
fn what_differs_in_more_than_its_seed_stands_apart_and_is_named() {
    type Change = fn(&mut Settings, &mut Scored);
    let cases: [(Change, &str, &str); 6] = [
        (|s, _| s.train.epochs = 5, "train.epochs differs: 3 in a; 5 in b", "IWAE, 5 epochs"),
        (|s, _| s.train.rate = 0.01, "train.rate differs: 0.001 in a; 0.01 in b", "IWAE, b"),
        (|s, _| s.data.limit = Some(60), "data.limit differs: 60 in b; not set in a", "IWAE, b"),
        (|_, e| e.k = 70, "K of log p̂ differs: 100 in a; 70 in b", "IWAE, b"),
        (|_, e| e.seed = 9, "the evaluation's seed differs: 0 in a; 9 in b", "IWAE, b"),
        (
            |_, e| *e = scored(&[-90.0, -91.0]),
            "the number of scored images differs: 2 in b; 3 in a",
            "IWAE, b",
        ),
    ];
    for (change, words, label) in cases {
        let report = pair(change);
        let differences = differences(&report);
        assert!(differences.iter().any(|d| d.contains(words)), "no `{words}` in {differences:?}");
        assert_eq!(rows(&report).len(), 2, "{words}");
        assert_eq!(rows(&report)[1], label, "{words}");
    }
}

/// What is watched during a training changes no weight: such seeds are seeds all the same.
#[test]
fn seeds_join_whatever_was_watched() {
    let report = pair(|settings, _| {
        settings.train.eval_k = 500;
        settings.train.eval_every = 2;
        settings.train.monitor = Monitor::Snr;
    });
    assert_eq!(rows(&report), ["IWAE"]);
    assert_eq!(differences(&report), [] as [&str; 0]);
}

/// The protocols differ in how σ is made, yet their models are of one size and stand in one table.
#[test]
fn protocols_stand_in_one_table_with_a_warning() {
    let report = pair(|settings, _| {
        let report = Settings::preset(Protocol::Report);
        settings.protocol = Protocol::Report;
        settings.model = report.model;
        settings.adam = report.adam;
    });
    assert_eq!(report.tables.len(), 1);
    assert_eq!(rows(&report), ["IWAE, protocol paper", "IWAE, protocol report"]);
    let differences = differences(&report);
    for words in ["protocol differs: \"paper\" in a; \"report\" in b", "model.sigma differs"] {
        assert!(differences.iter().any(|d| d.contains(words)), "{differences:?}");
    }
}

#[test]
fn another_size_or_other_data_is_another_table() {
    for change in [
        |settings: &mut Settings| settings.model.latents = 20,
        |settings: &mut Settings| settings.data.name = "glyphs".into(),
    ] {
        let runs = Runs::new();
        let mut other = settings("vae", 64, 1);
        runs.add_scored(&settings("iwae", 1, 64), 1, &[-90.0, -91.0]);
        change(&mut other);
        runs.add("vae", &other);
        let mut scores = scored(&[-80.0, -81.0]);
        if other.data.name == "glyphs" {
            scores.on.0 = "glyphs";
        }
        runs.score("vae", &scores);
        let report = runs.report();
        assert_eq!(report.tables.len(), 2);
        assert_eq!(rows(&report), ["IWAE"]);
        assert_eq!(differences(&report), [] as [&str; 0], "nobody compares them");
    }
}

/// A copy of a run is no further seed: it would make every mean look surer than it is.
#[test]
fn a_seed_counts_once() {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    for (run, seed) in [("a", 1), ("b", 2), ("c", 2)] {
        runs.add(run, &seeded(&iwae, seed));
        runs.score(run, &scored(&[-90.0, -91.0 - seed as f64]));
    }
    let report = runs.report();
    assert_eq!(rows(&report), ["IWAE, a", "IWAE, c"]);
    assert_eq!(report.tables[0].table.rows[0].cells[1].values.len(), 2);
}

/// Files of other images under the same name are other data.
#[test]
fn other_training_data_is_named() {
    let runs = Runs::new();
    for (run, seed) in [("a", 1), ("b", 2)] {
        runs.add_scored(&settings("iwae", 1, 64), seed, &[-90.0, -91.0]);
        fs::rename(runs.path(&format!("iwae-{seed}")), runs.path(run)).unwrap();
        let mut description = RunDescription::read(&runs.path(run)).unwrap();
        description.identity.sources =
            vec![tightbound::data::Source { file: "images.npy".into(), sha256: run.into() }];
        fs::write(runs.path(run).join("run.toml"), description.to_toml().unwrap()).unwrap();
    }
    let report = runs.report();
    assert_eq!(rows(&report), ["IWAE, a", "IWAE, b"]);
    let differences = differences(&report);
    assert!(differences.iter().any(|d| d.contains("the training data differs: hash ")));
}

#[test]
fn methods_are_named_by_what_they_train_on() {
    let runs = Runs::new();
    let mut learned = ciwae(0.5);
    learned.train.beta_objective = tightbound::settings::BetaObjective::Maximise;
    let all = [
        ("a", settings("vae", 64, 1), "VAE"),
        ("b", settings("miwae", 4, 16), "MIWAE(4, 16)"),
        ("c", settings("miwae", 2, 3), "MIWAE(2, 3)"),
        ("d", settings("iwae", 1, 8), "IWAE(8)"),
        ("e", ciwae(0.05), "CIWAE β = 0.05"),
        ("f", learned, "CIWAE β learned (maximise)"),
    ];
    for (run, settings, _) in &all {
        runs.add(run, settings);
        runs.score(run, &scored(&[-90.0, -91.0]));
    }
    let report = runs.report();
    assert_eq!(rows(&report), all.map(|(.., label)| label));
    assert_eq!(differences(&report), [] as [&str; 0], "estimators are what is compared");
}

/// Where a β starts is told only if it started at several.
#[test]
fn starts_of_a_learned_beta_are_told_apart() {
    let runs = Runs::new();
    for (run, start) in [("a", 0.25), ("b", 0.75)] {
        let mut learned = ciwae(start);
        learned.train.beta_objective = tightbound::settings::BetaObjective::Maximise;
        runs.add(run, &learned);
        runs.score(run, &scored(&[-90.0, -91.0]));
    }
    let label = |start| format!("CIWAE β learned (maximise), from {start}");
    assert_eq!(rows(&runs.report()), [label(0.25), label(0.75)]);
}

/// Runs of two sweeps have equal names; their labels still differ.
#[test]
fn equal_names_in_equal_folders_are_told_apart() {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    let mut fast = iwae.clone();
    fast.train.rate = 0.01;
    let paths = [("x/run", &iwae), ("y/run", &fast)];
    for (run, settings) in paths {
        runs.add(run, settings);
        runs.score(run, &scored(&[-90.0, -91.0]));
    }
    let read = paths.map(|(run, _)| runs.read(run)).to_vec();
    let subjects = tightbound_report::study::Subjects { runs: read, ..Default::default() };
    let report = Report::of(&subjects);
    let rows = rows(&report);
    assert!(rows[0].ends_with("x/run") && rows[1].ends_with("y/run"), "{rows:?}");
}
