//! Read what to measure, measure it with a bar, and hand it to the writers.

use std::path::PathBuf;

use clap::value_parser;
use indicatif::ProgressBar;
use tightbound::diagnose::toy::{
    ASYMPTOTIC, Axis, Estimates, Perturbation, Progress, SlopeRow, Sweep, SweepReport, ToyOptions,
    Verdict, label,
};

use super::{figures, files, text};
use crate::display::bar;
use crate::failure::UsageError;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk, write_file};

/// The sizes where a histogram is drawn.
const HISTOGRAM_SIZES: [usize; 3] = [1, 10, 100];

/// Gradient draws behind a histogram.
const HISTOGRAM_DRAWS: usize = 1000;

/// The bounds with theorems on their signal-to-noise ratios. At M = 1 miwae and piwae are iwae.
const USUAL: [&str; 3] = ["iwae", "ciwae", "vr-iwae"];

/// What stands for every estimator.
const ALL: &str = "all";

/// Measure gradient noise on Rainforth et al.'s toy problem
///
/// A linear Gaussian model whose parameters are a little off their optimum. For every estimator: the
/// signal-to-noise ratio (SNR) of the gradients of φ (b and A) and θ (μ) as K grows at M = 1, and as
/// M grows at K = 1, with fitted slopes beside the rates of theory. With neither --k nor --m, both
/// sweeps are made, 1 to 1000: minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound toy --check                        1 to 1000, and whether theory is met: 2 or 3 minutes
  tightbound toy --k 1,10,100 --estimators iwae,jvi
  tightbound toy --estimators all --draws 16    a quarter of the draws: jvi's time grows as K²
  tightbound toy --perturbation far --out far   tables and figures of a model far from its optimum
  tightbound toy --k 1,10,100 --histogram --out toy

What the columns mean, for b, A and μ:
  raw    mean over parameters of |mean| / sd of the gradient, one mean over all points per draw
  floor  what raw shows where the true mean is zero
  SNR    raw without its floor: √max(0, mean²/variance − the floor's part)
  DSNR   mean of ‖g∥‖/‖g⊥‖ about the mean direction of the other half of the draws")]
pub struct Args {
    /// How far the parameters are from the optimum: by noise of sd 0.01 (near) or 0.5 (far)
    #[arg(long, value_name = "HOW", default_value = "near", value_parser = ["near", "far"])]
    perturbation: String,

    /// Values of K, at M = 1
    #[arg(long, value_name = "K,…", value_delimiter = ',')]
    k: Vec<usize>,

    /// Values of M, at K = 1
    #[arg(long, value_name = "M,…", value_delimiter = ',')]
    m: Vec<usize>,

    /// Gradients drawn at every point
    #[arg(long, value_name = "R", default_value_t = 64)]
    draws: usize,

    /// Data points
    #[arg(long, value_name = "N", default_value_t = 1024)]
    points: usize,

    /// Dimensions of data and latents
    #[arg(long, value_name = "D", default_value_t = 20)]
    dims: usize,

    /// The estimators along K, or `all`: a bound's name stands for all its gradient rules [default:
    /// iwae,ciwae,vr-iwae]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    estimators: Vec<String>,

    /// Also draw 1000 gradients at K = 1, 10 and 100, for histograms of b's and μ's first element
    #[arg(long)]
    histogram: bool,

    /// End with exit code 1 if a slope from 100 on is more than 0.06 off the rate of theory
    #[arg(long)]
    check: bool,

    /// Seed of data, parameters and gradients
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u64))]
    seed: u64,

    /// Folder for snr.csv, slopes.csv, histogram.csv, and figures as SVG and PNG
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// One sweep and what came of it.
pub struct Swept {
    pub sweep: Sweep,
    pub report: SweepReport,
}

impl Swept {
    /// The slopes, without repetitions: θ's gradient is the same under every rule of a bound.
    pub fn distinct(&self) -> impl Iterator<Item = &SlopeRow> {
        let all = &self.report.slopes;
        let repeats = |i: usize, row: &SlopeRow| {
            let same = |r: &SlopeRow| r.part == row.part && r.estimator.name == row.estimator.name;
            !row.part.is_phi() && all[..i].iter().any(same)
        };
        all.iter().enumerate().filter(move |&(i, row)| !repeats(i, row)).map(|(_, row)| row)
    }
}

/// Whose slope it is: θ's is the bound's, φ's the rule's too.
pub fn owner(row: &SlopeRow) -> String {
    if row.part.is_phi() { label(&row.estimator) } else { row.estimator.name.clone() }
}

/// All that was measured.
pub struct Results {
    pub options: ToyOptions,
    pub swept: Vec<Swept>,
    /// Empty without `--histogram`.
    pub estimates: Vec<Estimates>,
}

impl Results {
    /// The slopes of all sweeps.
    fn slopes(&self) -> impl Iterator<Item = &SlopeRow> {
        self.swept.iter().flat_map(|swept| &swept.report.slopes)
    }
}

/// Runs `tightbound toy`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    args.refuse_idle_flags()?;
    let options = args.options();
    let mut swept = Vec::new();
    for sweep in args.sweeps()? {
        let bar = Bar::new(&sweep, options.points);
        let report = sweep.measure(&options, &mut |progress| bar.hear(progress))?;
        bar.finish();
        swept.push(Swept { sweep, report });
    }
    let mut estimates = Vec::new();
    if args.histogram {
        let options = ToyOptions { draws: HISTOGRAM_DRAWS, ..options.clone() };
        let sweep = args.along(Axis::K, &HISTOGRAM_SIZES);
        let bar = Bar::new(&sweep, options.points);
        estimates = sweep.estimates(&options, &mut |progress| bar.hear(progress))?;
        bar.finish();
    }
    let results = Results { options, swept, estimates };
    if let Some(folder) = &args.out {
        fs_err::create_dir_all(folder)?;
        for (name, text) in files::csv(&results) {
            write_file(&folder.join(name), text.as_bytes())?;
        }
        for (name, bytes) in figures::draw(&results)? {
            write_file(&folder.join(name), &bytes)?;
        }
        talk!("written to {}", folder.display());
    }
    if args.json {
        print_json(&files::json(&results))?;
    } else {
        print(&text::describe(&results))?;
    }
    let verdicts = || results.slopes().filter_map(|row| row.verdict);
    let sound = !args.check || verdicts().all(|verdict| verdict == Verdict::Agrees);
    Ok(if sound { Outcome::Done } else { Outcome::Unsound })
}

impl Args {
    /// Refuses flags that would have no effect.
    fn refuse_idle_flags(&self) -> Result<(), UsageError> {
        if self.histogram && self.out.is_none() && !self.json {
            let words = "--histogram writes the estimates themselves: add --out FOLDER or --json";
            return Err(UsageError(words.into()));
        }
        if !self.estimators.is_empty() && self.k.is_empty() && !self.m.is_empty() {
            let words = "--estimators chooses along K (--k), where bounds differ; at K = 1 (--m) all are \
                         the ELBO";
            return Err(UsageError(words.into()));
        }
        Ok(())
    }

    fn options(&self) -> ToyOptions {
        let perturbation = match self.perturbation.as_str() {
            "far" => Perturbation::Far,
            _ => Perturbation::Near,
        };
        let &Self { draws, points, dims, seed, .. } = self;
        ToyOptions { dims, points, draws, perturbation, seed }
    }

    /// What was asked for: along K, along M; both where neither is given, but not along M where
    /// estimators are chosen.
    fn sweeps(&self) -> Result<Vec<Sweep>, UsageError> {
        let sweeps = match (self.k.as_slice(), self.m.as_slice()) {
            ([], []) if self.estimators.is_empty() || self.wants_all() => {
                [Axis::K, Axis::M].map(|axis| self.along(axis, &Axis::SIZES)).to_vec()
            }
            ([], []) => vec![self.along(Axis::K, &Axis::SIZES)],
            (k, []) => vec![self.along(Axis::K, k)],
            ([], m) => vec![self.along(Axis::M, m)],
            (k, m) => vec![self.along(Axis::K, k), self.along(Axis::M, m)],
        };
        let judged = |sweep: &Sweep| sweep.fit_from >= ASYMPTOTIC;
        if self.check && (self.perturbation == "far" || !sweeps.iter().all(judged)) {
            let words = "--check holds slopes against limits for large sizes: it needs two sizes of 100 \
                         or more, and --perturbation near";
            return Err(UsageError(words.into()));
        }
        Ok(sweeps)
    }

    /// One sweep; slopes begin at [`ASYMPTOTIC`] if two sizes are that large.
    fn along(&self, axis: Axis, sizes: &[usize]) -> Sweep {
        let large = sizes.iter().filter(|&&size| size >= ASYMPTOTIC).count();
        let fit_from = if large >= 2 { ASYMPTOTIC } else { 1 };
        let chosen = match axis {
            Axis::M => Vec::new(),
            Axis::K if self.wants_all() => Vec::new(),
            Axis::K if self.estimators.is_empty() => USUAL.map(str::to_owned).to_vec(),
            Axis::K => self.estimators.clone(),
        };
        Sweep { axis, sizes: sizes.to_vec(), fit_from, chosen }
    }

    fn wants_all(&self) -> bool {
        self.estimators == [ALL]
    }
}

/// A bar over gradients on a terminal, nothing elsewhere.
struct Bar {
    bar: ProgressBar,
    /// For each size, the work before it and the work at one point.
    work: Vec<(usize, u64, u64)>,
}

impl Bar {
    fn new(sweep: &Sweep, points: usize) -> Self {
        let mut total = 0;
        let mut work = Vec::new();
        for &size in &sweep.sizes {
            work.push((size, total, size as u64));
            total += (size * points) as u64;
        }
        let bar = bar("measuring {bar:24} {percent} %  {msg}  {eta} left", total);
        bar.set_message(sweep.axis.name());
        Self { bar, work }
    }

    fn hear(&self, progress: Progress) {
        let of_size = self.work.iter().find(|(size, ..)| *size == progress.size);
        if let Some((_, before, per_point)) = of_size {
            self.bar.set_position(before + per_point * progress.done as u64);
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
