//! Measure a toy problem that takes a moment, and read what is printed and written.

use std::fs;

use serde_json::Value;

use crate::support::Folder;

/// A small problem that is measured in a moment.
const SMALL: &str = "toy --dims 3 --points 8 --draws 8";

#[test]
fn ratios_and_slopes_are_printed_and_written() {
    let folder = Folder::new();
    let text = folder.run(&format!("{SMALL} --k 1,10,100 --out toy")).succeeds();
    for word in [
        "K grows at M = 1",
        "iwae-dreg",
        "vr-iwae",
        "θ μ",
        "1…100",
        "N = 8, 8 gradients",
        "no ratio",
    ] {
        assert!(text.contains(word), "no `{word}` in {text}");
    }
    // No sizes from 100 on, no verdict.
    assert!(!text.contains("rate of theory"), "{text}");
    let read = |name: &str| fs::read_to_string(folder.path().join("toy").join(name)).unwrap();
    let ratios = read("snr.csv");
    let columns = |line: &str| line.split(',').count();
    assert!(ratios.lines().all(|line| columns(line) == 13), "{ratios}");
    assert!(ratios.contains("K,iwae-ovis γ=0.5,1,10,φ b,"), "{ratios}");
    let slopes = read("slopes.csv");
    assert!(slopes.lines().all(|line| columns(line) == 9), "{slopes}");
    assert!(slopes.contains("K,ciwae,θ μ,1,100,"), "{slopes}");
    for part in ["b", "a", "mu"] {
        for ratio in ["snr", "dsnr"] {
            let svg = read(&format!("{ratio}-k-{part}.svg"));
            assert!(svg.contains("slope +½") && svg.contains("ciwae"), "{svg}");
            let png = fs::read(folder.path().join(format!("toy/{ratio}-k-{part}.png"))).unwrap();
            assert!(png.starts_with(b"\x89PNG"));
        }
    }
    assert!(!folder.path().join("toy/histogram.csv").exists());
}

#[test]
fn histograms_hold_a_thousand_draws() {
    let folder = Folder::new();
    let line = "--k 2 --estimators iwae-dreg,iwae --histogram --out toy --json";
    let json = folder.run(&format!("{SMALL} {line}")).json();
    let shown = json["histogram"].as_array().unwrap();
    assert_eq!(
        shown.len(),
        3 * 8 - 3,
        "iwae's rules at 1, 10 and 100; vimco and two of ovis need K > 1"
    );
    assert!(shown.iter().all(|e| e["b"].as_array().unwrap().len() == 1000));
    let csv = fs::read_to_string(folder.path().join("toy/histogram.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 1000 * shown.len());
    for name in ["iwae", "iwae-dreg", "iwae-ovis-gamma-0.5"] {
        let svg = folder.path().join(format!("toy/histogram-{name}.svg"));
        assert!(fs::read_to_string(svg).unwrap().contains("K = 100"), "{name}");
    }
}

#[test]
fn a_check_tells_the_shell() {
    let folder = Folder::new();
    let check = |more: &str| folder.run(&format!("toy --dims 3 {more} --json"));
    // One sample per logarithm: √M exactly. The noise of 64 draws moves SNRs near 3 by 5 % and the
    // larger ones by less, so slopes over a decade by about .02.
    let line = "--m 100,1000 --draws 64 --points 64";
    let sound = check(&format!("{line} --check")).json();
    let verdicts = |json: &Value| -> Vec<String> {
        let slopes = json["sweeps"][0]["slopes"].as_array().unwrap().iter();
        slopes.map(|slope| slope["verdict"].as_str().unwrap_or("none").to_owned()).collect()
    };
    assert_eq!(verdicts(&sound), vec!["agrees"; 6]);
    // Two draws at sizes that hardly differ: slopes are noise, or none.
    let wild = "--k 100,101 --points 2 --draws 2 --estimators iwae";
    let tolerated = check(wild).json();
    assert!(verdicts(&tolerated).iter().any(|verdict| verdict != "agrees"), "{tolerated}");
    assert_eq!(check(&format!("{wild} --check")).code, Some(1));
}

#[test]
fn what_cannot_be_measured_is_a_usage_error() {
    let folder = Folder::new();
    for (flags, words) in [
        ("--draws 1", &["1 gradient draw(s)", "2 draws at least"][..]),
        ("--draws 0", &["0 gradient draw(s)"]),
        ("--dims 1", &["dimensions of at least 2, not 1"]),
        ("--points 1", &["points of at least 2, not 1"]),
        ("--k 0", &["K of at least 1, not 0"]),
        ("--k 1000000000", &["K of at most 100000, not 1000000000"]),
        ("--k 10,10", &["K = 10 is given twice"]),
        ("--k 10 --draws 100000 --dims 1000", &["MiB of memory", "fewer draws"]),
        ("--k 10 --estimators iwea", &["no estimator `iwea`", "iwae-dreg"]),
        ("--m 10 --estimators iwae", &["--estimators chooses along K"]),
        ("--k 10 --histogram", &["--out FOLDER or --json"]),
        ("--k 10 --perturbation wide", &["near", "far"]),
        ("--k 1,10,100 --check", &["two sizes of 100 or more"]),
        ("--perturbation far --check", &["--perturbation near"]),
    ] {
        folder.run(&format!("toy {flags}")).fails(2, words);
    }
}
