//! Put signal-to-noise ratios into words, tables and JSON.

use serde_json::{Value, json};
use tightbound::diagnose::live::{ScopeSnr, SnrReport, least_resolved};
use tightbound::model::Network;
use tightbound::settings::{EstimatorLine, Settings};
use tightbound_report::{Align, Table};

use super::study::{Study, name};

/// The β at which CIWAE is shown.
const BETAS: [f64; 7] = [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0];

/// What was measured, and how.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The run folder or model.
    pub run: String,
    /// What it was trained on.
    pub settings: Settings,
    /// Epochs that were complete.
    pub epoch: usize,
    /// Digest of its parameters.
    pub digest: String,
    /// The images' set.
    pub data: String,
    /// The part of it.
    pub part: &'static str,
    /// B.
    pub images: usize,
    /// How many images the part has.
    pub of: usize,
    /// R.
    pub draws: u32,
    /// Seed of images, pixels and noise.
    pub seed: u64,
}

/// Everything, for programs.
pub fn to_json(subject: &Subject, study: &Study) -> Value {
    let mixture = study.mixture.map(|mixture| {
        let points = BETAS.map(|beta| json!({ "beta": beta, "encoder_ratio": mixture.snr(beta) }));
        json!(points)
    });
    json!({
        "run": subject.run,
        "trained": subject.settings.estimator,
        "epoch": subject.epoch,
        "digest": subject.digest,
        "data": subject.data,
        "part": subject.part,
        "images": subject.images,
        "draws": subject.draws,
        "seed": subject.seed,
        "version": tightbound::VERSION,
        "grid": study.grid,
        "what_if": study.what_if,
        "unmeasured": study.unmeasured,
        "ciwae": mixture,
        "findings": study.findings(),
        "clearest": study.clearest().map(|(best, alike)| json!({
            "estimator": best.estimator,
            "not_told_from": alike.iter().map(|r| &r.estimator).collect::<Vec<_>>(),
        })),
    })
}

/// Tables and findings.
pub fn to_text(subject: &Subject, study: &Study, layers: bool) -> String {
    let Subject { run, settings, epoch, digest, data, part, images, of, draws, seed } = subject;
    let mut text = format!(
        "Signal and noise of the gradients of {run}: trained as {}, {epoch} epochs, digest {digest}.\n\
         {draws} draws on {images} of {of} {part} images of {data}, seed {seed}, tightbound {}.\n\
         In brackets: 95 % intervals, of ratios from {limit:.3} on; {draws} draws do not resolve lower ones.\n",
        EstimatorLine(settings),
        tightbound::VERSION,
        limit = least_resolved(f64::from(*draws)),
    );
    for (network, title) in [(Network::Encoder, "Encoder, φ"), (Network::Decoder, "Decoder, θ")] {
        text += &format!("\n{title}\n\n{}", grid(&study.grid, network));
    }
    if layers {
        text += &format!("\nLayer by layer\n\n{}", layer_table(&study.grid));
    }
    if !study.what_if.is_empty() {
        let budget = study.what_if[0].estimator.m * study.what_if[0].estimator.k;
        text += &format!(
            "\nWhat if: all estimators with M·K = {budget}, from the same noise\n\n{}",
            what_if(&study.what_if)
        );
    }
    for reason in &study.unmeasured {
        text += &format!("\n{reason}.\n");
    }
    if let Some(mixture) = study.mixture {
        let point = |beta| format!("{:.3} at β = {beta}", mixture.snr(beta));
        text += &format!("\nciwae, encoder's ratio: {}.\n", BETAS.map(point).join(", "));
    }
    text += "\nA ratio says how clear a gradient is, not where it leads: a loose bound has clear gradients \
             of the wrong thing.\n";
    text + "\nFindings\n\n" + &findings(study)
}

fn findings(study: &Study) -> String {
    let mut text = String::new();
    for finding in study.findings() {
        text += &format!("- {}\n", finding.sentence);
    }
    if let Some((best, alike)) = study.clearest() {
        let figure = best.network(Network::Encoder).ratio;
        text += &format!(
            "- Of the unbiased rules at this budget, {} has the largest ratio for the encoder, {figure}",
            name(&best.estimator)
        );
        text += &match alike.is_empty() {
            true => "; the draws tell it from all others of them.\n".to_owned(),
            false => {
                let names: Vec<_> = alike.iter().map(|r| name(&r.estimator)).collect();
                format!("; these draws do not tell it from: {}.\n", names.join(", "))
            }
        };
    }
    text
}

fn figures(scope: &ScopeSnr) -> [String; 4] {
    [
        scope.ratio.to_string(),
        format!("{:.3} (floor {:.3})", scope.raw, scope.floor),
        format!("{:.3}", scope.debiased),
        scope.directional.map_or("–".to_owned(), |d| format!("{:.3}", d.value)),
    ]
}

fn grid(rows: &[SnrReport], network: Network) -> String {
    let mut table = Table::new(&[
        ("M", Align::Right),
        ("K", Align::Right),
        ("ratio", Align::Left),
        ("raw", Align::Left),
        ("debiased", Align::Right),
        ("DSNR", Align::Right),
        ("ESS", Align::Right),
    ]);
    for row in rows {
        let [ratio, raw, debiased, directional] = figures(row.network(network));
        let (m, k) = (row.estimator.m.to_string(), row.estimator.k.to_string());
        let ess = format!("{:.1}", row.effective_samples);
        table.row([m, k, ratio, raw, debiased, directional, ess]);
    }
    table.to_string()
}

fn layer_table(rows: &[SnrReport]) -> String {
    let mut table = Table::new(&[
        ("M", Align::Right),
        ("K", Align::Right),
        ("layer", Align::Left),
        ("ratio", Align::Left),
        ("raw", Align::Left),
        ("debiased", Align::Right),
        ("DSNR", Align::Right),
    ]);
    for row in rows {
        for scope in row.scopes.iter().filter(|s| !s.scope.whole) {
            let [ratio, raw, debiased, directional] = figures(scope);
            let (m, k) = (row.estimator.m.to_string(), row.estimator.k.to_string());
            table.row([m, k, scope.scope.name.clone(), ratio, raw, debiased, directional]);
        }
    }
    table.to_string()
}

fn what_if(rows: &[SnrReport]) -> String {
    let mut table = Table::new(&[
        ("estimator (M, K)", Align::Left),
        ("encoder's mean", Align::Left),
        ("encoder", Align::Left),
        ("decoder", Align::Left),
    ]);
    for row in rows {
        let ratio = |network| row.network(network).ratio.to_string();
        let claim = match row.estimator.is_unbiased() {
            Ok(true) => "unbiased",
            _ => "another than the bound's",
        };
        let [encoder, decoder] = [Network::Encoder, Network::Decoder].map(ratio);
        table.row([name(&row.estimator), claim.to_owned(), encoder, decoder]);
    }
    table.to_string()
}
