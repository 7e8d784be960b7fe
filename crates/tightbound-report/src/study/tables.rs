//! Lay out the papers' tables: scores on a model's own test images, and on those of other data.

use tightbound::evaluate::{Border, Code, Evaluation, TestPixels};

use super::comparison::{Comparison, Method, are_alike};
use crate::published::{self, Corpus, REPORT_CAVEAT, Score, Source};
use crate::scores::{Best, Cell, Column, Published, Row, ScoreTable};

/// A table with the stem of its files' names.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTable {
    /// Stem of its files' names.
    pub name: String,
    /// The table.
    pub table: ScoreTable,
}

/// One column: its heading, digits, which is best, the number, and what the papers call it.
struct Kind {
    heading: &'static str,
    decimals: usize,
    best: Best,
    value: fn(&Evaluation) -> Option<f64>,
    published: Option<Score>,
}

const KINDS: [Kind; 6] = [
    Kind {
        heading: "IWAE-64",
        decimals: 2,
        best: Best::Highest,
        value: |e| Some(e.scores.iwae_64?.value),
        published: Some(Score::Iwae64),
    },
    Kind {
        heading: "log p̂",
        decimals: 2,
        best: Best::Highest,
        value: |e| Some(e.scores.log_p_hat.value),
        published: Some(Score::LogPHat),
    },
    Kind {
        heading: "−KL",
        decimals: 2,
        best: Best::Highest,
        // With K = 64 it is 0 by construction.
        value: |e| Some(e.scores.minus_kl.filter(|_| e.options.k > 64)?.value),
        published: Some(Score::MinusKl),
    },
    Kind {
        heading: "KL(q‖p)",
        decimals: 2,
        best: Best::Lowest,
        value: |e| Some(e.scores.kl_q_p.value),
        published: None,
    },
    Kind {
        heading: "active units",
        decimals: 1,
        best: Best::None,
        value: |e| Some(e.units.active as f64),
        published: None,
    },
    Kind {
        heading: "k̂ too high, %",
        decimals: 1,
        best: Best::Lowest,
        value: |e| Some(100.0 * e.scores.pareto_k?.above),
        published: None,
    },
];

/// Table 1 of Rainforth et al. 2018 and of the reproduction report for one comparison: every method on
/// the test images of the data it was trained on. None if nothing was scored.
pub(super) fn own_scores(comparison: &Comparison) -> Option<NamedTable> {
    let mut notes = Vec::new();
    let beside = Beside::of(comparison);
    let row = |method: &Method| {
        let cells = KINDS.iter().map(|kind| Cell {
            values: method.scores(comparison.data, kind.value),
            spread: None,
            published: kind.published.and_then(|score| beside.find(comparison, method, score)),
        });
        Row { name: method.label.clone(), cells: cells.collect() }
    };
    let rows: Vec<Row> = comparison.methods.iter().map(row).collect();
    let any = rows.iter().flat_map(|row| &row.cells).any(|cell| !cell.values.is_empty());
    if !any {
        return None;
    }
    if rows.iter().flat_map(|row| &row.cells).any(|cell| cell.published.is_some()) {
        notes.push(match beside {
            Beside::Logs(epochs) => format!(
                "[…]: log p̂ in the reproduction report's logs after the same {epochs} epochs, one run \
                 each. {REPORT_CAVEAT}"
            ),
            Beside::End(Source::Rainforth2018) => {
                "[…]: Rainforth et al. 2018, mean ± sd of 4 runs of 3280 epochs; \
                 compare only with as many epochs, K = 5000 and all test images."
                    .to_owned()
            }
            Beside::End(Source::Report) => {
                format!("[…]: the reproduction report, one run each. {REPORT_CAVEAT}")
            }
        });
        notes.extend(provenance(&rows));
    }
    notes.push(
        "Bounds in nats on test images; −KL = IWAE-64 − log p̂; k̂ too high: images whose log p̂ may be \
         far too low."
            .to_owned(),
    );
    notes.extend(protocol(&[comparison], comparison.data));
    let alike = comparison.is_scored_alike(comparison.data);
    let columns = KINDS.iter().map(|kind| Column {
        heading: kind.heading.to_owned(),
        decimals: kind.decimals,
        best: if alike { kind.best } else { Best::None },
    });
    let title = format!("Scores on {}", comparison.name());
    let table =
        ScoreTable { title, corner: "bound".into(), columns: columns.collect(), rows, notes };
    Some(NamedTable { name: comparison.stem("scores"), table })
}

/// Table 2 of the reproduction report: SSIM and log p̂ of all methods on all data that they were scored
/// on. None unless somebody was scored on other data than its own.
pub(super) fn cross_scores(comparisons: &[Comparison]) -> Option<NamedTable> {
    // Their own data first.
    let mut targets: Vec<&str> = comparisons.iter().map(|comparison| comparison.data).collect();
    targets.sort_unstable();
    targets.dedup();
    let methods = || comparisons.iter().flat_map(|c| c.methods.iter().map(move |m| (c, m)));
    for (_, method) in methods() {
        for evaluation in method.runs.iter().flat_map(|run| &run.evaluations) {
            if evaluation.on.part == "test" && !targets.contains(&&*evaluation.on.data) {
                targets.push(&evaluation.on.data);
            }
        }
    }
    let crosses = |(c, m): (&Comparison, &Method)| {
        let mut scored = m.runs.iter().flat_map(|run| &run.evaluations);
        scored.any(|e| e.on.part == "test" && e.on.data != c.data)
    };
    if !methods().any(crosses) {
        return None;
    }
    let mut columns = Vec::new();
    for target in &targets {
        let best = if are_alike(scored(comparisons, target)) { Best::Highest } else { Best::None };
        for (score, decimals) in [("log p̂", 2), ("SSIM", 3)] {
            let heading = format!("{score} on {target}");
            columns.push(Column { heading, decimals, best });
        }
    }
    let rows = methods().map(|(comparison, method)| {
        let cells = targets.iter().flat_map(|target| {
            let ssim = Cell {
                values: method.scores(target, |e| Some(report_ssim(e)?.0)),
                spread: method.scores(target, |e| Some(report_ssim(e)?.1)).first().copied(),
                published: match *target == OMNIGLOT {
                    true => published(comparison, method, Source::Report, Score::SsimOmniglot),
                    false => None,
                },
            };
            [Cell::of(&method.scores(target, |e| Some(e.scores.log_p_hat.value))), ssim]
        });
        Row { name: format!("{}, {}", method.label, comparison.name()), cells: cells.collect() }
    });
    let rows: Vec<Row> = rows.collect();
    let mut notes = vec![
        "SSIM: 11 × 11 Gaussian window, σ = 1.5, zero-padded; probabilities decoded from one posterior \
         draw against binary pixels; ± of a single run, and of published SSIM, is the standard deviation \
         over images."
            .to_owned(),
    ];
    let all: Vec<&Comparison> = comparisons.iter().collect();
    notes.extend(targets.iter().flat_map(|target| protocol(&all, target)));
    if rows.iter().flat_map(|row| &row.cells).any(|cell| cell.published.is_some()) {
        notes.push(format!("[…]: the reproduction report's Table 2. {REPORT_CAVEAT}"));
        notes.extend(provenance(&rows));
    }
    let table = ScoreTable {
        title: "Scores across data sets".into(),
        corner: "trained".into(),
        columns,
        rows,
        notes,
    };
    Some(NamedTable { name: "scores-across-data-sets".into(), table })
}

/// The names of the data sets that the papers used.
const MNIST: &str = "mnist";
const OMNIGLOT: &str = "omniglot (derived)";

/// Whose numbers stand beside a comparison's.
#[derive(Clone, Copy)]
enum Beside {
    /// The report's logs after so many epochs.
    Logs(usize),
    /// What was published of the ends of trainings.
    End(Source),
}

impl Beside {
    /// The report's logs, if they have what stands after as many epochs as all of `comparison` have;
    /// otherwise the paper's numbers, where it has any, or the report's.
    fn of(comparison: &Comparison) -> Self {
        let runs = comparison.methods.iter().flat_map(|method| &method.runs);
        let mut epochs = runs.filter_map(|run| Some(run.on(comparison.data)?.epoch));
        let first = epochs.next().filter(|&first| epochs.all(|other| other == first));
        let place = place(comparison);
        let is_logged = |&epochs: &usize| {
            published::published_scores().any(|known| {
                place == Some((known.corpus, known.architecture))
                    && known.score == Score::LogPHatAfter(epochs)
            })
        };
        match (first.filter(is_logged), place) {
            (Some(epochs), _) => Self::Logs(epochs),
            (None, Some((Corpus::Mnist, published::Architecture::Reference))) => {
                Self::End(Source::Rainforth2018)
            }
            (None, _) => Self::End(Source::Report),
        }
    }

    /// What stands beside the score of one method, if anything does.
    fn find(self, comparison: &Comparison, method: &Method, score: Score) -> Option<Published> {
        match (self, score) {
            (Self::End(source), score) => published(comparison, method, source, score),
            (Self::Logs(epochs), Score::LogPHat) => {
                published(comparison, method, Source::Report, Score::LogPHatAfter(epochs))
            }
            (Self::Logs(_), _) => None,
        }
    }
}

/// The data and the size of a comparison, if the papers have both.
fn place(comparison: &Comparison) -> Option<(Corpus, published::Architecture)> {
    let corpus = match comparison.data {
        MNIST => Corpus::Mnist,
        OMNIGLOT => Corpus::Omniglot,
        _ => return None,
    };
    let size = match comparison.size()? {
        "reference model" => published::Architecture::Reference,
        _ => published::Architecture::Larger,
    };
    Some((corpus, size))
}

/// All scores on the test images of `data`.
fn scored<'a>(
    comparisons: &'a [Comparison<'a>],
    data: &'a str,
) -> impl Iterator<Item = &'a Evaluation> {
    let methods = comparisons.iter().flat_map(|comparison| &comparison.methods);
    methods.flat_map(|method| &method.runs).filter_map(move |run| run.on(data))
}

/// How the scores on `data` came about, in a sentence for each way in which they did.
fn protocol(comparisons: &[&Comparison], data: &str) -> Vec<String> {
    let mut ways: Vec<(String, Vec<String>)> = Vec::new();
    for method in comparisons.iter().flat_map(|comparison| &comparison.methods) {
        for run in &method.runs {
            let Some(Evaluation { on, options, scores, epoch, .. }) = run.on(data) else {
                continue;
            };
            let pixels = match options.test_pixels {
                TestPixels::Frozen => "frozen pixels".to_owned(),
                TestPixels::Redraw(number) => format!("redrawn pixels (draw {number})"),
            };
            let way = format!(
                "On {} of {} test images of {data} (hash {}), K = {}, {pixels}, evaluation seed {}, \
                 after {epoch} epochs, protocol {}",
                scores.images,
                on.of,
                on.hash,
                options.k,
                options.seed,
                method.settings().protocol
            );
            match ways.iter_mut().find(|(known, _)| *known == way) {
                Some((_, runs)) => runs.push(run.name()),
                None => ways.push((way, vec![run.name()])),
            }
        }
    }
    match &ways[..] {
        [(way, _)] => vec![format!("{way}.")],
        _ => ways.into_iter().map(|(way, runs)| format!("{way}: {}.", runs.join(", "))).collect(),
    }
}

/// Mean and sd over images of the SSIM that the reproduction report measures.
pub(super) fn report_ssim(evaluation: &Evaluation) -> Option<(f64, f64)> {
    let is = |s: &&tightbound::evaluate::SsimScore| {
        (s.code, s.border) == (Code::Sample, Border::ZeroPadded)
    };
    evaluation.ssim.iter().find(is).map(|score| (score.mean, score.sd))
}

/// What `source` has for a cell, if it has this data, size and bound at all.
fn published(
    comparison: &Comparison,
    method: &Method,
    source: Source,
    score: Score,
) -> Option<Published> {
    let (corpus, size) = place(comparison)?;
    let estimator = &method.settings().estimator;
    if !estimator.gradient.is_plain() || method.learns_beta() {
        return None;
    }
    let name = match (&*estimator.name, estimator.beta, source) {
        ("ciwae", Some(beta), _) => format!("ciwae({beta})"),
        ("miwae" | "piwae", _, Source::Rainforth2018) => {
            format!("{}({},{})", estimator.name, estimator.m, estimator.k)
        }
        ("miwae" | "piwae", _, Source::Report) if estimator.m != 8 => return None,
        (name, ..) => name.to_owned(),
    };
    let found = published::published(source, corpus, size, &name, score)?;
    (estimator.m * estimator.k == 64).then(|| found.into())
}

/// The sentences that explain the marks behind published values.
fn provenance(rows: &[Row]) -> Vec<String> {
    let marks: Vec<&str> =
        rows.iter().flat_map(|r| &r.cells).filter_map(|c| Some(c.published?.mark)).collect();
    let kinds = [published::Provenance::SecondHand, published::Provenance::Unverified];
    let used = kinds.into_iter().filter(|kind| marks.contains(&kind.mark()));
    used.filter_map(|kind| kind.note().map(str::to_owned)).collect()
}
