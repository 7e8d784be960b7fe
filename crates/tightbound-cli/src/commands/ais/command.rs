//! Define the flags of `tightbound ais`, and run it.

use clap::value_parser;
use tightbound::evaluate::ais::{AisOptions, Schedule};

use super::study::Study;
use super::text::{Subject, to_json, to_text};
use crate::args::{ImageArgs, Loaded, ModelArgs};
use crate::images::some_of;
use crate::outcome::Outcome;
use crate::output::{print, print_json};

/// Bound log p(x) without the encoder, by annealed importance sampling
///
/// Chains walk from the prior to the posterior of each image in many small steps of Hamiltonian Monte
/// Carlo (Neal 2001, Wu et al. 2017). Their weights are unbiased for p(x), so log p(x) lies above, and the
/// result stands beside L_K on the same images. With --simulated the model draws the images itself; then
/// chains can also walk back from an exact draw of the posterior, and log p(x) is held between two bounds
/// (Grosse et al. 2015).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tightbound ais runs/demo/piwae --simulated                   how far is L_K from log p(x)?
  tightbound ais runs/demo/piwae                               a second opinion on test images
  tightbound ais runs/demo/piwae --simulated --steps 5000      tighter, ten times as long
  tightbound ais runs/demo/piwae --images 20 --chains 4 --json

What the numbers mean:
  lower       log of the mean weight of --chains chains that begin at the prior
  upper       the same backwards from the exact posterior; log p(x) lies between the means of both
  gap         upper − lower, image by image: neither bound is further than this from log p(x)
  L_K         importance sampling from the encoder; how far it is below upper bounds its error
  acceptance  moves accepted, aimed at 65 %;  chains: how many of --chains carry the estimate
A wide gap asks for more --steps. The time grows with images × chains × steps × leapfrog.")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,

    #[command(flatten)]
    shown: ImageArgs,

    /// Let the model draw the images, and bound log p(x) from above too
    #[arg(long, conflicts_with_all = ["data", "part"])]
    simulated: bool,

    /// How many images, chosen by --seed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    images: u32,

    /// Chains per image
    #[arg(long, value_name = "C", default_value_t = 8, value_parser = value_parser!(u32).range(1..=65_536))]
    chains: u32,

    /// Steps from the prior to the posterior
    #[arg(long, value_name = "T", default_value_t = 500, value_parser = value_parser!(u32).range(1..=10_000_000))]
    steps: u32,

    /// Leapfrog steps of each move
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=10_000))]
    leapfrog: u32,

    /// How the temperatures are spread
    #[arg(long, value_name = "RULE", default_value = "sigmoid", value_parser = ["sigmoid", "linear"])]
    schedule: String,

    /// Samples per image behind the L_K to compare with
    #[arg(long, value_name = "K", default_value_t = 5000, value_parser = value_parser!(u32).range(1..=100_000_000))]
    k: u32,

    /// Write JSON, which holds every image
    #[arg(long)]
    json: bool,
}

/// Runs `tightbound ais`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let mut loaded = args.model.load()?;
    let options = args.options();
    let (study, images) = if args.simulated {
        let study = Study::of_simulated(&mut loaded, args.images, options, args.k)?;
        (study, "drawn by the model itself".to_owned())
    } else {
        let shown = args.shown.load(&loaded)?;
        let of = shown.images.len();
        let images = some_of(shown.images, Some(args.images as usize), options.seed);
        let study = Study::of_images(&mut loaded, &images, options, args.k)?;
        let part = args.shown.part.name();
        let data = format!("{} (hash {})", shown.name, shown.hash);
        (study, format!("of {of} {part} images of {data}, frozen pixels"))
    };
    let Loaded { model, .. } = &loaded;
    let run = &args.model.run;
    let subject = Subject { run, info: &model.info, images: &images, options, k: args.k };
    if args.json {
        print_json(&to_json(&subject, &study))?;
    } else {
        print(&to_text(&subject, &study))?;
    }
    Ok(Outcome::Done)
}

impl Args {
    fn options(&self) -> AisOptions {
        AisOptions {
            chains: self.chains,
            steps: self.steps,
            leapfrog: self.leapfrog,
            schedule: match self.schedule.as_str() {
                "linear" => Schedule::Linear,
                _ => Schedule::Sigmoid,
            },
            seed: self.model.seed,
        }
    }
}
