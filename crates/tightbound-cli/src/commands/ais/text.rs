//! Put bounds on log p(x) into a table, a sentence and JSON.

use std::path::Path;

use serde_json::{Value, json};
use tightbound::evaluate::ais::AisOptions;
use tightbound::run::ModelInfo;
use tightbound::settings::EstimatorLine;
use tightbound_report::{Align, Measured, Table};

use super::study::Study;
use crate::output::shown;

/// What was bounded, and how.
pub struct Subject<'a> {
    /// The run folder or model.
    pub run: &'a Path,
    /// Where the model comes from.
    pub info: &'a ModelInfo,
    /// Whose images they are, in words.
    pub images: &'a str,
    /// How they were annealed.
    pub options: AisOptions,
    /// K of the score to compare with.
    pub k: u32,
}

impl Subject<'_> {
    fn protocol(&self, count: usize) -> String {
        let AisOptions { chains, steps, leapfrog, schedule, seed } = self.options;
        let spread = format!("{schedule:?}").to_lowercase();
        let info = self.info;
        format!(
            "{} of {} epochs, digest {} | {count} images {} | {chains} chains, {steps} steps \
             ({spread}), {leapfrog} leapfrog steps, K={}, evaluation seed {seed}, tightbound {}",
            EstimatorLine(&info.settings),
            info.epoch,
            &info.digest[..16.min(info.digest.len())],
            self.images,
            self.k,
            tightbound::VERSION,
        )
    }
}

/// Everything, for programs.
pub fn to_json(subject: &Subject<'_>, study: &Study) -> Value {
    let lower = study.mean(|image| image.lower);
    let l_k = study.mean(|image| image.l_k);
    let below = study.mean(|image| image.l_k - image.lower);
    let upper = study.upper_mean(|_, upper| upper);
    let gap = study.upper_mean(|image, upper| upper - image.lower);
    json!({
        "run": shown(subject.run),
        "epoch": subject.info.epoch,
        "digest": subject.info.digest,
        "images": study.images.len(),
        "simulated": upper.is_some(),
        "options": subject.options,
        "lower": lower.value,
        "lower_se": lower.error,
        "upper": upper.map(|e| e.value),
        "upper_se": upper.map(|e| e.error),
        "gap": gap.map(|e| e.value),
        "gap_se": gap.map(|e| e.error),
        "k": subject.k,
        "l_k": l_k.value,
        "l_k_se": l_k.error,
        "l_k_minus_lower": below.value,
        "l_k_minus_lower_se": below.error,
        "acceptance": study.mean(|image| image.acceptance).value,
        "effective_chains": study.mean(|image| image.effective_chains).value,
        "per_image": study.images,
        "protocol": subject.protocol(study.images.len()),
    })
}

/// A table, the sentence that it comes to, and the protocol.
pub fn to_text(subject: &Subject<'_>, study: &Study) -> String {
    let l_k = format!("L_{}", subject.k);
    let mut table = Table::new(&[
        ("log p(x)", Align::Left),
        ("nats", Align::Right),
        ("what it is", Align::Left),
    ]);
    let mut row = |name: &str, value: Measured, meaning: &str| {
        table.row([name.to_owned(), value.to_string(), meaning.to_owned()]);
    };
    row(&l_k, study.mean(|image| image.l_k), "from below, by samples of the encoder");
    row("lower", study.mean(|image| image.lower), "from below, annealed from the prior");
    if let Some(upper) = study.upper_mean(|_, upper| upper) {
        row("upper", upper, "from above, annealed back from the posterior");
    }
    if let Some(gap) = study.upper_mean(|image, upper| upper - image.lower) {
        row("gap", gap, "upper − lower, image by image");
    }
    let acceptance = 100.0 * study.mean(|image| image.acceptance).value;
    let carry = study.mean(|image| image.effective_chains).value;
    format!(
        "{table}\n± is one standard error over images. Acceptance {acceptance:.0} %; \
         {carry:.1} of {} chains carry the lower bound.\n\n{}\n\n{}\n",
        subject.options.chains,
        sentence(study, &l_k),
        subject.protocol(study.images.len()),
    )
}

/// What the numbers say.
fn sentence(study: &Study, l_k: &str) -> String {
    let count = study.images.len();
    let ahead = study.mean(|image| image.l_k - image.lower);
    let Some(short) = study.upper_mean(|image, upper| upper - image.l_k) else {
        let (better, other, by) = match ahead.value >= 0.0 {
            true => (l_k, "annealing", ahead),
            false => ("annealing", l_k, Measured { value: -ahead.value, ..ahead }),
        };
        return format!(
            "Both are lower bounds on log p(x): on these {count} images {better} is {by} nats above \
             {other}.\nHow far log p(x) is above both, --simulated tells on the model's own images."
        );
    };
    let lower = study.mean(|image| image.lower).value;
    let best = lower.max(study.mean(|image| image.l_k).value);
    let upper = study.upper_mean(|_, upper| upper).map_or(f64::NAN, |upper| upper.value);
    let place = match upper > best {
        true => {
            format!("lies between {best:.2} and {upper:.2} nats,\nbut for the noise of the chains")
        }
        false => format!(
            "is {:.2} nats:\nits bounds differ by less than their noise",
            0.5 * (best + upper)
        ),
    };
    format!(
        "On average over {count} images of its own, the model's log p(x) {place}; \
         {l_k} is at most {short} nats too low."
    )
}
