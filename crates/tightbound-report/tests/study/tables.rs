//! Hold the tables against the scores: every number in its column, and published ones where they belong.

use tightbound::estimators::Gradient;
use tightbound::model::Architecture;
use tightbound::settings::{BetaObjective, Settings};
use tightbound_report::study::NamedTable;
use tightbound_report::{Cell, Published};

use super::fixture::{Runs, Scored, ciwae, scored, seeded, settings};

/// Images whose scores are all different, with a mean log p̂ of −92.
const LOG_P: [f64; 4] = [-90.0, -91.0, -95.0, -92.0];

fn cell<'a>(named: &'a NamedTable, row: &str, heading: &str) -> &'a Cell {
    let table = &named.table;
    let column = table.columns.iter().position(|column| column.heading == heading);
    let found = table.rows.iter().find(|candidate| candidate.name == row);
    let found = found.unwrap_or_else(|| panic!("no {row} in {table}"));
    &found.cells[column.unwrap_or_else(|| panic!("no {heading} in {table}"))]
}

#[test]
fn every_score_stands_in_its_column() {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    runs.add_scored(&iwae, 1, &LOG_P);
    runs.add_scored(&iwae, 2, &LOG_P.map(|log_p| log_p - 10.0));
    runs.add_scored(&settings("vae", 64, 1), 1, &LOG_P.map(|log_p| log_p - 20.0));
    let report = runs.report();
    assert_eq!(report.tables.len(), 1, "nobody was scored on other data");
    let own = &report.tables[0];
    assert_eq!(own.name, "scores-mnist-reference-model");
    // The curve climbs by 3.5 in seven steps, the last of them from 64 to 100 samples; the k̂ are 0, 0.3,
    // 0.6 and 0.9.
    for (heading, first) in [
        ("IWAE-64", -92.5),
        ("log p̂", -92.0),
        ("−KL", -0.5),
        ("KL(q‖p)", 3.5),
        ("active units", 17.0),
        ("k̂ too high, %", 25.0),
    ] {
        let falls = if ["IWAE-64", "log p̂"].contains(&heading) { 10.0 } else { 0.0 };
        let near = |row: &str, values: &[f64]| {
            let found = &cell(own, row, heading).values;
            assert_eq!(found.len(), values.len(), "{row}, {heading}");
            // Means of four numbers of size 100 in f64.
            let near = found.iter().zip(values).all(|(a, b)| (a - b).abs() < 1e-12);
            assert!(near, "{row}, {heading}: {found:?} {values:?}");
        };
        near("IWAE", &[first, first - falls]);
        near("VAE", &[first - 2.0 * falls]);
    }
    assert_eq!(own.table.columns.len(), 6);
    let (evaluation, _) = scored(&LOG_P).evaluation();
    let minus_kl = evaluation.scores.minus_kl.unwrap().value;
    assert_eq!(cell(own, "IWAE", "−KL").values[0], minus_kl);
}

/// What few samples cannot tell stays empty, and does not shift its neighbours.
#[test]
fn scores_that_do_not_exist_leave_their_cells_empty() {
    let runs = Runs::new();
    runs.add("a", &settings("iwae", 1, 64));
    let mut few = scored(&LOG_P);
    few.k = 8;
    runs.score("a", &few);
    let own = &runs.report().tables[0];
    assert_eq!(cell(own, "IWAE", "IWAE-64").values, [] as [f64; 0]);
    assert_eq!(cell(own, "IWAE", "−KL").values, [] as [f64; 0]);
    assert_eq!(cell(own, "IWAE", "log p̂").values, [-92.0]);
}

/// The published log p̂ beside a run of these settings.
fn beside(settings: &Settings) -> [Option<Published>; 6] {
    let runs = Runs::new();
    runs.add("a", settings);
    let mut scores = scored(&LOG_P);
    scores.epoch = settings.train.epochs;
    scores.on.0 = match &*settings.data.name {
        "omniglot" => "omniglot (derived)",
        "glyphs" => "glyphs",
        _ => "mnist",
    };
    runs.score("a", &scores);
    let cells = runs.report().tables[0].table.rows[0].cells.clone();
    cells.iter().map(|cell| cell.published).collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn published_numbers_stand_beside_the_same_method() {
    let value = |published: Option<Published>| published.map(|published| published.value);
    let iwae = beside(&settings("iwae", 1, 64)).map(value);
    assert_eq!(iwae, [Some(-86.11), Some(-84.52), Some(-1.59), None, None, None]);
    for (settings, log_p) in [
        (settings("vae", 64, 1), -86.21),
        (settings("miwae", 8, 8), -84.97),
        (settings("miwae", 4, 16), -84.56),
        (settings("piwae", 8, 8), -84.46),
        (ciwae(0.5), -85.24),
        (ciwae(0.05), -84.57),
    ] {
        let label = settings.estimator.label();
        assert_eq!(beside(&settings).map(value)[1], Some(log_p), "{label}");
    }
}

#[test]
fn published_numbers_stand_beside_nothing_else() {
    let changed = |change: fn(&mut Settings)| {
        let mut settings = settings("iwae", 1, 64);
        change(&mut settings);
        settings
    };
    let mut learned = ciwae(0.5);
    learned.train.beta_objective = BetaObjective::Maximise;
    for (what, settings) in [
        ("budget", settings("iwae", 1, 32)),
        ("shape", settings("miwae", 16, 4)),
        ("shape and budget", settings("miwae", 4, 8)),
        ("β", ciwae(0.25)),
        ("learned β", learned),
        ("gradient", changed(|s| s.estimator.gradient = Gradient::Dreg)),
        ("latents", changed(|s| s.model.latents = 20)),
        ("data", changed(|s| s.data.name = "glyphs".into())),
    ] {
        assert_eq!(beside(&settings), [None; 6], "{what}");
    }
}

/// Where all runs are as far as the report's logs say something of, that stands beside log p̂, and nothing of
/// the end of longer trainings.
#[test]
fn after_a_stage_the_logs_of_that_stage_stand_beside() {
    let after = |epochs, data: &str, mut settings: Settings| {
        settings.train.epochs = epochs;
        settings.data.name = data.into();
        beside(&settings).map(|published| published.map(|published| published.value))
    };
    for (epochs, data, settings, log_p) in [
        (13, "mnist", settings("iwae", 1, 64), Some(-93.7)),
        (364, "mnist", settings("miwae", 8, 8), Some(-86.5)),
        (40, "omniglot", settings("vae", 64, 1), Some(-123.5)),
        (40, "omniglot", settings("piwae", 8, 8), None),
        (40, "mnist", ciwae(0.5), None),
        (13, "mnist", settings("miwae", 4, 16), None),
    ] {
        let label = format!("{} on {data} after {epochs}", settings.estimator.label());
        assert_eq!(after(epochs, data, settings), [None, log_p, None, None, None, None], "{label}");
    }
    assert_eq!(after(14, "mnist", settings("iwae", 1, 64))[1], Some(-84.52));
    assert_eq!(after(364, "omniglot", settings("iwae", 1, 64))[1], Some(-105.83));

    let runs = Runs::new();
    for (name, epochs) in [("a", 13), ("b", 40)] {
        let mut settings = settings("iwae", 1, 64);
        settings.train.epochs = epochs;
        runs.add(name, &settings);
        runs.score(name, &Scored { epoch: epochs, ..scored(&LOG_P) });
    }
    let table = &runs.report().tables[0].table;
    let ends = table.rows.iter().map(|row| row.cells[1].published.unwrap().value);
    assert_eq!(ends.collect::<Vec<_>>(), [-84.52; 2], "of different stages");
    let notes = |note: &String| note.contains("3280 epochs");
    assert_eq!(table.notes.iter().filter(|note| notes(note)).count(), 1, "{table}");
}

/// The paper has neither Omniglot nor the larger model; the reproduction report does.
#[test]
fn the_reports_numbers_stand_where_the_paper_has_none() {
    let mut omniglot = settings("iwae", 1, 64);
    omniglot.data.name = "omniglot".into();
    let values =
        |settings: &Settings| beside(settings).map(|found| found.map(|number| number.value));
    assert_eq!(values(&omniglot), [None, Some(-105.83), None, None, None, None]);
    let mut larger = settings("miwae", 8, 8);
    let Architecture { encoder, latents, decoder, .. } = Architecture::larger();
    (larger.model.encoder, larger.model.latents, larger.model.decoder) =
        (encoder, latents, decoder);
    let expected = [Some(-83.47), Some(-83.66), Some(0.19), None, None, None];
    assert_eq!(values(&larger), expected);
    (larger.estimator.m, larger.estimator.k) = (4, 16);
    assert_eq!(values(&larger), [None; 6]);
}

/// A run on MNIST, scored on Omniglot too.
fn crossing(part: &'static str) -> Runs {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    for seed in [1, 2] {
        runs.add_scored(&iwae, seed, &LOG_P);
    }
    let mut other = scored(&LOG_P.map(|log_p| log_p - 30.0));
    other.on = ("omniglot (derived)", part);
    other.ssim = Some((0.75, 0.25));
    runs.score("iwae-2", &other);
    runs
}

#[test]
fn scores_on_other_data_have_a_table() {
    let report = crossing("test").report();
    let cross = report.tables.last().unwrap();
    assert_eq!(cross.name, "scores-across-data-sets");
    let headings: Vec<&str> = cross.table.columns.iter().map(|c| &*c.heading).collect();
    assert_eq!(
        headings,
        [
            "log p̂ on mnist",
            "SSIM on mnist",
            "log p̂ on omniglot (derived)",
            "SSIM on omniglot (derived)"
        ]
    );
    let row = "IWAE, mnist, reference model";
    let values = |heading| cell(cross, row, heading).values.clone();
    assert_eq!(values("log p̂ on mnist"), [-92.0, -92.0]);
    assert_eq!(values("SSIM on mnist"), [0.625, 0.625]);
    assert_eq!(values("log p̂ on omniglot (derived)"), [-122.0]);
    let ssim = cell(cross, row, "SSIM on omniglot (derived)");
    // The spread is that of the seed that was scored, which is not the first.
    assert_eq!((&*ssim.values, ssim.spread), (&[0.75][..], Some(0.25)));
    assert_eq!(ssim.published.map(|published| published.value), Some(0.58));
    assert_eq!(cell(cross, row, "SSIM on mnist").published, None);
    // The first table knows nothing of it.
    assert_eq!(cell(&report.tables[0], "IWAE", "log p̂").values, [-92.0, -92.0]);
}

#[test]
fn held_out_images_are_no_other_data() {
    let report = crossing("validation").report();
    assert_eq!(report.tables.len(), 1);
}

#[test]
fn scores_of_other_samples_on_other_data_are_warned_of() {
    let runs = crossing("test");
    let mut other = scored(&LOG_P);
    other.on = ("omniglot (derived)", "test");
    other.k = 70;
    runs.score("iwae-1", &other);
    let report = runs.report();
    let words = "K of log p̂ on omniglot (derived) differs: 100 in iwae-2; 70 in iwae-1";
    assert!(report.warnings.iter().any(|w| w.contains(words)), "{:?}", report.warnings);
}

#[test]
fn what_was_not_scored_has_no_table() {
    let runs = Runs::new();
    runs.add("a", &seeded(&settings("iwae", 1, 64), 5));
    assert_eq!(runs.report().tables, []);
}
