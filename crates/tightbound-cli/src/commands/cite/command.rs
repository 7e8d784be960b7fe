//! Collect the papers behind a run or an estimator.

use std::path::Path;

use serde::Serialize;
use tightbound::estimators::{Reference, find};
use tightbound::model::Initialisation;
use tightbound::run::RunDescription;
use tightbound::settings::{Protocol, Settings};

use super::bibliography::{ADAM, BINARIZED_MNIST, GLOROT, MNIST, OMNIGLOT, PHILOX};
use crate::failure::UsageError;
use crate::outcome::Outcome;
use crate::output::{print, print_json};

/// Print BibTeX for exactly what a run used, or for an estimator
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tightbound cite runs/demo/piwae\n  tightbound cite ciwae >> paper.bib"
)]
pub struct Args {
    /// A run folder, or the name of an estimator
    #[arg(value_name = "RUN|ESTIMATOR")]
    what: String,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// A paper, and what a run owes it.
#[derive(Serialize)]
struct Citation {
    key: &'static str,
    why: String,
    bibtex: &'static str,
}

/// Runs `tightbound cite`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let path = Path::new(&args.what);
    let citations = match find(&args.what) {
        Ok(definition) if !path.exists() => {
            let why = format!("{}, {}", definition.name, definition.equation);
            vec![citation(definition.reference, why)]
        }
        Err(error) if !path.exists() => {
            let what = &args.what;
            return Err(UsageError(format!("`{what}` is no run folder, and {error}")).into());
        }
        _ => of_settings(&RunDescription::read(path)?.settings)?,
    };
    if args.json {
        print_json(&citations)?;
    } else {
        let entries = citations.iter().map(|c| format!("% {}\n{}\n", c.why, c.bibtex));
        print(&entries.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Outcome::Done)
}

fn citation(reference: Reference, why: String) -> Citation {
    Citation { key: reference.key, why, bibtex: reference.bibtex }
}

/// The papers behind a training, each once, the estimator's first.
fn of_settings(settings: &Settings) -> anyhow::Result<Vec<Citation>> {
    let definition = find(&settings.estimator.name)?;
    let (vae, iwae) = (find("vae")?.reference, find("iwae")?.reference);
    let mut owed = vec![
        (
            definition.reference,
            format!("the estimator {}, {}", definition.name, definition.equation),
        ),
        (
            settings.estimator.gradient.reference(),
            format!("the encoder's gradient, {}", settings.estimator.gradient.title()),
        ),
        (vae, "the model, and its reparameterised gradients".to_owned()),
        (iwae, "the ladder of learning rates, and scores by importance sampling".to_owned()),
    ];
    if settings.protocol == Protocol::Paper {
        let rainforth = find("miwae")?.reference;
        owed.push((rainforth, "the protocol `paper`: equal budgets, IWAE-64, -KL".to_owned()));
    }
    if settings.model.initialisation == Initialisation::Glorot {
        owed.push((GLOROT, "the initialisation".to_owned()));
    }
    owed.push((ADAM, "the optimiser".to_owned()));
    match settings.data.name.as_str() {
        "mnist" => owed.push((MNIST, "the images".to_owned())),
        "omniglot" => owed.push((OMNIGLOT, "the images".to_owned())),
        "binarized-mnist" => {
            owed.push((MNIST, "the images".to_owned()));
            owed.push((BINARIZED_MNIST, "their binarisation".to_owned()));
        }
        _ => {}
    }
    owed.push((PHILOX, "the random numbers".to_owned()));
    let mut citations: Vec<Citation> = Vec::new();
    for (reference, why) in owed {
        match citations.iter_mut().find(|c| c.key == reference.key) {
            Some(known) => known.why += &format!("; {why}"),
            None => citations.push(citation(reference, why)),
        }
    }
    Ok(citations)
}

#[cfg(test)]
mod tests {
    use tightbound::estimators::Gradient;

    use super::*;

    fn keys(change: impl FnOnce(&mut Settings)) -> Vec<&'static str> {
        let mut settings = Settings::preset(Protocol::Paper);
        change(&mut settings);
        of_settings(&settings).unwrap().iter().map(|c| c.key).collect()
    }

    #[test]
    fn a_run_cites_what_it_used_and_nothing_else() {
        assert_eq!(
            keys(|_| ()),
            [
                "burda2016importance",
                "kingma2014auto",
                "rainforth2018tighter",
                "glorot2010understanding",
                "kingma2015adam",
                "lecun1998gradient",
                "salmon2011parallel",
            ]
        );
        let dreg = keys(|settings| settings.estimator.gradient = Gradient::Dreg);
        assert_eq!(dreg[..2], ["burda2016importance", "tucker2019doubly"]);
        let report = keys(|settings| {
            *settings = Settings::preset(Protocol::Report);
            settings.estimator.name = "vae".to_owned();
            settings.data.name = "glyphs".to_owned();
        });
        let expected =
            ["kingma2014auto", "burda2016importance", "kingma2015adam", "salmon2011parallel"];
        assert_eq!(report, expected);
    }

    #[test]
    fn entries_begin_with_their_key_and_close_their_braces() {
        let references = [ADAM, BINARIZED_MNIST, GLOROT, MNIST, OMNIGLOT, PHILOX];
        for Reference { key, bibtex, .. } in references {
            assert!(bibtex.contains(&format!("{{{key},")), "{key}");
            assert_eq!(bibtex.matches('{').count(), bibtex.matches('}').count(), "{key}");
        }
    }
}
