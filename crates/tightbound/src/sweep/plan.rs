//! Make cells of an experiment, and give each a name that says what it is.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::experiment::{Experiment, ExperimentError, Scoring};
use crate::VERSION;
use crate::run::sha256_hex;
use crate::settings::{Assignment, BetaObjective, Settings};
use crate::train::Ladder;

/// Everything that a sweep does; whoever runs a cell reads nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of tightbound that made it.
    pub version: String,
    /// What tables and pages are headed by.
    pub title: String,
    /// How much of the experiment it is.
    pub budget: Budget,
    /// Epochs of every cell of the whole experiment.
    pub full_epochs: usize,
    /// Cells of the whole experiment, with as many seeds as this has.
    pub full_cells: usize,
    /// Seeds of every cell.
    pub seeds: u32,
    /// Seeds of every cell of the whole experiment.
    pub full_seeds: u32,
    /// How the models are scored.
    pub score: Scoring,
    /// How the whole experiment scores them.
    pub full_score: Scoring,
    /// The trainings.
    pub cells: Vec<Cell>,
}

/// One training and its scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Its name, which is that of its folder too: what it is in words, and 8 digits of the SHA-256 of
    /// its settings without the number of epochs.
    pub id: String,
    /// Everything that determines it.
    pub settings: Settings,
}

/// What the user chooses beside the experiment's file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// How much of it is run.
    pub budget: Budget,
    /// Epochs of every cell, if not the experiment's.
    pub epochs: Option<usize>,
    /// Seeds of every cell, if not the experiment's.
    pub seeds: Option<u32>,
    /// This data set instead of all that are named.
    pub data: Option<String>,
    /// Only cells whose name has all these words in it.
    pub only: Vec<String>,
    /// Settings laid over those of every cell.
    pub set: Vec<Assignment>,
}

impl Plan {
    /// The cells of `experiment`, which came from `path`, under `choices`. A budget of time is not
    /// looked at: choose the epochs that it allows by [`affordable`](Self::affordable).
    ///
    /// # Errors
    /// The first setting that is refused, or two combinations that are the same training.
    pub fn new(
        experiment: &Experiment,
        path: &Path,
        choices: &Choices,
    ) -> Result<Self, ExperimentError> {
        let Choices { budget, epochs, seeds, data, only, set } = choices;
        let (seeds, full_seeds) = (seeds.unwrap_or(experiment.seeds), experiment.seeds);
        experiment.check_size(seeds, path)?;
        let mut over = Vec::new();
        if let Some(name) = data {
            over.push(Assignment::flag("--data", "data.name", name.as_str()));
        }
        let all = experiment.settings(&[over, set.clone()])?;
        let full_epochs = all.iter().map(|settings| settings.train.epochs).max().unwrap_or(0);
        let epochs = epochs.or((*budget == Budget::Smoke).then_some(1));
        let mut score = budget.scoring(&experiment.score);
        if data.is_some() {
            score.on.clear();
        }
        let (mut cells, mut known) = (Vec::new(), HashSet::new());
        for mut settings in all {
            if let Some(most) = budget.limit() {
                settings.data.limit = Some(settings.data.limit.map_or(most, |own| own.min(most)));
            }
            for seed in 0..seeds {
                let mut settings = settings.clone();
                settings.seed += u64::from(seed);
                settings.train.epochs = epochs.unwrap_or(settings.train.epochs);
                settings.validate()?;
                let cell = Cell::new(settings);
                let is_new = known.insert(cell.id.clone());
                if !is_new && data.is_some() {
                    // An axis of data sets has become one data set.
                    continue;
                }
                if !is_new {
                    let path = path.display().to_string();
                    return Err(ExperimentError::Twice { path, cell: cell.id });
                }
                cells.push(cell);
            }
        }
        let full_cells = cells.len();
        cells.retain(|cell| only.iter().all(|word| cell.id.contains(word.as_str())));
        if cells.is_empty() {
            return Err(ExperimentError::NoCells(only.join("`, `")));
        }
        let (version, title) = (VERSION.to_owned(), experiment.title.clone());
        Ok(Self {
            version,
            title,
            budget: *budget,
            full_epochs,
            full_cells,
            seeds,
            full_seeds,
            score,
            full_score: experiment.score.clone(),
            cells,
        })
    }

    /// The plan with every cell cut at the largest end of a stage at which `seconds`, the time that the
    /// cells take, does not exceed `limit`; at one epoch if even that does.
    pub fn affordable(&self, limit: f64, seconds: impl Fn(&Self) -> f64) -> Self {
        let ladders = self.cells.iter().map(|cell| Ladder::new(&cell.settings.train));
        let mut ends: Vec<usize> = ladders.flat_map(|ladder| ladder.stage_ends()).collect();
        ends.push(self.full_epochs);
        ends.sort_unstable();
        ends.dedup();
        let cuts = ends.into_iter().map(|end| self.cut(end));
        let within = cuts.take_while(|plan| seconds(plan) <= limit).last();
        within.unwrap_or_else(|| self.cut(1))
    }

    /// The plan with no cell longer than `epochs`.
    fn cut(&self, epochs: usize) -> Self {
        let mut plan = self.clone();
        for cell in &mut plan.cells {
            cell.settings.train.epochs = cell.settings.train.epochs.min(epochs);
        }
        plan
    }

    /// What of the experiment was left out, in one sentence; nothing if it was all run.
    pub fn truncation(&self) -> Option<String> {
        let longest = self.cells.iter().map(|cell| cell.settings.train.epochs).max()?;
        let mut parts = Vec::new();
        if longest < self.full_epochs {
            parts.push(format!("{longest} of {} epochs", self.full_epochs));
        }
        if self.seeds < self.full_seeds {
            parts.push(format!("{} of {} seeds", self.seeds, self.full_seeds));
        }
        let cuts = |limit: &usize| self.cells.iter().any(|c| c.settings.data.limit == Some(*limit));
        if let Some(limit) = self.budget.limit().filter(cuts) {
            parts.push(format!("{limit} training images"));
        }
        let (score, full) = (&self.score, &self.full_score);
        if let Some(images) = score.images.filter(|_| score.images != full.images) {
            parts.push(format!("{images} test images"));
        }
        if score.k < full.k {
            parts.push(format!("K = {} instead of {}", score.k, full.k));
        }
        if let (Some(draws), Some(all)) = (score.snr, full.snr)
            && draws < all
        {
            parts.push(format!("{draws} of {all} gradient draws"));
        }
        if self.cells.len() < self.full_cells {
            parts.push(format!("{} of {} cells", self.cells.len(), self.full_cells));
        }
        let what = parts.join(", ");
        (!parts.is_empty()).then(|| format!("Not the whole experiment: {what}."))
    }

    /// The cell called `id`.
    pub fn cell(&self, id: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.id == id)
    }

    /// The data sets that the model of `cell` is scored on.
    pub fn scored_on<'a>(&'a self, cell: &'a Cell) -> Vec<&'a str> {
        match &self.score.on[..] {
            [] => vec![&cell.settings.data.name],
            on => on.iter().map(String::as_str).collect(),
        }
    }
}

impl Cell {
    /// The cell of `settings`.
    pub fn new(settings: Settings) -> Self {
        let mut hashed = settings.clone();
        hashed.train.epochs = 0;
        let text = serde_json::to_string(&hashed).expect("plain structures");
        let mut words = vec![settings.stem()];
        match (settings.estimator.beta, settings.train.beta_objective) {
            (Some(beta), BetaObjective::Fixed) => words.push(format!("beta{beta}")),
            (Some(beta), _) => words.push(format!("learned{beta}")),
            (None, _) => {}
        }
        words.push(format!("{}l", settings.model.latents));
        words.push(format!("seed{}", settings.seed));
        words.push(sha256_hex(text.as_bytes())[..8].to_owned());
        let id = words.join("-").replace(|c: char| !c.is_alphanumeric() && c != '.', "-");
        // A command would take `-images` for an option.
        Self { id: id.trim_start_matches('-').to_owned(), settings }
    }

    /// Whether the name is made of what [`new`](Self::new) makes names of, and so is one folder's.
    pub(super) fn is_named_plainly(&self) -> bool {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
        self.id.chars().all(plain) && self.id.contains(char::is_alphanumeric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smoke test of few images is of few images, and says nothing of a cut that it did not make.
    #[test]
    fn a_smoke_test_never_trains_on_more_than_the_experiment() {
        let plan = |values: &str| {
            let score = "[score]\nk = 70\nimages = 9\n";
            let text = format!("title = \"A\"\n{score}[[axis]]\nvalues = {values}\n");
            let path = Path::new("e.toml");
            let experiment = Experiment::parse(&text, path).unwrap();
            let choices = Choices { budget: Budget::Smoke, ..Choices::default() };
            Plan::new(&experiment, path, &choices).unwrap()
        };
        let limits = |plan: &Plan| -> Vec<_> {
            plan.cells.iter().map(|cell| cell.settings.data.limit).collect()
        };
        let mixed = plan("[{ data.limit = 60 }, { data.limit = 600 }]");
        assert_eq!(limits(&mixed), [Some(60), Some(500)]);
        assert!(mixed.truncation().unwrap().contains("500 training images"));
        let small = plan("[{ data.limit = 60 }]");
        assert_eq!(limits(&small), [Some(60)]);
        assert_eq!(small.truncation().unwrap(), "Not the whole experiment: 1 of 3280 epochs.");
    }
}
