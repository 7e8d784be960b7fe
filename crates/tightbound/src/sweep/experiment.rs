//! Read an experiment: settings that all cells share, and axes of those that differ.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use crate::settings::{Assignment, Origin, Place, Resolver, Settings, SettingsError};

/// An experiment as its file describes it.
///
/// ```toml
/// title = "Two bounds, two sizes"
/// seeds = 4                             # of every cell; 1 where nothing is written
///
/// [settings]                            # of all cells, as in a configuration file
/// data.name = "mnist"
/// train.epochs = 40
///
/// [score]                               # after the training
/// k = 5000
/// on = ["mnist", "omniglot"]            # where nothing is written, the data of the training
///
/// [[axis]]                              # every cell takes one value of every axis
/// values = [{ estimator.name = "vae" }, { estimator.name = "iwae" }]
///
/// [[axis]]
/// values = [{}, { model.encoder = [400, 400], model.decoder = [400, 400], model.latents = 20 }]
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// What tables and pages are headed by.
    pub title: String,
    /// How many seeds every cell is run with, from that of its settings on.
    pub seeds: u32,
    /// How the models are scored.
    pub score: Scoring,
    settings: Vec<Assignment>,
    axes: Vec<Vec<Vec<Assignment>>>,
}

/// How the models of a sweep are scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scoring {
    /// K, samples per image behind log p̂.
    pub k: u32,
    /// How many test images, chosen by the evaluation's seed; all of them if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u32>,
    /// The data sets; the data of the training if there are none.
    pub on: Vec<String>,
    /// R, gradients drawn to measure signal and noise of MIWAE(M, K) over a grid; not measured if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snr: Option<u32>,
}

impl Default for Scoring {
    fn default() -> Self {
        Self { k: 5000, images: None, on: Vec::new(), snr: None }
    }
}

/// Experiments that cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A setting that does not exist or has a wrong value, or a file that is not TOML.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A key that experiments do not have.
    #[error("{origin}: there is no `{key}`; {known}")]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What there is.
        known: &'static str,
    },
    /// A value of another type.
    #[error("{origin}: {key} must be {wanted}")]
    WrongType {
        /// Where the key stands.
        origin: Origin,
        /// The key.
        key: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A key that has to be there.
    #[error("{path}: {key} is missing")]
    Missing {
        /// The file.
        path: String,
        /// The key, and what it is for.
        key: &'static str,
    },
    /// No cell has the wanted words in its name.
    #[error("no cell has `{0}` in its name; leave --only out to see all names")]
    NoCells(String),
    /// More cells than anybody could run.
    #[error(
        "{path}: seeds and axes make more than {MOST_CELLS} cells: take fewer seeds or shorten an axis"
    )]
    TooMany {
        /// The file.
        path: String,
    },
    /// Two combinations of values that are the same training.
    #[error("{path}: two cells would be the same training, {cell}: an axis has a value twice")]
    Twice {
        /// The file.
        path: String,
        /// The cell's name.
        cell: String,
    },
}

/// Most cells of an experiment. A short file multiplies: forty axes of two values are 2⁴⁰ cells.
const MOST_CELLS: usize = 100_000;

const KEYS: &str = "an experiment has: title, seeds, [settings], [score], [[axis]]";
const SCORE_KEYS: &str = "[score] has: k, images, on, snr";
const AXIS_KEYS: &str = "[[axis]] has: values";

impl Experiment {
    /// Reads the experiment `text`, which came from `path`.
    ///
    /// # Errors
    /// Name the file, the line and the key. Settings are checked when cells are made of them.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ExperimentError> {
        let place = Place { text, path };
        let mut title = None;
        let mut experiment = Self {
            title: String::new(),
            seeds: 1,
            score: Scoring::default(),
            settings: Vec::new(),
            axes: Vec::new(),
        };
        for (key, value) in place.parse()? {
            let at = place.at(key.span().start);
            match (&**key.get_ref(), value.into_inner()) {
                ("title", DeValue::String(text)) => title = Some(text.into_owned()),
                ("seeds", value) => experiment.seeds = seeds(&value, &at)?,
                ("settings", DeValue::Table(table)) => experiment.settings = place.leaves(table)?,
                ("score", DeValue::Table(table)) => experiment.score = score(table, &place)?,
                ("axis", DeValue::Array(axes)) => {
                    for one in axes {
                        let at = place.at(one.span().start);
                        experiment.axes.push(axis(one.into_inner(), &place, &at)?);
                    }
                }
                (key @ ("title" | "settings" | "score" | "axis"), _) => {
                    let wanted = match key {
                        "title" => "text",
                        "axis" => "written [[axis]], with values = [{ … }, { … }]",
                        _ => "a table",
                    };
                    return Err(wrong(&at, key, wanted));
                }
                (key, _) => return Err(unknown(&at, key, KEYS)),
            }
        }
        let missing = |key| ExperimentError::Missing { path: path.display().to_string(), key };
        experiment.title = title.ok_or_else(|| missing("`title`, which heads all tables,"))?;
        experiment.check_size(experiment.seeds, path)?;
        Ok(experiment)
    }

    /// Refuses more cells than anybody could run.
    pub(super) fn check_size(&self, seeds: u32, path: &Path) -> Result<(), ExperimentError> {
        let cells = self.combinations().and_then(|n| n.checked_mul(seeds as usize));
        match cells.is_none_or(|cells| cells > MOST_CELLS) {
            true => Err(ExperimentError::TooMany { path: path.display().to_string() }),
            false => Ok(()),
        }
    }

    /// How many combinations the axes have, unless they cannot be counted.
    pub(super) fn combinations(&self) -> Option<usize> {
        self.axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.len()))
    }

    /// The settings of all combinations of the axes' values, the last axis changing fastest, with
    /// `layers` laid over them.
    ///
    /// # Errors
    /// The first setting that is refused, with its line.
    pub fn settings(&self, layers: &[Vec<Assignment>]) -> Result<Vec<Settings>, ExperimentError> {
        let mut combinations: Vec<Vec<&Vec<Assignment>>> = vec![vec![&self.settings]];
        for axis in &self.axes {
            combinations = combinations
                .iter()
                .flat_map(|chosen| {
                    axis.iter().map(|value| {
                        let mut chosen = chosen.clone();
                        chosen.push(value);
                        chosen
                    })
                })
                .collect();
        }
        let resolve = |chosen: Vec<&Vec<Assignment>>| {
            let all = chosen.into_iter().chain(layers);
            all.fold(Resolver::new(), |resolver, layer| resolver.layer(layer.clone())).resolve()
        };
        Ok(combinations.into_iter().map(resolve).collect::<Result<_, _>>()?)
    }
}

/// Reads `[score]`.
fn score(table: DeTable<'_>, place: &Place<'_>) -> Result<Scoring, ExperimentError> {
    let mut score = Scoring::default();
    for (key, value) in table {
        let at = place.at(key.span().start);
        match (&**key.get_ref(), value.into_inner()) {
            ("k", value) => score.k = count(&value, &at, "score.k")?,
            ("images", value) => score.images = Some(count(&value, &at, "score.images")?),
            ("snr", value) => score.snr = Some(count(&value, &at, "score.snr")?),
            ("on", DeValue::Array(names)) => {
                for name in names {
                    let DeValue::String(name) = name.into_inner() else {
                        return Err(wrong(&at, "score.on", ON));
                    };
                    score.on.push(name.into_owned());
                }
            }
            ("on", _) => return Err(wrong(&at, "score.on", ON)),
            (key, _) => return Err(unknown(&at, &format!("score.{key}"), SCORE_KEYS)),
        }
    }
    Ok(score)
}

const ON: &str = "a list of data sets, such as [\"mnist\", \"omniglot\"]";

/// Reads one `[[axis]]`.
fn axis(
    axis: DeValue<'_>,
    place: &Place<'_>,
    at: &Origin,
) -> Result<Vec<Vec<Assignment>>, ExperimentError> {
    const VALUES: &str =
        "a list of tables, such as [{ estimator.name = \"vae\" }, {}], with one at least";
    let DeValue::Table(table) = axis else { return Err(wrong(at, "axis.values", VALUES)) };
    let mut axis = Vec::new();
    for (key, value) in table {
        let at = place.at(key.span().start);
        if &**key.get_ref() != "values" {
            return Err(unknown(&at, &format!("axis.{}", key.get_ref()), AXIS_KEYS));
        }
        let DeValue::Array(values) = value.into_inner() else {
            return Err(wrong(&at, "axis.values", VALUES));
        };
        for value in values {
            let DeValue::Table(value) = value.into_inner() else {
                return Err(wrong(&at, "axis.values", VALUES));
            };
            axis.push(place.leaves(value)?);
        }
    }
    if axis.is_empty() { Err(wrong(at, "axis.values", VALUES)) } else { Ok(axis) }
}

/// As many seeds as `--seeds` takes too.
fn seeds(value: &DeValue<'_>, at: &Origin) -> Result<u32, ExperimentError> {
    let seeds = count(value, at, "seeds").ok().filter(|&seeds| seeds <= 10_000);
    seeds.ok_or_else(|| wrong(at, "seeds", "a whole number, 1 or more and at most 10,000"))
}

/// A whole number from 1 to 2³² − 1.
fn count(value: &DeValue<'_>, at: &Origin, key: &str) -> Result<u32, ExperimentError> {
    let number = match value {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    number.filter(|&n| n > 0).ok_or_else(|| wrong(at, key, "a whole number, 1 or more"))
}

fn wrong(at: &Origin, key: &str, wanted: &'static str) -> ExperimentError {
    ExperimentError::WrongType { origin: at.clone(), key: key.to_owned(), wanted }
}

fn unknown(at: &Origin, key: &str, known: &'static str) -> ExperimentError {
    ExperimentError::UnknownKey { origin: at.clone(), key: key.to_owned(), known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Experiment::parse(text, Path::new("e.toml")).unwrap_err().to_string()
    }

    /// And not the first one's, where all of them stand for TOML.
    #[test]
    fn a_wrong_axis_is_named_by_its_own_line() {
        let text = "title = \"A\"\n[[axis]]\nvalues = [{}]\n\n[[axis]]\n";
        assert!(refused(text).starts_with("e.toml, line 5, column 1: axis.values must be a list"));
    }

    #[test]
    fn a_table_in_the_wrong_form_is_told_the_right_one() {
        for (key, wanted) in [
            ("axis", "axis must be written [[axis]], with values = [{ … }, { … }]"),
            ("settings", "settings must be a table"),
            ("score", "score must be a table"),
        ] {
            let said = refused(&format!("title = \"A\"\n{key} = 3\n"));
            assert_eq!(said, format!("e.toml, line 2, column 1: {wanted}"));
        }
    }

    #[test]
    fn a_short_file_of_many_axes_is_refused_before_they_are_multiplied() {
        let text =
            |axes| format!("title = \"A\"\n{}", "[[axis]]\nvalues = [{}, {}]\n".repeat(axes));
        let said = "e.toml: seeds and axes make more than 100000 cells: take fewer seeds or shorten \
                    an axis";
        for axes in [17, 40, 200] {
            assert_eq!(refused(&text(axes)), said);
        }
        let most = Experiment::parse(&text(16), Path::new("e.toml")).unwrap();
        assert_eq!(most.combinations(), Some(1 << 16));
        let seeds = text(16).replacen("[[axis]]", "seeds = 2\n[[axis]]", 1);
        assert_eq!(refused(&seeds), said);
        let values = |n: usize| {
            format!(
                "title = \"A\"\nseeds = 10000\n[[axis]]\nvalues = [{}{{}}]\n",
                "{}, ".repeat(n - 1)
            )
        };
        assert!(Experiment::parse(&values(10), Path::new("e.toml")).is_ok(), "100,000 cells");
        assert_eq!(refused(&values(11)), said);
    }

    #[test]
    fn seeds_that_no_machine_could_list_are_refused() {
        let text = |seeds: u64| format!("title = \"A\"\nseeds = {seeds}\n");
        let said =
            "e.toml, line 2, column 1: seeds must be a whole number, 1 or more and at most 10,000";
        assert_eq!(refused(&text(10_001)), said);
        assert_eq!(refused(&text(1 << 40)), said);
        assert_eq!(Experiment::parse(&text(10_000), Path::new("e.toml")).unwrap().seeds, 10_000);
    }
}
