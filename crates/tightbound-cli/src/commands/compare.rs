//! Compare two models image by image.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use tightbound::evaluate::{Evaluation, ImageRow, read_rows};
use tightbound::run::{Model, RunDescription, sha256_hex, short_digest};
use tightbound::statistics::Interval;
use tightbound_report::{Align, Table, shell_word};

use crate::args::{ImageArgs, Part};
use crate::outcome::Outcome;
use crate::output::{print, print_json, quoted, shown};
use crate::scoring::evaluation_file;

/// Compare two scored models on the same images, pixels and noise
///
/// Differences are taken image by image: what makes one image harder than another drops out, so they
/// are known far better than the scores themselves. Both models must have been scored by `tightbound
/// eval` on the same images with the same K and seed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound compare runs/demo/piwae runs/demo/iwae
  tightbound compare runs/mnist-piwae runs/mnist-iwae --data omniglot --json")]
pub struct Args {
    /// A run folder
    #[arg(value_name = "RUN")]
    first: PathBuf,

    /// The run folder that it is compared with
    #[arg(value_name = "OTHER")]
    other: PathBuf,

    #[command(flatten)]
    scored: ImageArgs,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// A model's scores and its line for every image.
struct Scored {
    evaluation: Evaluation,
    rows: Vec<ImageRow>,
}

/// The difference of one score.
#[derive(Debug, Serialize)]
struct Difference {
    score: &'static str,
    first: f64,
    other: f64,
    /// first − other with its 95 % interval.
    difference: Interval,
    /// Fraction of the images on which the first is higher.
    higher: f64,
}

/// A column of the file of images, which some models do not have.
type Column = fn(&ImageRow) -> Option<f64>;

/// What is compared.
const COLUMNS: [(&str, Column); 5] = [
    ("log p̂", |row| Some(row.log_p_hat)),
    ("jackknife", |row| row.jackknife),
    ("IWAE-64", |row| row.iwae_64),
    ("L_1", |row| Some(row.elbo)),
    ("SSIM", |row| row.ssim),
];

/// Runs `tightbound compare`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let first = Scored::read(&args.first, &args.scored)?;
    let other = Scored::read(&args.other, &args.scored)?;
    first.refuse_unlike(&other)?;
    if first.rows.len() < 2 {
        bail!("both were scored on one image, and an interval needs two: score more images");
    }
    let differences: Vec<Difference> =
        COLUMNS.iter().filter_map(|&(score, column)| first.minus(&other, score, column)).collect();
    if args.json {
        print_json(&serde_json::json!({
            "first": shown(&args.first), "other": shown(&args.other), "images": first.rows.len(),
            "differences": differences,
            "protocols": [first.evaluation.protocol, other.evaluation.protocol],
        }))?;
    } else {
        print(&describe(&differences, &first, &other))?;
    }
    Ok(Outcome::Done)
}

impl Scored {
    fn read(run: &Path, on: &ImageArgs) -> anyhow::Result<Self> {
        let settings = RunDescription::read(run)?.settings;
        let path = evaluation_file(run, on, &settings).expect("the run folder was just read");
        let digest = Model::load(run)?.info.digest;
        let run = quoted(run);
        let advice = format!("score it with `tightbound eval {run}{}`", flags(on));
        if !path.exists() {
            bail!("{run} was not scored on these images: {advice}");
        }
        let evaluation: Evaluation = serde_json::from_slice(&fs_err::read(&path)?)
            .with_context(|| format!("{} cannot be read: {advice}", path.display()))?;
        if evaluation.digest != digest {
            bail!(
                "{} is of other weights than {run} has now (it is of epoch {}): {advice}",
                path.display(),
                evaluation.epoch
            );
        }
        let bytes = fs_err::read(path.with_extension("csv"))?;
        if short_digest(&sha256_hex(&bytes)) != evaluation.per_image {
            bail!(
                "{} was changed, or belongs to other scores than {}: {advice}",
                path.with_extension("csv").display(),
                path.display()
            );
        }
        Ok(Self { evaluation, rows: read_rows(&bytes)? })
    }

    /// Refuses pairs that would not be pairs.
    fn refuse_unlike(&self, other: &Self) -> anyhow::Result<()> {
        let (a, b) = (&self.evaluation, &other.evaluation);
        let ids = |scored: &Self| scored.rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let difference = if a.on != b.on {
            format!("{} {} and {} {}", a.on.data, a.on.part, b.on.data, b.on.part)
        } else if a.options.k != b.options.k {
            format!("K = {} and K = {}", a.options.k, b.options.k)
        } else if a.options != b.options {
            format!("{:?} and {:?}", a.options, b.options)
        } else if ids(self) != ids(other) {
            format!("{} and {} images, or others", self.rows.len(), other.rows.len())
        } else {
            return Ok(());
        };
        bail!("the two were scored on different things ({difference}): score them alike")
    }

    fn minus(&self, other: &Self, score: &'static str, column: Column) -> Option<Difference> {
        let values = |rows: &[ImageRow]| rows.iter().map(column).collect::<Option<Vec<f64>>>();
        let (a, b) = (values(&self.rows)?, values(&other.rows)?);
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let n = differences.len() as f64;
        Some(Difference {
            score,
            first: a.iter().sum::<f64>() / n,
            other: b.iter().sum::<f64>() / n,
            difference: Interval::of_mean(&differences),
            higher: differences.iter().filter(|&&d| d > 0.0).count() as f64 / n,
        })
    }
}

/// The flags that name the images.
fn flags(on: &ImageArgs) -> String {
    let mut flags = String::new();
    if let Some(data) = &on.data {
        flags += &format!(" --data {}", shell_word(data));
    }
    if on.part != Part::Test {
        flags += &format!(" --part {}", on.part.name());
    }
    flags
}

fn describe(differences: &[Difference], first: &Scored, other: &Scored) -> String {
    let mut table = Table::new(&[
        ("score", Align::Left),
        ("first", Align::Right),
        ("other", Align::Right),
        ("first − other", Align::Right),
        ("higher on", Align::Right),
    ]);
    for Difference { score, first, other, difference, higher } in differences {
        table.row([
            (*score).to_owned(),
            format!("{first:.3}"),
            format!("{other:.3}"),
            difference.to_string(),
            format!("{:.0} %", 100.0 * higher),
        ]);
    }
    format!(
        "{table}\n[ ] is the 95 % interval of the mean difference over {} images; bounds in nats.\n\
         first  {}\nother  {}\n",
        first.rows.len(),
        first.evaluation.protocol,
        other.evaluation.protocol
    )
}
