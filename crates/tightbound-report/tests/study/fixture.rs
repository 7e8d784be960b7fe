//! Make run folders of known content: settings, log and scores, but no weights.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tightbound::data::{Images, Pixels};
use tightbound::estimators::EstimatorSettings;
use tightbound::evaluate::{
    Border, Code, CurvePoint, Estimate, Evaluation, ImageScore, ScoreOptions, ScoredImages, Scores,
    SsimScore, Units, curve_sizes, image_rows, write_rows,
};
use tightbound::model::ParameterTable;
use tightbound::run::{
    EpochRecord, EvaluationRecord, Identity, Machine, Origin, Record, RunDescription, Timing,
    sha256_hex, short_digest,
};
use tightbound::settings::{BetaObjective, Protocol, Settings};
use tightbound_report::study::{Report, Run, Subjects};

/// Three epochs of an estimator on MNIST by the paper's protocol.
pub fn settings(name: &str, m: usize, k: usize) -> Settings {
    let mut settings = Settings::preset(Protocol::Paper);
    settings.estimator = EstimatorSettings::new(name, m, k);
    settings.train.epochs = 3;
    settings
}

/// CIWAE of 64 samples with a fixed β.
pub fn ciwae(beta: f64) -> Settings {
    let mut settings = settings("ciwae", 1, 64);
    settings.estimator.beta = Some(beta);
    settings
}

/// The same settings with another seed.
pub fn seeded(settings: &Settings, seed: u64) -> Settings {
    Settings { seed, ..settings.clone() }
}

/// What a run scored.
#[derive(Clone)]
pub struct Scored {
    /// log p̂ of every image.
    pub log_p: Vec<f64>,
    /// log p̂ − L_1 of every image.
    pub gaps: Vec<f64>,
    /// Samples per image.
    pub k: u32,
    /// The evaluation's seed.
    pub seed: u64,
    /// Epochs that were complete.
    pub epoch: usize,
    /// Digest of the weights.
    pub digest: &'static str,
    /// The data set, with its part.
    pub on: (&'static str, &'static str),
    /// Mean and standard deviation of the SSIM from a draw, zero-padded.
    pub ssim: Option<(f64, f64)>,
}

/// Scores with log p̂ of every image, after three epochs, with K = 100.
pub fn scored(log_p: &[f64]) -> Scored {
    Scored {
        log_p: log_p.to_vec(),
        gaps: vec![3.5; log_p.len()],
        k: 100,
        seed: 0,
        epoch: 3,
        digest: "digest",
        on: ("mnist", "test"),
        ssim: Some((0.625, 0.125)),
    }
}

impl Scored {
    /// The evaluation, with the CSV of its images.
    pub fn evaluation(&self) -> (Evaluation, Vec<u8>) {
        let sizes = curve_sizes(self.k);
        let last = (sizes.len() - 1) as f64;
        // The curve climbs by equal steps, from L_1 to log p̂.
        let curve = |log_p: f64, gap: f64| {
            (0..sizes.len()).map(|point| log_p - gap * (last - point as f64) / last).collect()
        };
        let images = self.log_p.iter().zip(&self.gaps).enumerate();
        let images = images.map(|(index, (&log_p, &gap))| ImageScore {
            id: index as u32,
            curve: curve(log_p, gap),
            jackknife: Some(log_p + 0.25),
            effective_samples: 2.0 + index as f64,
            pareto_k: Some(0.2 * index as f64),
        });
        let images: Vec<ImageScore> = images.collect();
        let shown = Images::new(1, 1, Pixels::Bytes(vec![0; images.len()]), None);
        let csv = write_rows(&image_rows(&shown, &images, self.k, &vec![0.5; images.len()]));
        let ssim = |code, border, (mean, sd): (f64, f64)| SsimScore { code, border, mean, sd };
        let evaluation = Evaluation {
            epoch: self.epoch,
            digest: self.digest.into(),
            on: ScoredImages {
                data: self.on.0.into(),
                hash: "0123".into(),
                part: self.on.1.into(),
                of: 100,
            },
            options: ScoreOptions { k: self.k, seed: self.seed, ..ScoreOptions::default() },
            per_image: short_digest(&sha256_hex(&csv)).into(),
            protocol: format!("scored with K={}", self.k),
            scores: Scores::of(&images, self.k),
            units: Units { active: 17, variance: vec![0.5; 50], kl: vec![0.25; 50] },
            // The mode that tables show stands behind another, so that order cannot stand in for it.
            ssim: self.ssim.map_or_else(Vec::new, |shown| {
                vec![
                    ssim(Code::Mean, Border::Valid, (0.875, 0.0625)),
                    ssim(Code::Sample, Border::ZeroPadded, shown),
                ]
            }),
        };
        (evaluation, csv)
    }
}

/// A folder of run folders.
pub struct Runs(TempDir);

impl Runs {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub fn path(&self, run: &str) -> PathBuf {
        self.0.path().join(run)
    }

    /// Writes a run that was trained to the end of its settings.
    pub fn add(&self, run: &str, settings: &Settings) {
        self.add_part(run, settings, settings.train.epochs);
    }

    /// Writes a run that was trained for `epochs` epochs.
    pub fn add_part(&self, run: &str, settings: &Settings, epochs: usize) {
        fs::create_dir_all(self.path(run)).unwrap();
        self.describe(run, settings, None);
        let records = (1..=epochs).flat_map(|epoch| log(settings, epoch));
        let lines = records.map(|record| serde_json::to_string(&record).unwrap() + "\n");
        fs::write(self.path(run).join("metrics.jsonl"), lines.collect::<String>()).unwrap();
    }

    /// Writes `run.toml`.
    pub fn describe(&self, run: &str, settings: &Settings, from: Option<Origin>) {
        let data = match &*settings.data.name {
            "omniglot" => "omniglot (derived)",
            name => name,
        };
        let identity = Identity {
            version: tightbound::VERSION.into(),
            data: data.into(),
            pixels: 784,
            parameters: ParameterTable::new(&settings.architecture(784)).total(),
            sources: Vec::new(),
            from,
        };
        let machine = Machine::default();
        let description = RunDescription { settings: settings.clone(), identity, machine };
        fs::write(self.path(run).join("run.toml"), description.to_toml().unwrap()).unwrap();
    }

    /// Writes scores into a run, under a file name of their own if they are of other images.
    pub fn score(&self, run: &str, scored: &Scored) {
        let stem = match scored.on {
            ("mnist", "test") => "evaluation".to_owned(),
            (data, part) => format!("evaluation-{}-{part}", &data[..4]),
        };
        self.score_as(run, &stem, scored);
    }

    /// Writes scores into files of this stem.
    pub fn score_as(&self, run: &str, stem: &str, scored: &Scored) {
        let (evaluation, csv) = scored.evaluation();
        let json = serde_json::to_string(&evaluation).unwrap();
        fs::write(self.path(run).join(format!("{stem}.json")), json).unwrap();
        fs::write(self.path(run).join(format!("{stem}.csv")), csv).unwrap();
    }

    /// Writes a run that scored `log_p`, whose name tells estimator and seed.
    pub fn add_scored(&self, settings: &Settings, seed: u64, log_p: &[f64]) -> String {
        let beta = settings.estimator.beta.map_or_else(String::new, |beta| format!("-{beta}"));
        let run = format!("{}{beta}-{seed}", settings.estimator.label());
        self.add(&run, &seeded(settings, seed));
        self.score(&run, &scored(log_p));
        run
    }

    pub fn read(&self, run: &str) -> Run {
        Run::read(&self.path(run)).unwrap()
    }

    /// The report of all runs, sorted by name.
    pub fn report(&self) -> Report {
        let mut names: Vec<PathBuf> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let runs = names.iter().map(|path| Run::read(path).unwrap()).collect();
        Report::of(&Subjects { runs, threads: 1, ..Subjects::default() })
    }
}

/// What the log says of an epoch: the bound climbs by one a step, and seeds lie one apart. An epoch takes a
/// minute with seed 1, three with seed 3.
fn log(settings: &Settings, epoch: usize) -> [Record; 2] {
    let timing = Timing { seconds: 60.0 * settings.seed as f64, ..Timing::default() };
    let step = epoch as u64;
    let level = epoch as f64 - settings.seed as f64;
    let learns = settings.train.beta_objective != BetaObjective::Fixed;
    let bound = EpochRecord {
        epoch,
        step,
        rate: 1e-3,
        bound: Some(level - 100.0),
        bound_phi: None,
        kept: None,
        beta: learns.then(|| 0.5 / step as f64),
        skipped: 0,
        timing,
    };
    let mut sizes = vec![1, 64];
    sizes.extend(Some(settings.train.eval_k).filter(|&k| k > 64));
    let point = |k: u32| CurvePoint {
        k,
        estimate: Estimate { value: level - 95.0 + f64::from(k), se: 0.5 },
    };
    let l_k: Vec<CurvePoint> = sizes.into_iter().map(point).collect();
    let scores = serde_json::json!({ "images": 4, "seed": 0, "l_k": l_k });
    [Record::Epoch(bound), Record::Evaluation(EvaluationRecord { epoch, step, scores, timing })]
}
