//! Score models on images of all shapes, and compare two of them image by image.

use std::fs;

use serde_json::Value;

use crate::support::{Folder, Run, TINY, npy};

const SCORES: &str = "--k 70 --images 40";

/// Two runs: `a` is an IWAE, `b` a VAE.
fn two_runs() -> Folder {
    let folder = Folder::new();
    folder.train("a", "--estimator iwae --k 8").succeeds();
    folder.train("b", "--estimator vae --m 4").succeeds();
    folder
}

#[test]
fn what_was_not_scored_alike_is_not_compared() {
    let folder = two_runs();
    let compare = |flags: &str| folder.run(&format!("compare a b {flags}"));
    compare("").fails(1, &["a was not scored", "`tightbound eval a`"]);
    compare("--data mnist --part train")
        .fails(1, &["`tightbound eval a --data mnist --part train`"]);
    folder.run("compare a nowhere").fails(1, &["a was not scored"]);
    let eval = |line: &str| drop(folder.run(&format!("eval {line}")).succeeds());
    eval(&format!("a {SCORES}"));
    folder.run("compare a nowhere").fails(1, &["nowhere is no run folder"]);
    compare("").fails(1, &["b was not scored", "`tightbound eval b`"]);
    for (flags, words) in [
        ("--k 80 --images 40", "K = 70 and K = 80"),
        ("--k 70 --images 50", "40 and 50 images"),
        ("--k 70 --images 40 --seed 3", "seed: 3"),
        ("--k 70 --images 40 --test-pixels redraw", "Redraw(1)"),
    ] {
        eval(&format!("b {flags}"));
        compare("").fails(1, &["scored on different things", words, "score them alike"]);
    }
    eval(&format!("b {SCORES}"));
    compare("").succeeds();

    let lines = folder.path().join("b/evaluation.csv");
    let whole = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, whole.replacen("-1", "-2", 1)).unwrap();
    compare("").fails(1, &["b/evaluation.csv was changed", "`tightbound eval b`"]);
    fs::write(&lines, whole).unwrap();
    compare("").succeeds();

    for run in ["a", "b"] {
        eval(&format!("{run} --k 70 --images 1"));
    }
    compare("").fails(1, &["scored on one image, and an interval needs two"]);

    // Scores of weights that are gone are no scores of this model.
    folder.run("train --resume --out b --epochs 3").succeeds();
    compare("").fails(1, &["of other weights than b has now", "epoch 2", "`tightbound eval b`"]);
}

#[test]
fn two_models_are_compared_image_by_image() {
    let folder = two_runs();
    let scores = ["a", "b"].map(|run| folder.run(&format!("eval {run} {SCORES} --json")).json());
    let there = folder.run("compare a b --json").json();
    let back = folder.run("compare b a --json").json();
    assert_eq!(
        (&there["first"], &there["other"], &there["images"]),
        (&"a".into(), &"b".into(), &40.into())
    );
    let number = |value: &Value| value.as_f64().unwrap();
    let differences = |json: &Value| json["differences"].as_array().unwrap().clone();
    let names: Vec<Value> = differences(&there).iter().map(|d| d["score"].clone()).collect();
    assert_eq!(names, ["log p̂", "jackknife", "IWAE-64", "L_1", "SSIM"]);
    for (there, back) in differences(&there).iter().zip(&differences(&back)) {
        assert_eq!((&there["first"], &there["other"]), (&back["other"], &back["first"]));
        let [to, from] = [there, back].map(|d| &d["difference"]);
        assert_eq!(number(&to["value"]), -number(&from["value"]));
        assert_eq!(number(&to["low"]), -number(&from["high"]));
        assert!(number(&to["low"]) < number(&to["high"]));
        // A mean of 40 differences against the difference of means of size 200, in f64.
        let means = number(&there["first"]) - number(&there["other"]);
        assert!((number(&to["value"]) - means).abs() < 1e-11, "{there}");
        let higher = number(&there["higher"]) + number(&back["higher"]);
        assert!(higher <= 1.0 && higher > 0.9, "{there}: few images are equal");
    }
    for (place, key) in [(0, "log_p_hat"), (1, "jackknife"), (2, "iwae_64")] {
        let difference = &there["differences"][place];
        assert_eq!(difference["first"], scores[0][key]["value"], "{key}");
        assert_eq!(difference["other"], scores[1][key]["value"], "{key}");
    }
    let ssim = &scores[0]["ssim"][0];
    assert_eq!((&ssim["code"], &ssim["border"]), (&"sample".into(), &"zero-padded".into()));
    assert_eq!(there["differences"][4]["first"], ssim["mean"]);

    let table = folder.run("compare a b").succeeds();
    for words in [
        "first − other",
        "higher on",
        "over 40 images",
        "first  glyphs",
        "iwae M=1 K=8",
        "vae M=4 K=1",
    ] {
        assert!(table.contains(words), "no `{words}` in {table}");
    }
    let same = folder.run("compare a a --json").json();
    assert_eq!(same["differences"][0]["difference"]["value"], 0.0);
    assert_eq!(same["differences"][0]["higher"], 0.0);
}

/// A line for each image, wherever it is asked for.
#[test]
fn single_images_are_written() {
    let folder = Folder::new();
    folder.train("run", "--k 8").succeeds();
    let json = folder.run(&format!("eval run {SCORES} --per-image own.csv --json")).json();
    let own = fs::read_to_string(folder.path().join("own.csv")).unwrap();
    assert_eq!(own, fs::read_to_string(folder.path().join("run/evaluation.csv")).unwrap());
    let mut lines = own.lines();
    let heading = lines.next().unwrap();
    assert!(heading.starts_with("id,label,elbo,iwae_64,log_p_hat,"), "{heading}");
    let column: Vec<f64> =
        lines.map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
    assert_eq!(column.len(), 40);
    let mean = column.iter().sum::<f64>() / 40.0;
    assert_eq!(json["log_p_hat"]["value"].as_f64(), Some(mean));

    // A model without a run folder leaves nothing but what was asked for.
    fs::copy(folder.path().join("run/model.safetensors"), folder.path().join("m.safetensors"))
        .unwrap();
    let alone = folder.run(&format!("eval m.safetensors {SCORES} --per-image alone.csv --json"));
    assert_eq!(alone.json()["log_p_hat"], json["log_p_hat"]);
    assert_eq!(own, fs::read_to_string(folder.path().join("alone.csv")).unwrap());
    assert!(!folder.path().join("evaluation.json").exists());
}

/// Trains on 72 own images of this shape, and keeps eight.
fn trained_on(shape: &[usize]) -> Folder {
    let folder = Folder::new();
    let shape: Vec<usize> = [80].iter().chain(shape).copied().collect();
    fs::write(folder.path().join("own.npy"), npy(&shape)).unwrap();
    folder.run(&format!("train --data own.npy {TINY} --k 3 --epochs 1 --out run")).succeeds();
    folder
}

/// Rows of 143 numbers are images, but of what shape?
#[test]
fn images_of_unknown_shape_are_scored_without_ssim() {
    let folder = trained_on(&[143]);
    let run = folder.run("eval run --k 5");
    assert!(run.stderr.contains("no SSIM"), "{}", run.stderr);
    let text = run.succeeds();
    assert!(text.contains("log p̂") && !text.contains("SSIM"), "{text}");
    let json = folder.run("eval run --k 5 --json").json();
    assert_eq!(json["ssim"], Value::Array(Vec::new()));
    assert!(json["log_p_hat"]["value"].as_f64().unwrap() < 0.0);
    let lines = fs::read_to_string(folder.path().join("run/evaluation.csv")).unwrap();
    assert_eq!(lines.lines().count(), 9);
    assert!(lines.lines().skip(1).all(|line| line.ends_with(',')), "{lines}");
    let compared = folder.run("compare run run --json").json();
    let names = compared["differences"].as_array().unwrap().iter().map(|d| &d["score"]);
    // Five samples have no L_64.
    assert!(names.eq(["log p̂", "jackknife", "L_1"].iter()), "{compared}");
    folder.run("report run").succeeds();
}

#[test]
fn images_need_not_be_square() {
    let folder = trained_on(&[11, 13]);
    let run = Run::of(&mut folder.tightbound("eval run --k 5 --json"));
    assert!(!run.stderr.contains("no SSIM"), "{}", run.stderr);
    let json = run.json();
    let modes: Vec<_> =
        json["ssim"].as_array().unwrap().iter().map(|s| (&s["code"], &s["border"])).collect();
    let [sample, mean, padded, valid] = ["sample", "mean", "zero-padded", "valid"].map(Value::from);
    assert_eq!(modes, [(&sample, &padded), (&sample, &valid), (&mean, &padded), (&mean, &valid)]);
    for score in json["ssim"].as_array().unwrap() {
        let value = score["mean"].as_f64().unwrap();
        assert!((-1.0..1.0).contains(&value) && value != 0.0, "{json}");
    }
    folder.run("report run").succeeds();
}
