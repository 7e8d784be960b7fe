//! Look at the page that a report makes: words stay words, and commands can be copied.

use std::collections::BTreeMap;

use tightbound::data::{Images, Pixels};
use tightbound::evaluate::TestPixels;
use tightbound::run::Origin;
use tightbound_report::study::{Report, Subjects};

use super::fixture::{Runs, scored, settings};

/// Runs whose labels have to fall back on their folders' names.
#[test]
fn names_stay_words() {
    let runs = Runs::new();
    for name in ["<script>a", "<script>b&"] {
        runs.add(name, &settings("iwae", 1, 64));
        runs.score(name, &scored(&[-90.0, -91.0, -95.0]));
    }
    let report = runs.report();
    assert_eq!(report.tables[0].table.rows[1].name, "IWAE, <script>b&");
    let html = report.page("<script>title").to_html();
    assert!(!html.contains("<script>a") && !html.contains("<script>b"));
    assert!(!html.contains("<script>title") && html.contains("&lt;script&gt;title"));
    assert!(html.contains("IWAE, &lt;script&gt;b&amp;"), "the table names it");
    for figure in &report.figures {
        let svg = figure.drawing.to_svg();
        assert!(!svg.contains("<script>"), "{}", figure.name);
    }
    assert!(!report.tables[0].table.to_html().contains("<script>"));
}

#[test]
fn the_page_has_every_part() {
    let runs = Runs::new();
    let run = runs.add_scored(&settings("iwae", 1, 64), 1, &[-90.0, -91.0, -95.0]);
    runs.add_part("vae", &settings("vae", 64, 1), 2);
    let report = runs.report();
    // Slashes are escaped too.
    let html = report.page("My title").to_html().replace("&#x2f;", "/");
    for words in [
        "My title",
        "vae: trained for 2 of 3 epochs.",
        "Scores on mnist, reference model",
        "scored with K=100",
        &format!("--out runs/{run}"),
        "scores-mnist-reference-model.tex",
        "iwae-64-mnist-reference-model.csv",
    ] {
        assert!(html.contains(words), "no `{words}`");
    }
}

#[test]
fn commands_repeat_what_was_done() {
    let runs = Runs::new();
    let mut own = settings("iwae", 1, 64);
    own.data.name = "my images/a.npy".into();
    runs.add("a run", &own);
    let origin = Origin { run: "my runs/it's".into(), epoch: 2, digest: "0".into() };
    runs.describe("a run", &own, Some(origin));
    let mut scores = scored(&[-90.0, -91.0]);
    scores.on = ("my letters.npy (last tenth as test)", "validation");
    scores.seed = 7;
    runs.score("a run", &scores);
    let report = runs.report();
    let train = &report.commands[0];
    assert!(train.starts_with("tightbound train "), "{train}");
    for words in [
        " --data 'my images/a.npy' ",
        " --epochs 3 ",
        r" --from 'my runs/it'\''s' ",
        " --out 'runs/a run'",
    ] {
        assert!(train.contains(words), "no `{words}` in {train}");
    }
    let eval = "tightbound eval 'runs/a run' --k 100 --data 'my letters.npy' --part validation \
                --images 2 --seed 7";
    assert_eq!(report.commands[1], eval);
}

/// A score of redrawn pixels is not repeated by frozen ones.
#[test]
fn redrawn_pixels_are_asked_for_again() {
    let runs = Runs::new();
    let run = runs.add_scored(&settings("iwae", 1, 64), 1, &[-90.0; 100]);
    let mut subject = runs.read(&run);
    subject.evaluations[0].options.test_pixels = TestPixels::Redraw(3);
    let subjects = Subjects { runs: vec![subject], threads: 1, ..Subjects::default() };
    let expected = format!("tightbound eval runs/{run} --k 100 --test-pixels redraw --draw 3");
    assert_eq!(Report::of(&subjects).commands[1], expected);
}

/// A file may have changed since the training.
#[test]
fn images_of_another_size_are_not_shown_to_the_models() {
    let runs = Runs::new();
    let run = runs.add_scored(&settings("iwae", 1, 64), 1, &[-90.0, -91.0]);
    let images = Images::new(2, 3, Pixels::Bytes(vec![0; 12]), None);
    let images = BTreeMap::from([("mnist".to_owned(), images)]);
    let report = Report::of(&Subjects {
        runs: vec![runs.read(&run)],
        images,
        threads: 1,
        ..Subjects::default()
    });
    let words = "the images found have 6 pixels, and the models take 784";
    assert!(report.warnings.iter().any(|w| w.contains(words)), "{:?}", report.warnings);
    assert!(report.pictures.is_empty());
}
