//! Train a model, or several that differ in their seed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tightbound::run::{RunDescription, RunFolder};
use tightbound::settings::Settings;
use tightbound_report::mean_and_sd;

use crate::args::{DataFolder, SettingsArgs};
use crate::display::Display;
use crate::machine::Threads;
use crate::outcome::Outcome;
use crate::output::{as_text, print, print_json, quoted, talk};
use crate::scoring::describe_scores;
use crate::signals::Signals;
use crate::training::{Job, Trained, parent_model};

/// Train a model on a bound
///
/// Writes a run folder: settings, log, checkpoints, weights. The same settings and seed give the
/// same weights, bit for bit, with any number of threads and after any interruption.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound train --data mnist --estimator iwae --k 64 --epochs 13
  tightbound train --data mnist --estimator piwae --m 8 --k 8 --epochs 40 --out runs/piwae
  tightbound train --data mnist --estimator ciwae --beta-objective snr --seeds 4
  tightbound train --resume --out runs/piwae             go on after an interruption
  tightbound train --from runs/piwae --estimator iwae    go on from its weights, in a new run
  tightbound train --data glyphs --epochs 1 --set data.limit=1000 --set model.latents=10

Ctrl-C saves and says how to go on, and so do SIGTERM and a closed terminal; a second Ctrl-C stops at
once. SIGUSR1 saves and goes on.
The learning rate falls in stages of 1, 3, 9, … epochs. `tightbound estimators` says which bound when.")]
pub struct Args {
    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    data: DataFolder,

    #[command(flatten)]
    threads: Threads,

    /// Run folder to write [default: runs/DATA-ESTIMATOR-MxK-seedN]
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,

    /// Go on with the run in --out; begin it if it is not there, do nothing if it is complete
    #[arg(long)]
    resume: bool,

    /// Start from the weights of this run, and from its settings where none are given
    #[arg(long, value_name = "RUN")]
    from: Option<PathBuf>,

    /// Train this many models, with the seeds N, N+1, …, in RUN/seed-1, RUN/seed-2, …
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    seeds: Option<u32>,

    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

/// What is printed about a run.
#[derive(Serialize)]
struct Report {
    #[serde(serialize_with = "as_text")]
    run: PathBuf,
    seed: u64,
    complete: bool,
    epochs: usize,
    steps: u64,
    skipped: u64,
    bound: Option<f64>,
    scores: Option<serde_json::Value>,
    digest: String,
}

/// One of the trainings that were asked for.
struct Plan {
    settings: Settings,
    out: PathBuf,
    from: Option<PathBuf>,
}

/// Runs `tightbound train`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let signals = Signals::install()?;
    let mut reports = Vec::new();
    for index in 0..args.seeds.unwrap_or(1) {
        let Plan { settings, out, from } = args.plan(index)?;
        let name = out.display().to_string();
        let seed = settings.seed;
        let job = Job {
            settings,
            out: out.clone(),
            resume: args.resume,
            from: from.as_deref(),
            data: &args.data,
            threads: &args.threads,
            signals: &signals,
            display: Display::new(&name),
        };
        let Trained { outcome, stopped_by, bound, scores } = job.run()?;
        if outcome.was_complete {
            talk!("{name}: all {} epochs were done already", outcome.epoch);
        }
        if let Some(signal) = stopped_by.filter(|_| !outcome.complete) {
            talk!("saved after step {}; to go on:\n  {}", outcome.step, args.how_to_go_on(&out));
            return Ok(Outcome::Interrupted { signal });
        }
        reports.push(Report {
            run: out,
            seed,
            complete: outcome.complete,
            epochs: outcome.epoch,
            steps: outcome.step,
            skipped: outcome.skipped,
            bound,
            scores,
            digest: outcome.digest,
        });
    }
    args.print(&reports)?;
    Ok(Outcome::Done)
}

impl Args {
    /// The training number `index`.
    fn plan(&self, index: u32) -> anyhow::Result<Plan> {
        let begun = self.begun(index)?;
        let mut from = self.from.clone();
        let parent = match begun {
            Some((settings, origin)) => {
                from = from.or(origin);
                Some(settings)
            }
            None => match &from {
                Some(from) => Some(parent_model(from)?.info.settings),
                None => None,
            },
        };
        let mut settings = self.settings.resolve(parent)?;
        settings.seed += u64::from(index);
        settings.validate()?;
        let out = match &self.out {
            Some(out) => self.folder(out, index),
            None => self.folder(&default_folder(&settings, self.seeds.is_some()), index),
        };
        Ok(Plan { settings, out, from })
    }

    /// The folder of the training number `index`.
    fn folder(&self, base: &Path, index: u32) -> PathBuf {
        match self.seeds {
            Some(_) => base.join(format!("seed-{}", index + 1)),
            None => base.to_owned(),
        }
    }

    /// With `--resume`: the settings of the first training, and what it started from, as the
    /// training number `index` tells them; as the first one does, where `index` has not begun.
    fn begun(&self, index: u32) -> anyhow::Result<Option<(Settings, Option<PathBuf>)>> {
        let Some(base) = self.out.as_ref().filter(|_| self.resume) else { return Ok(None) };
        let mut known = [index, 0].into_iter().map(|i| (i, self.folder(base, i)));
        let Some((number, run)) = known.find(|(_, run)| RunFolder::exists(run)) else {
            return Ok(None);
        };
        let RunDescription { mut settings, identity, .. } = RunDescription::read(&run)?;
        settings.seed = settings.seed.saturating_sub(u64::from(number));
        Ok(Some((settings, identity.from.map(|origin| origin.run.into()))))
    }

    /// The command line that continues the run.
    fn how_to_go_on(&self, out: &Path) -> String {
        let mut line = "tightbound train --resume".to_owned();
        let folder = match self.seeds {
            Some(seeds) => {
                let _ = write!(line, " --seeds {seeds}");
                out.parent().unwrap_or(out)
            }
            None => out,
        };
        if let Some(data_dir) = &self.data.data_dir {
            let _ = write!(line, " --data-dir {}", quoted(data_dir));
        }
        let _ = write!(line, " --out {}", quoted(folder));
        line
    }

    fn print(&self, reports: &[Report]) -> anyhow::Result<()> {
        if self.json {
            return match (reports, self.seeds) {
                ([report], None) => print_json(report),
                _ => print_json(&reports),
            };
        }
        let mut text = String::new();
        for Report { run, epochs, steps, skipped, bound, scores, digest, .. } in reports {
            writeln!(text, "run     {}", run.display())?;
            writeln!(text, "epochs  {epochs} ({steps} steps)")?;
            if *skipped > 0 {
                writeln!(text, "skipped {skipped} steps whose numbers were not finite")?;
            }
            if let Some(bound) = bound {
                writeln!(text, "bound   {bound:.2} (mean of the last epoch, on training images)")?;
            }
            if let Some(scores) = scores.as_ref().and_then(describe_scores) {
                writeln!(text, "scores  {scores}")?;
            }
            writeln!(text, "digest  {digest}")?;
        }
        if let Some(line) = over_seeds(reports) {
            writeln!(text, "{line}")?;
        }
        print(&text)?;
        if let [Report { run, .. }] = reports {
            talk!("next: tightbound eval {}", quoted(run));
        }
        Ok(())
    }
}

/// The last L_K of several runs, as mean and standard deviation over seeds.
fn over_seeds(reports: &[Report]) -> Option<String> {
    let last = |report: &Report| report.scores.as_ref()?["l_k"].as_array()?.last().cloned();
    let points = reports.iter().map(last).collect::<Option<Vec<_>>>()?;
    let values = points.iter().map(|point| point["value"].as_f64()).collect::<Option<Vec<_>>>()?;
    let spread = (values.len() > 1).then(|| mean_and_sd(&values))?;
    let bound = format!("L_{}", points[0]["k"].as_u64()?);
    Some(format!("{bound:<7} {spread} (mean ± sd over {} seeds)", values.len()))
}

/// The folder of a run that was not given one; the seed is left out of the name of a sweep.
fn default_folder(settings: &Settings, sweep: bool) -> PathBuf {
    let mut name = settings.stem();
    if !sweep {
        let _ = write!(name, "-seed{}", settings.seed);
    }
    Path::new("runs").join(name)
}
