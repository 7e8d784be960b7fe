//! Report real runs: what the page holds, what is warned of, and whether its commands repeat them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Folder, Run, TINY, npy};

/// Two seeds of two estimators, scored on 40 glyphs and on letters of their own; the digest of the first
/// run of IWAE.
fn sweeps() -> (Folder, String) {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("letters")).unwrap();
    for (part, count) in [("train", 2), ("test", 12)] {
        let path = folder.path().join(format!("letters/{part}.npy"));
        fs::write(path, npy(&[count, 28, 28])).unwrap();
    }
    let trained = folder.train("runs/iwae", "--estimator iwae --k 8 --seeds 2 --eval-k 100 --json");
    let digest = trained.json()[0]["digest"].as_str().unwrap().to_owned();
    folder.train("runs/vae", "--estimator vae --m 4 --seeds 2 --eval-k 100").succeeds();
    for run in ["iwae/seed-1", "iwae/seed-2", "vae/seed-1", "vae/seed-2"] {
        folder.run(&format!("eval runs/{run} --k 70 --images 40")).succeeds();
        folder.run(&format!("eval runs/{run} --k 70 --data letters")).succeeds();
    }
    (folder, digest)
}

fn texts(json: &Value) -> Vec<&str> {
    json.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The JSON of the page's only explorer.
fn explorer(page: &str) -> Value {
    let (_, data) = page.split_once("id=\"explorer-data\">").expect("the page has explorers");
    let (data, _) = data.split_once("</script>").unwrap();
    let explorers: Value = serde_json::from_str(data).unwrap();
    assert_eq!(explorers.as_array().unwrap().len(), 1);
    explorers[0].clone()
}

/// A tensor's bytes as `model.safetensors` has them: eight bytes of length, a header, the data.
fn tensor(model: &Path, name: &str) -> Vec<u8> {
    let bytes = fs::read(model).unwrap();
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at(length);
    let header: Value = serde_json::from_slice(header).unwrap();
    let end = |i: usize| header[name]["data_offsets"][i].as_u64().unwrap() as usize;
    data[end(0)..end(1)].to_vec()
}

/// The bytes that stand for `text` in base64 (RFC 4648).
fn from_base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for quantum in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = quantum.iter().fold(0u32, |bits, &c| bits << 6 | u32::from(digit(c)));
        let bits = bits << (6 * (4 - quantum.len()));
        bytes.extend(&bits.to_be_bytes()[1..quantum.len()]);
    }
    bytes
}

/// Asserts that the page explores the decoder of this run, bit for bit.
#[track_caller]
fn explores(folder: &Folder, page: &str, run: &str) {
    let explorer = explorer(page);
    let model = folder.path().join(run).join("model.safetensors");
    let layers = explorer["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 2);
    for (layer, place) in layers.iter().zip([0, 2]) {
        for (key, kind) in [("weights", "weight"), ("biases", "bias")] {
            let packed = from_base64(layer[key].as_str().unwrap());
            assert_eq!(packed, tensor(&model, &format!("decoder.{place}.{kind}")), "{key} {place}");
        }
    }
}

#[test]
fn several_runs_become_one_page() {
    let (folder, digest) = sweeps();
    let log = fs::read_to_string(folder.path().join("runs/vae/seed-2/metrics.jsonl")).unwrap();
    let records = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let scored: Vec<Value> = records.filter(|record| record["kind"] == "evaluation").collect();
    assert!(!scored.is_empty());
    let last =
        |record: &Value| record["scores"]["l_k"].as_array().unwrap().last().unwrap()["k"].clone();
    assert!(scored.iter().all(|record| last(record) == 100), "{log}");
    let again = folder.run("train --resume --seeds 2 --out runs/iwae").succeeds();
    assert!(again.lines().last().unwrap().starts_with("L_100   -"), "{again}");

    // A folder of runs stands for its runs, and every run counts once.
    let line = "report runs/iwae runs/vae/seed-1 ./runs/vae/seed-1 runs/vae -o page.html";
    let json = folder.run(&format!("{line} --files out --json --title Glyphs")).json();
    assert_eq!((&json["runs"], &json["page"]), (&4.into(), &"page.html".into()));
    assert_eq!(texts(&json["warnings"]), [] as [&str; 0]);
    let findings = texts(&json["findings"]).join("\n");
    assert!(
        findings.contains("has the highest log p̂") && findings.contains("VAE(4)"),
        "{findings}"
    );
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.len() < 5_000_000, "{}", page.len());
    for words in ["IWAE(8)", "VAE(4)", "Glyphs", "Scores across data sets", "evaluation seed 0"] {
        assert!(page.contains(words), "no `{words}`");
    }

    let best = match findings.find("IWAE(8) has the highest") {
        Some(_) => "iwae",
        None => "vae",
    };
    explores(&folder, &page, &format!("runs/{best}/seed-1"));
    files_are_written(&folder);
    commands_repeat(&page, &digest);
    models_keep_their_names(&folder, best);
    unfinished_runs_are_warned_of(&folder);
}

fn files_are_written(folder: &Folder) {
    let names: Vec<String> = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for (stem, endings) in [
        ("scores-glyphs", &["md", "tex", "html", "csv"][..]),
        ("scores-across-data-sets", &["md", "tex", "html", "csv"]),
        ("l-k-glyphs", &["svg", "png", "csv"]),
        ("log-p-hat-glyphs", &["svg", "png", "csv"]),
        ("pareto-k-glyphs", &["svg", "png", "csv"]),
        ("samples-glyphs", &["svg", "png"]),
        ("reconstructions-glyphs", &["svg", "png"]),
        ("traversals-glyphs", &["svg", "png"]),
        ("codes-glyphs", &["svg", "png", "csv"]),
    ] {
        for ending in endings {
            let is =
                |name: &&String| name.starts_with(stem) && name.ends_with(&format!(".{ending}"));
            let name = names.iter().find(is);
            let name = name.unwrap_or_else(|| panic!("no {stem} as {ending} in {names:?}"));
            assert!(
                fs::metadata(folder.path().join("out").join(name)).unwrap().len() > 100,
                "{name}"
            );
        }
    }
}

/// The page's first training, as its reader would copy it, ends in the same bits.
fn commands_repeat(page: &str, digest: &str) {
    let line = page.lines().find(|line| line.contains("tightbound train "));
    let (_, command) = line.unwrap().split_once("tightbound train ").unwrap();
    let command = command.replace("&#x2f;", "/").replace("&#x27;", "'");
    assert!(command.ends_with("--out runs/iwae/seed-1"), "{command}");
    let folder = Folder::new();
    let program = env!("CARGO_BIN_EXE_tightbound");
    let repeated =
        folder.process("sh").args(["-c", &format!("{program} train {command}")]).output();
    assert_eq!(Run::from(repeated.unwrap()).digest(), digest);
}

/// Without the weights of the best method another one is explored, under its own name.
fn models_keep_their_names(folder: &Folder, best: &str) {
    let run = folder.path().join("runs").join(best).join("seed-1");
    let aside = folder.path().join("aside");
    fs::create_dir(&aside).unwrap();
    let weights =
        ["checkpoint.safetensors", "checkpoint.previous.safetensors", "model.safetensors"];
    let present: Vec<_> = weights.iter().filter(|name| run.join(name).exists()).collect();
    for name in &present {
        fs::rename(run.join(name), aside.join(name)).unwrap();
    }
    let json = folder.run("report runs/iwae runs/vae -o less.html --json").json();
    let warnings = texts(&json["warnings"]).join("\n");
    assert!(warnings.contains(&format!("No pictures of {best}/seed-1: ")), "{warnings}");
    let page = fs::read_to_string(folder.path().join("less.html")).unwrap();
    let (other, label) = if best == "iwae" { ("vae", "VAE(4), ") } else { ("iwae", "IWAE(8), ") };
    assert!(
        explorer(&page)["name"].as_str().unwrap().starts_with(label),
        "{}",
        explorer(&page)["name"]
    );
    explores(folder, &page, &format!("runs/{other}/seed-1"));
    for name in &present {
        fs::rename(aside.join(name), run.join(name)).unwrap();
    }
}

fn unfinished_runs_are_warned_of(folder: &Folder) {
    // As it stands after an interruption: five epochs are asked for, two are done.
    let path = folder.path().join("runs/iwae/seed-2/run.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("epochs = 2\n", "epochs = 5\n")).unwrap();
    // Scores are of two epochs, the weights of three.
    folder.run("train --resume --out runs/vae/seed-2 --epochs 3").succeeds();
    let run = folder.run("report runs/iwae runs/vae");
    for words in [
        "warning: iwae/seed-2: trained for 2 of 5 epochs.",
        "warning: vae/seed-2: evaluation.json is of epoch 2, and the training has gone on",
        "warning: vae/seed-2: not scored: run `tightbound eval runs/vae/seed-2`.",
        "train.epochs differs: 2 in ",
    ] {
        assert!(run.stderr.contains(words), "no `{words}` in {}", run.stderr);
    }
    let text = run.succeeds();
    assert!(text.contains("report.html: 2 tables, "), "{text}");
}

#[test]
fn what_cannot_be_reported_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("file.txt"), "").unwrap();
    folder.run("report").fails(2, &["<RUN>"]);
    folder.run("report empty").fails(2, &["there are no runs in empty"]);
    folder.run("report nowhere").fails(1, &["nowhere is no run folder"]);
    folder.run("report file.txt").fails(1, &["file.txt is no run folder"]);
    folder.train("run", "").succeeds();
    fs::write(folder.path().join("run/run.toml"), "seed = ").unwrap();
    folder.run("report run").fails(1, &["run.toml", "line 1"]);
    assert!(!folder.path().join("report.html").exists());
}

/// Images that are gone are named; what was logged and scored is shown all the same.
#[test]
fn runs_on_data_that_is_gone_are_reported() {
    let folder = Folder::new();
    fs::write(folder.path().join("own.npy"), npy(&[70, 12, 11])).unwrap();
    folder.run(&format!("train --data own.npy {TINY} --k 3 --epochs 1 --out run")).succeeds();
    folder.run("eval run --k 5").succeeds();
    fs::remove_file(folder.path().join("own.npy")).unwrap();
    let json = folder.run("report run --json").json();
    let warnings = texts(&json["warnings"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("No pictures of models of own.npy"), "{warnings:?}");
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("Scores on own.npy") && !page.contains("id=\"explorer-data\""));
}
