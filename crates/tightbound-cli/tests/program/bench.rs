//! Measure tiny models, and look at what is counted.

use crate::support::{Folder, TINY};

#[test]
fn a_step_is_counted_as_its_formula_says() {
    let folder = Folder::new();
    let json = folder
        .run(&format!(
            "bench step --estimator piwae --m 2 --k 3 --batch 5 --prune off --threads 1 \
             --seconds 0.01 --json {TINY}"
        ))
        .json();
    let number = |key: &str| json[key].as_f64().unwrap_or_else(|| panic!("no number {key}"));
    // Decoder 4·12 + 12·784, encoder 784·16 + 2·16·4; B = 5, S = 6.
    let operations = 3.0 * 2.0 * 5.0 * (6.0 * 9456.0 + 12_672.0);
    let seconds = operations / (number("gflops") * 1e9);
    // Rounding of a few f64 operations.
    assert!((seconds * number("steps_per_s") - 1.0).abs() < 1e-12);
    assert!(
        (number("gflops") / number("fma_peak_gflops") - number("fma_peak_fraction")).abs() < 1e-12
    );
    assert_eq!(number("kept_fraction"), 1.0);
    assert_eq!(number("threads"), 1.0);
    assert!(number("mean_steps_per_s") > 0.0 && number("repetitions") >= 1.0);
}

#[test]
fn a_trained_model_is_measured_as_it_is() {
    let folder = Folder::new();
    folder.train("run", "--estimator iwae --k 8").succeeds();
    let json = folder.run("bench step --model run --seconds 0 --json").json();
    assert_eq!(json["epoch"], 2);
    assert_eq!(json["estimator"]["k"], 8);
    assert_eq!(json["prune"], "lossless");
    let flags = "--prune roulette=0.25 --kernels portable --threads 1";
    let json = folder.run(&format!("bench step --model run --seconds 0 --json {flags}")).json();
    assert_eq!((&json["prune"], &json["kernels"]), (&"roulette=0.25".into(), &"portable".into()));
    let json = folder.run("bench score --model run --k 9 --batch 3 --seconds 0 --json").json();
    assert_eq!(json["k"], 9);
    assert!(json["images_per_s"].as_f64().unwrap() > 0.0);
    let text = folder.run("bench score --k 2 --batch 2 --seconds 0").succeeds();
    assert!(text.contains("images/s") && text.contains("of the peak of"), "{text}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let folder = Folder::new();
    folder.train("run", "").succeeds();
    folder.run("bench step --batch 10001 --seconds 0").fails(1, &["--batch 10001", "10000"]);
    folder.run("bench score --batch 10001 --seconds 0").fails(1, &["--batch 10001"]);
    folder
        .run("bench step --model run --set model.latents=3 --seconds 0")
        .fails(1, &["`run` holds the model", "--model"]);
    folder.run("bench step --seconds=-1").fails(2, &["between 0 and 86400"]);
    folder.run("bench step --seconds nan").fails(2, &["between 0 and 86400"]);
}
