//! Bound log p(x) of a tiny model from both sides.

use serde_json::Value;

use crate::support::Folder;

const SMALL: &str = "--images 6 --chains 3 --steps 40 --leapfrog 2 --k 300";

#[test]
fn log_p_is_bounded_from_both_sides() {
    let folder = Folder::new();
    folder.train("run", "--k 4").succeeds();
    let line = format!("ais run --simulated {SMALL}");
    let text = folder.run(&line).succeeds();
    for words in [
        "L_300",
        "lower",
        "upper",
        "gap",
        "On average over 6 images of its own",
        "nats too low",
        "6 images drawn by the model",
    ] {
        assert!(text.contains(words), "no `{words}` in: {text}");
    }
    let json = folder.run(&format!("{line} --json")).json();
    let number = |key: &str| json[key].as_f64().unwrap_or_else(|| panic!("no {key}: {json}"));
    let images = json["per_image"].as_array().unwrap();
    assert_eq!(images.len(), 6);
    let of = |image: &Value, key: &str| image[key].as_f64().unwrap();
    let mean = |key: &str| images.iter().map(|image| of(image, key)).sum::<f64>() / 6.0;
    for key in ["lower", "upper", "l_k"] {
        // Six numbers of some hundred nats, summed in f64.
        assert!((mean(key) - number(key)).abs() < 1e-9, "{key}: {json}");
        // Six images of 784 pixels, a few epochs into training: far from certain, far from noise.
        assert!((-600.0..-50.0).contains(&number(key)), "{key}: {json}");
    }
    assert!((number("upper") - number("lower") - number("gap")).abs() < 1e-9, "{json}");
    assert!(number("gap") > -3.0 * number("gap_se"), "{json}");
    assert!((0.3..1.0).contains(&number("acceptance")), "{json}");
    assert_eq!(folder.run(&format!("{line} --json --threads 1")).json(), json);
    assert_ne!(folder.run(&format!("{line} --json --seed 1")).json()["lower"], json["lower"]);
}

#[test]
fn test_images_are_bounded_from_below() {
    let folder = Folder::new();
    folder.train("run", "--k 4").succeeds();
    let text = folder.run(&format!("ais run {SMALL}")).succeeds();
    for words in
        ["6 images of 2000 test images of glyphs", "--simulated tells", "lower bounds on log p(x)"]
    {
        assert!(text.contains(words), "no `{words}` in: {text}");
    }
    assert!(!text.contains("upper"), "{text}");
    let json = folder.run(&format!("ais run {SMALL} --json")).json();
    assert!(json["upper"].is_null() && json["gap"].is_null(), "{json}");
    // The scores are those of `eval` on the same images and pixels.
    let scores = folder.run("eval run --images 6 --k 300 --json").json();
    let difference = scores["log_p_hat"]["value"].as_f64().unwrap() - json["l_k"].as_f64().unwrap();
    // Six numbers of some hundred nats, summed in f64.
    assert!(difference.abs() < 1e-9, "{scores} {json}");
}

#[test]
fn what_cannot_be_annealed_is_refused() {
    let folder = Folder::new();
    folder.train("run", "--k 4").succeeds();
    for (flags, words) in [
        ("--images 0", &["--images"][..]),
        ("--chains 0", &["--chains"]),
        ("--steps 0", &["--steps"]),
        ("--leapfrog 0", &["--leapfrog"]),
        ("--k 0", &["--k"]),
        ("--schedule cubic", &["sigmoid", "linear"]),
        ("--simulated --data mnist", &["--simulated", "--data"]),
        ("--simulated --part train", &["--simulated", "--part"]),
    ] {
        folder.run(&format!("ais run {flags}")).fails(2, words);
    }
    folder.run("ais nowhere --simulated").fails(1, &["nowhere"]);
}
