//! Use the page in a browser as a reader does, and compare with what it should show.

use std::collections::BTreeMap;

use serde::Deserialize;
use tightbound_report::page::{Explorer, Nonlinearity};

use crate::browser::{ask, witnessed};
use crate::fixture::{decode, explorer, page_of};
use crate::markup::HOSTILE;

/// Half the distance of 32-bit floats below 1, 2⁻²⁵ = 2.98e-8, by which the page's answer is rounded;
/// before that, sums in double precision are right to 1e-13.
const ROUNDING: f64 = 3e-8;
/// A canvas holds the 256 levels next to the probabilities, which are 32-bit floats: half a level
/// and their rounding.
const LEVEL: f64 = 0.5 + 255.0 * ROUNDING;

/// The browser may keep a pointer's place in 32-bit floats, right to 6.1e-5 pixels below 2048, on a
/// plane of more than 300 pixels that shows six units; all else is exact.
const POINTING: f64 = 6.0 * 6.1e-5 / 300.0;

#[derive(Deserialize)]
struct Heard<Answer> {
    answer: Answer,
    problems: Vec<String>,
}

/// What `probe` returns, after no error and no refused request.
fn heard<Answer: for<'a> Deserialize<'a>>(html: &str, probe: &str) -> Option<Answer> {
    let heard: Heard<Answer> = ask(html, probe)?;
    assert_eq!(heard.problems, [""; 0]);
    Some(heard.answer)
}

#[test]
fn the_page_decodes_as_the_model_does() {
    let models = [
        explorer("reference", &[50, 200, 200, 784], Nonlinearity::Tanh),
        explorer("linear", &[2, 12], Nonlinearity::Tanh),
        explorer("relu", &[3, 17, 6], Nonlinearity::Relu),
        explorer("softplus", &[4, 30, 5, 20], Nonlinearity::Softplus),
    ];
    let points = |model: &Explorer| {
        let wave = |scale: f64| {
            (0..model.latents).map(|unit| scale * (1.0 + unit as f64).sin()).collect::<Vec<_>>()
        };
        [0.0, 1.0, -2.5, 40.0].map(wave)
    };
    let asked: Vec<_> = models.iter().map(points).collect();
    let probe = format!(
        "const asked = {};
        return asked.map((points, model) => points.map((z) => [...tightbound.decode(model, z)]));",
        serde_json::to_string(&asked).unwrap()
    );
    let html = page_of("word", models.to_vec()).to_html();
    let Some(answers) = heard::<Vec<Vec<Vec<f64>>>>(&html, &probe) else { return };
    for ((model, points), answers) in models.iter().zip(&asked).zip(&answers) {
        for (z, answer) in points.iter().zip(answers) {
            let expected = decode(model, z);
            assert_eq!(answer.len(), expected.len());
            let differences = answer.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            let largest = differences.fold(0.0, f64::max);
            assert!(largest < ROUNDING, "{}: {largest:e}", model.name);
        }
    }
}

/// The explorer at one moment: its point, and the ink of its decoded image.
#[derive(Deserialize)]
struct Moment {
    model: usize,
    z: Vec<f64>,
    ink: Vec<f64>,
}

/// Two models of different sizes; 12 units, so that not all have a slider at first.
fn two_models() -> [Explorer; 2] {
    [
        explorer("large", &[12, 9, 20], Nonlinearity::Tanh),
        explorer("small", &[4, 7, 6], Nonlinearity::Tanh),
    ]
}

/// What the reader does, and where the point must then be. The units are listed from the last to the
/// first: the plane begins with 11 across and 10 up, and it reaches three deviations each way.
#[test]
fn every_control_moves_the_point_and_redraws_the_image() {
    let models = two_models();
    let html = page_of("word", models.to_vec()).to_html();
    let Some(moments) = heard::<BTreeMap<String, Moment>>(&html, include_str!("walk.js")) else {
        return;
    };
    let mean = |model: usize, number: usize| -> Vec<f64> {
        models[model].examples[number].mean.iter().map(|&value| f64::from(value)).collect()
    };
    let with = |mut z: Vec<f64>, changes: &[(usize, f64)]| {
        changes.iter().for_each(|&(unit, value)| z[unit] = value);
        z
    };
    let start = || with(mean(0, 0), &[(11, 1.25)]);
    let between = mean(0, 1).iter().zip(mean(0, 2)).map(|(a, b)| 0.75 * a + 0.25 * b).collect();
    let expected: [(&str, usize, Vec<f64>); 12] = [
        ("begun", 0, mean(0, 0)),
        ("slid", 0, start()),
        ("pressed", 0, with(start(), &[(11, 1.5), (10, 0.75)])),
        ("dragged", 0, with(start(), &[(11, -3.0), (10, -1.5)])),
        ("released", 0, with(start(), &[(11, -3.0), (10, -1.5)])),
        ("stepped", 0, with(start(), &[(11, -2.9), (10, -1.0)])),
        ("homed", 0, with(start(), &[(11, 0.0), (10, 0.0)])),
        ("turned", 0, with(start(), &[(11, 0.0), (10, 0.0), (9, 1.5)])),
        ("chosen", 0, mean(0, 3)),
        ("between", 0, between),
        ("reset", 0, vec![0.0; 12]),
        ("linked", 1, vec![0.5, -1.0, 0.25, 0.0]),
    ];
    for (name, model, z) in expected {
        let moment = &moments[name];
        assert_eq!(moment.model, model, "{name}");
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < POINTING;
        assert!(
            moment.z.len() == z.len() && moment.z.iter().zip(&z).all(near),
            "{name}: {:?} is not {z:?}",
            moment.z
        );
    }
    assert_ne!(moments["drawn"].z, moments["between"].z);
    for (name, moment) in &moments {
        let expected = decode(&models[moment.model], &moment.z);
        assert_eq!(moment.ink.len(), expected.len(), "{name}");
        for (ink, p) in moment.ink.iter().zip(expected) {
            assert!((ink - 255.0 * p).abs() < LEVEL, "{name}: {ink} for {p}");
        }
    }
}

#[test]
fn hostile_words_are_shown_and_do_nothing() {
    #[derive(Deserialize)]
    struct Shown {
        seized: bool,
        heading: String,
        title: String,
        label: String,
        option: String,
        command: String,
        file: String,
    }
    let html = page_of(HOSTILE, two_models().to_vec()).to_html();
    let probe = r#"
        await frames_passed(3);
        const text = (where) => document.querySelector(where).textContent;
        return {
          seized: "seized" in window,
          heading: text("h1"),
          title: document.title,
          label: text(".examples button"),
          option: text(".explorer select option"),
          command: text(".commands code"),
          file: document.querySelector(".table a").download,
        };"#;
    let Some(shown) = heard::<Shown>(&html, probe) else { return };
    assert!(!shown.seized);
    assert_eq!(shown.command, format!("{HOSTILE}\n{HOSTILE}\n"));
    for words in [shown.heading, shown.title, shown.label, shown.option, shown.file] {
        assert_eq!(words, HOSTILE);
    }
}

/// The page in a frame of a phone's width, with all its sliders; the words are as long as digests.
#[test]
fn a_phone_scrolls_tables_not_the_page() {
    let html = page_of(&"m".repeat(64), two_models().to_vec()).to_html();
    let escaped = witnessed(&html).replace('&', "&amp;").replace('"', "&quot;");
    let frame = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n</head>\n<body>\n\
        <iframe style=\"width: 360px; height: 800px; border: 0\" srcdoc=\"{escaped}\"></iframe>\n\
        </body>\n</html>"
    );
    let probe = r#"
        const { contentDocument: page, contentWindow: phone } = document.querySelector("iframe");
        await frames_passed(3);
        page.querySelector("[data-part=more]").click();
        await frames_passed(3);
        problems.push(...phone.problems);
        const scrolled = ({ clientWidth, scrollWidth }) => [clientWidth, scrollWidth];
        const boxes = [page.documentElement, page.querySelector(".scroll")];
        return [phone.innerWidth, ...boxes.flatMap(scrolled)];"#;
    let Some(widths) = heard::<[u32; 5]>(&frame, probe) else { return };
    let [phone, page, whole_page, table, whole_table] = widths;
    assert_eq!((phone, page), (360, whole_page));
    assert!(table < whole_table, "a table of {whole_table} pixels scrolls in {table}");
}
