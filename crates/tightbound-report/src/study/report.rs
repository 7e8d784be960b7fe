//! Gather everything that a report of several runs shows.

use std::collections::BTreeMap;
use std::path::Path;

use tightbound::data::Images;
use tightbound::engine::cpu::KernelPath;
use tightbound::evaluate::TestPixels;

use super::comparison::Comparison;
use super::figure::Figure;
use super::findings::findings;
use super::pictures::{self, Portrait};
use super::run::Run;
use super::tables::{NamedTable, cross_scores, own_scores};
use super::warnings::warnings;
use crate::page::Explorer;
use crate::shell::{shell_path, shell_word};

/// What a report is made from.
#[derive(Clone, Debug, Default)]
pub struct Subjects {
    /// The runs, in the order in which tables and legends name them.
    pub runs: Vec<Run>,
    /// Test images by the name of their data set; pictures are drawn of these.
    pub images: BTreeMap<String, Images>,
    /// Threads for encoding and decoding; their number changes no result.
    pub threads: usize,
    /// Instructions for the same, by default the fastest of this machine; they change no result either.
    pub kernels: Option<KernelPath>,
    /// What stands under every table, and first among the warnings: what was left out of an experiment,
    /// say.
    pub note: Option<String>,
}

/// Findings, tables and figures of several runs.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the scores show, the most important first.
    pub findings: Vec<String>,
    /// What a reader must know before believing it.
    pub warnings: Vec<String>,
    /// Scores by method and data.
    pub tables: Vec<NamedTable>,
    /// What was scored, logged and measured.
    pub figures: Vec<Figure>,
    /// What the models make of images.
    pub pictures: Vec<Figure>,
    /// Decoders to play with.
    pub explorers: Vec<Explorer>,
    /// The protocol of every run's scores.
    pub protocols: Vec<(String, String)>,
    /// The commands that make the runs and their scores again.
    pub commands: Vec<String>,
}

/// Weights, in numbers of 32 bits, that all explorers of a page may have together: 3.3 MB in base64.
const EXPLORED_WEIGHTS: usize = 620_000;

impl Report {
    /// Gathers it. Runs of different protocols stand side by side with a warning that names the
    /// difference; what is missing or damaged is left out with a warning too.
    pub fn of(subjects: &Subjects) -> Self {
        let comparisons = Comparison::of(&subjects.runs);
        let mut report = Self {
            findings: findings(&comparisons),
            warnings: warnings(&comparisons, &subjects.runs),
            tables: comparisons.iter().filter_map(own_scores).collect(),
            figures: comparisons.iter().flat_map(Comparison::curves).collect(),
            pictures: Vec::new(),
            explorers: Vec::new(),
            protocols: subjects.runs.iter().flat_map(protocols).collect(),
            commands: subjects.runs.iter().flat_map(commands).collect(),
        };
        report.tables.extend(cross_scores(&comparisons));
        if let Some(note) = &subjects.note {
            report.tables.iter_mut().for_each(|named| named.table.notes.push(note.clone()));
            report.warnings.insert(0, note.clone());
        }
        for comparison in &comparisons {
            report.draw(comparison, subjects);
        }
        report
    }

    /// Adds the pictures of a comparison's models.
    fn draw(&mut self, comparison: &Comparison, subjects: &Subjects) {
        let Some(images) = subjects.images.get(comparison.data) else {
            self.warnings.push(format!(
                "No pictures of models of {}: its images were not found.",
                comparison.data
            ));
            return;
        };
        let (found, wanted) = (images.pixel_count(), comparison.architecture.pixels);
        if found != wanted {
            self.warnings.push(format!(
                "No pictures of models of {}: the images found have {found} pixels, and the models take \
                 {wanted}.",
                comparison.data
            ));
            return;
        }
        let mut portraits = Vec::new();
        for method in &comparison.methods {
            match Portrait::new(method, subjects) {
                Ok(portrait) => portraits.push(portrait),
                Err(error) => self
                    .warnings
                    .push(format!("No pictures of {}: {error}.", method.runs[0].name())),
            }
        }
        let Some(best) = best(comparison, &portraits) else { return };
        let name = comparison.data;
        self.pictures.push(pictures::reconstructions(comparison, &mut portraits, name, images));
        for (other, images) in subjects.images.iter().filter(|(other, _)| *other != name) {
            if images.pixel_count() == comparison.architecture.pixels {
                let figure = pictures::reconstructions(comparison, &mut portraits, other, images);
                self.pictures.push(figure);
            }
        }
        self.pictures.push(pictures::samples(comparison, &mut portraits, images));
        self.pictures.push(pictures::traversals(comparison, &mut portraits[best], images));
        self.pictures.extend(pictures::codes(comparison, &mut portraits[best], images));
        let weights = |explorer: &Explorer| -> usize {
            explorer.layers.iter().map(|layer| layer.weights.len()).sum()
        };
        let name = format!("{}, {}", portraits[best].label(), comparison.name());
        let explorer = portraits[best].explorer(name, images);
        let embedded: usize = self.explorers.iter().map(weights).sum();
        if embedded + weights(&explorer) <= EXPLORED_WEIGHTS {
            self.explorers.push(explorer);
        }
    }
}

/// The portrait of the method with the highest log p̂; the first where none was scored. None if there is
/// no portrait.
fn best(comparison: &Comparison, portraits: &[Portrait]) -> Option<usize> {
    let mean = |index: &usize| {
        let values = portraits[*index].log_p_hat(comparison.data);
        if values.is_empty() {
            return f64::NEG_INFINITY;
        }
        values.iter().sum::<f64>() / values.len() as f64
    };
    let indices = 0..portraits.len();
    indices.max_by(|a, b| mean(a).total_cmp(&mean(b)).then(b.cmp(a)))
}

/// A run's name and protocol for each of its scores.
fn protocols(run: &Run) -> Vec<(String, String)> {
    run.evaluations.iter().map(|e| (run.name(), e.protocol.clone())).collect()
}

/// How to make a run and its scores again.
fn commands(run: &Run) -> Vec<String> {
    let settings = &run.description.settings;
    let out = shell_word(&format!("runs/{}", run.name()));
    let words: Vec<String> = settings.train_command().iter().map(|word| shell_word(word)).collect();
    let mut train = words.join(" ");
    if let Some(origin) = &run.description.identity.from {
        train += &format!(" --from {}", shell_path(Path::new(&origin.run)));
    }
    let mut commands = Vec::new();
    if run.epoch() < settings.train.epochs {
        commands.push(format!("# the run shown here stopped after epoch {}", run.epoch()));
    }
    commands.push(format!("{train} --out {out}"));
    for evaluation in &run.evaluations {
        let mut command = format!("tightbound eval {out} --k {}", evaluation.options.k);
        if evaluation.on.data != run.description.identity.data {
            // What the library adds to a name stands in brackets: `omniglot (derived)`.
            let name = evaluation.on.data.split(" (").next().unwrap_or_default();
            command += &format!(" --data {}", shell_word(name));
        }
        if evaluation.on.part != "test" {
            command += &format!(" --part {}", shell_word(&evaluation.on.part));
        }
        if evaluation.scores.images < evaluation.on.of {
            command += &format!(" --images {}", evaluation.scores.images);
        }
        if evaluation.options.seed != 0 {
            command += &format!(" --seed {}", evaluation.options.seed);
        }
        if let TestPixels::Redraw(number) = evaluation.options.test_pixels {
            command += &format!(" --test-pixels redraw --draw {number}");
        }
        commands.push(command);
    }
    commands
}
