//! Hold the figures against logs and scores: which are drawn, and what stands in them.

use std::collections::BTreeMap;
use std::fs;

use tightbound::run::METRICS;
use tightbound::settings::BetaObjective;
use tightbound_report::study::{Drawing, Figure, Report};
use tightbound_report::{LineChart, estimator_style};

use super::fixture::{Runs, ciwae, scored, seeded, settings};

fn figure<'a>(report: &'a Report, what: &str) -> Option<&'a Figure> {
    let name = format!("{what}-mnist-reference-model");
    report.figures.iter().find(|figure| figure.name == name)
}

fn lines<'a>(report: &'a Report, what: &str) -> &'a LineChart {
    match figure(report, what).map(|figure| &figure.drawing) {
        Some(Drawing::Lines(chart)) => chart,
        other => panic!("{what}: {other:?}"),
    }
}

/// Two seeds of IWAE whose log p̂ is −92 and −96, and one of VAE.
fn runs() -> Runs {
    let runs = Runs::new();
    let iwae = settings("iwae", 1, 64);
    runs.add_scored(&iwae, 1, &[-90.0, -91.0, -95.0]);
    runs.add_scored(&iwae, 3, &[-94.0, -95.0, -99.0]);
    runs.add_scored(&settings("vae", 64, 1), 1, &[-98.0, -97.0, -99.0]);
    runs
}

/// Seeds 1 and 3 lie two apart, so their standard deviation is √2.
#[test]
fn the_band_is_one_standard_deviation_over_seeds() {
    let report = runs().report();
    let chart = lines(&report, "iwae-64");
    assert_eq!(chart.series.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["IWAE", "VAE"]);
    for (epoch, point) in (1..).zip(&chart.series[0].points) {
        let mean = f64::from(epoch) - 2.0 - 95.0 + 64.0;
        assert_eq!((point.x, point.y), (f64::from(epoch), mean));
        // A root and a difference of numbers of size 30 in f64.
        let near = |end: Option<f64>, wanted: f64| (end.unwrap() - wanted).abs() < 1e-13;
        assert!(near(point.low, mean - 2f64.sqrt()) && near(point.high, mean + 2f64.sqrt()));
    }
    assert_eq!(chart.series[0].points.len(), 3);
    let single = &chart.series[1].points[2];
    assert_eq!((single.y, single.low, single.high), (-29.0, None, None));
    let bound = &lines(&report, "bound").series[0].points[1];
    assert_eq!((bound.x, bound.y), (2.0, -100.0));
}

/// Seeds that take one and three minutes per epoch take two on average.
#[test]
fn scores_are_drawn_against_time_where_the_log_has_all_of_it() {
    let runs = runs();
    let drawn = || {
        let report = runs.report();
        let drawn = lines(&report, "iwae-64-time").series.iter().map(|series| {
            let points = series.points.iter().map(|p| (p.x, p.y));
            (series.name.clone(), points.collect::<Vec<_>>())
        });
        drawn.collect::<BTreeMap<_, _>>()
    };
    let all = drawn();
    assert_eq!(all["IWAE"], [(2.0, -32.0), (4.0, -31.0), (6.0, -30.0)]);
    assert_eq!(all["VAE"], [(1.0, -31.0), (2.0, -30.0), (3.0, -29.0)]);
    // Without its second epoch nobody knows when the second and third score were reached.
    let log = runs.path("vae-1").join(METRICS);
    let text = fs::read_to_string(&log).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with(r#"{"kind":"epoch","epoch":2,"#));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    assert!(kept.len() < text.len());
    fs::write(&log, kept).unwrap();
    assert_eq!(drawn()["VAE"], [(1.0, -31.0)]);
}

/// Means over the two seeds, whose log p̂ are −92 and −96; L_1 lies 3.5 below.
#[test]
fn the_curve_of_scores_has_every_k() {
    let report = runs().report();
    let curve = &lines(&report, "l-k").series[0].points;
    let ks: Vec<f64> = curve.iter().map(|point| point.x).collect();
    assert_eq!(ks, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0]);
    assert_eq!((curve[0].y, curve[6].y, curve[7].y), (-97.5, -94.5, -94.0));
}

#[test]
fn log_p_hat_is_drawn_where_a_training_scored_it() {
    assert!(figure(&runs().report(), "log-p-hat").is_none());
    let runs = runs();
    let mut scores = settings("piwae", 8, 8);
    scores.train.eval_k = 500;
    runs.add("piwae", &scores);
    let report = runs.report();
    let series = &lines(&report, "log-p-hat").series;
    assert_eq!(series.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["PIWAE(8, 8)"]);
    assert_eq!(series[0].points[2].y, 3.0 - 1.0 - 95.0 + 500.0);
    // The other figure keeps to 64 samples.
    let quick = lines(&report, "iwae-64").series.iter().find(|s| s.name == "PIWAE(8, 8)");
    assert_eq!(quick.unwrap().points[2].y, 3.0 - 1.0 - 95.0 + 64.0);
}

#[test]
fn beta_is_drawn_where_it_moves() {
    let runs = runs();
    runs.add("fixed", &ciwae(0.25));
    assert!(figure(&runs.report(), "beta").is_none());
    let mut learned = ciwae(0.5);
    learned.train.beta_objective = BetaObjective::Maximise;
    runs.add("learned", &learned);
    let report = runs.report();
    let series = &lines(&report, "beta").series;
    assert_eq!(series.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["CIWAE β learned (maximise)"]);
    assert_eq!(series[0].points.iter().map(|p| p.y).collect::<Vec<_>>(), [0.5, 0.25, 0.5 / 3.0]);
}

#[test]
fn beta_is_studied_where_two_are_fixed_and_nothing_else_differs() {
    let runs = Runs::new();
    runs.add_scored(&ciwae(0.5), 1, &[-94.0, -96.0]);
    assert!(figure(&runs.report(), "beta-study").is_none());
    let mut learned = ciwae(0.75);
    learned.train.beta_objective = BetaObjective::Maximise;
    runs.add_scored(&learned, 1, &[-70.0, -71.0]);
    // The same β with another rate is no second point of the same line.
    let mut fast = ciwae(0.5);
    fast.train.rate = 0.01;
    runs.add("fast", &fast);
    runs.score("fast", &scored(&[-80.0, -81.0]));
    runs.add("unscored", &ciwae(0.125));
    assert!(figure(&runs.report(), "beta-study").is_none());
    runs.add_scored(&ciwae(0.05), 1, &[-90.0, -91.0]);
    runs.add_scored(&ciwae(0.05), 2, &[-92.0, -91.0]);
    let report = runs.report();
    let series = &lines(&report, "beta-study").series;
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].name, "CIWAE, fixed β, 3 epochs");
    let points: Vec<_> = series[0].points.iter().map(|p| (p.x, p.y, p.low.is_some())).collect();
    assert_eq!(points, [(0.05, -91.0, true), (0.5, -95.0, false)]);
}

/// A copy of a run is another method, but no other β.
#[test]
fn one_beta_twice_is_no_study() {
    let runs = Runs::new();
    for name in ["run", "copy"] {
        runs.add(name, &ciwae(0.5));
        runs.score(name, &scored(&[-94.0, -96.0]));
    }
    assert!(figure(&runs.report(), "beta-study").is_none());
}

#[test]
fn an_estimator_looks_the_same_in_every_figure() {
    let runs = runs();
    runs.add_scored(&settings("miwae", 4, 16), 1, &[-80.0, -81.0]);
    // The first of two alike stands in fewer figures than the second: it logs no log p̂.
    let mut other = settings("miwae", 8, 8);
    other.train.eval_k = 100;
    runs.add_scored(&other, 2, &[-80.0, -82.0]);
    let report = runs.report();
    let mut styles: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for figure in &report.figures {
        if let Drawing::Lines(chart) = &figure.drawing {
            for series in &chart.series {
                styles.entry(&series.name).or_default().push(series.style.unwrap());
            }
        }
    }
    assert_eq!(styles.len(), 4);
    assert_eq!(styles["MIWAE(8, 8)"].len(), 5, "four figures, and that of log p̂");
    for (name, styles) in &styles {
        assert!(styles.iter().all(|style| *style == styles[0]), "{name}: {styles:?}");
    }
    assert_eq!(Some(styles["IWAE"][0]), estimator_style("iwae"));
    assert_ne!(styles["MIWAE(4, 16)"][0], styles["MIWAE(8, 8)"][0]);
}

/// All images of all seeds, and only those.
#[test]
fn weights_are_drawn_image_by_image() {
    let report = runs().report();
    let values = |what: &str| match figure(&report, what).map(|figure| &figure.drawing) {
        Some(Drawing::Boxes(chart)) => chart.rows[0].values.clone(),
        other => panic!("{what}: {other:?}"),
    };
    assert_eq!(values("effective-samples"), [2.0, 3.0, 4.0, 2.0, 3.0, 4.0]);
    assert_eq!(values("pareto-k"), [0.0, 0.2, 0.4, 0.0, 0.2, 0.4]);
}

/// A draw of weights can have an infinite k̂, which has no place on the axis.
#[test]
fn infinite_tails_can_be_drawn() {
    let runs = Runs::new();
    runs.add("a", &seeded(&settings("iwae", 1, 64), 4));
    runs.score("a", &scored(&[-90.0, -91.0, -95.0]));
    let mut subject = runs.read("a");
    subject.images[1].pareto_k = Some(f64::INFINITY);
    let subjects = tightbound_report::study::Subjects {
        runs: vec![subject],
        threads: 1,
        ..Default::default()
    };
    let report = Report::of(&subjects);
    let tails = figure(&report, "pareto-k").unwrap();
    let Drawing::Boxes(chart) = &tails.drawing else { panic!("{tails:?}") };
    let footnote = chart.footnote.as_deref().unwrap();
    assert!(footnote.contains("Not drawn: 1 images whose k̂ is infinite"), "{footnote}");
    assert!(tails.drawing.to_svg().contains("Pareto"));
}

#[test]
fn every_figure_can_be_written() {
    let report = runs().report();
    assert!(report.figures.len() >= 5);
    for Figure { name, drawing, .. } in &report.figures {
        assert!(drawing.to_svg().starts_with("<svg"), "{name}");
        assert!(drawing.to_csv().unwrap().lines().count() > 2, "{name}");
    }
    let png = report.figures[0].drawing.to_png().unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}
