//! Say where runs that stand side by side were not made alike.

use std::collections::BTreeMap;

use super::comparison::Comparison;
use super::run::Run;

/// Settings that methods are allowed to differ in: they are what is compared, or change no result.
const COMPARED: [&str; 7] = [
    "seed",
    "estimator.",
    "train.update",
    "train.beta",
    "train.monitor",
    "train.eval_",
    "data.name",
];

/// What a reader must know before comparing: problems of single runs, and differences between those of
/// a comparison that are not the methods themselves.
pub fn warnings(comparisons: &[Comparison], runs: &[Run]) -> Vec<String> {
    let mut warnings = Vec::new();
    for run in runs {
        warnings.extend(run.problems.iter().map(|problem| format!("{}: {problem}.", run.name())));
    }
    for comparison in comparisons {
        let runs: Vec<&Run> =
            comparison.methods.iter().flat_map(|m| m.runs.iter().copied()).collect();
        for (key, values) in differences(&runs) {
            let parts = values.iter().map(|(value, names)| format!("{value} in {}", some(names)));
            let parts: Vec<String> = parts.collect();
            warnings.push(format!(
                "{}: {key} differs: {}. Compare with care.",
                comparison.name(),
                parts.join("; ")
            ));
        }
    }
    warnings
}

/// At most three names.
fn some(names: &[String]) -> String {
    match names {
        [first, second, third, _, ..] => {
            format!("{first}, {second}, {third} and {} more", names.len() - 3)
        }
        _ => names.join(", "),
    }
}

/// Every key that has several values, with the runs of each.
fn differences(runs: &[&Run]) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let mut keys: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    let mut note = |key: &str, value: String, run: &Run| {
        keys.entry(key.to_owned()).or_default().entry(value).or_default().push(run.name());
    };
    for run in runs {
        let settings = serde_json::to_value(&run.description.settings).expect("plain settings");
        let mut flat = Vec::new();
        flatten("", &settings, &mut flat);
        for (key, value) in flat {
            if !COMPARED.iter().any(|compared| key.starts_with(compared)) {
                note(&key, value, run);
            }
        }
        note("the number of epochs done", run.epoch().to_string(), run);
        note("the version", run.description.identity.version.clone(), run);
        let from = run.description.identity.from.as_ref();
        note("the start", from.map_or("new weights".into(), ToString::to_string), run);
        if let Some(own) = run.own() {
            note("K of log p̂", own.options.k.to_string(), run);
            note("the evaluation's seed", own.options.seed.to_string(), run);
            note("the number of scored images", own.scores.images.to_string(), run);
            let pixels = format!("{:?}", own.options.test_pixels).to_lowercase();
            note("the rule for test pixels", pixels, run);
            note("the test images' hash", own.on.hash.clone(), run);
        }
    }
    keys.retain(|_, values| values.len() > 1);
    keys
}

/// `section.key` and value of every setting.
fn flatten(prefix: &str, value: &serde_json::Value, flat: &mut Vec<(String, String)>) {
    match value.as_object() {
        Some(object) => {
            for (key, value) in object {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&key, value, flat);
            }
        }
        None => flat.push((prefix.to_owned(), value.to_string())),
    }
}
