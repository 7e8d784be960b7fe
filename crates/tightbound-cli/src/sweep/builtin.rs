//! Hold the experiments of the papers, which `experiments/` describes.

use std::path::{Path, PathBuf};

use tightbound::sweep::Experiment;

use crate::failure::UsageError;

macro_rules! experiments {
    ($($name:literal)*) => {
        /// Name and text of every experiment.
        const EXPERIMENTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../experiments/", $name, ".toml")))),*];
    };
}

experiments! { "table1" "omniglot" "table2" "beta-study" "rainforth" "snr" }

/// The names of all built-in experiments, as a list in words.
pub fn names() -> String {
    let names: Vec<&str> = EXPERIMENTS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// The experiment called `name`, or in the file `name`; with the path that its errors name.
///
/// # Errors
/// If there is neither, or the file is no experiment.
pub fn find(name: &str) -> anyhow::Result<(Experiment, PathBuf)> {
    let path = PathBuf::from(name);
    if let Some((name, text)) = EXPERIMENTS.iter().find(|(known, _)| *known == name) {
        let path = Path::new("experiments").join(format!("{name}.toml"));
        return Ok((Experiment::parse(text, &path)?, path));
    }
    if !path.exists() {
        let message = format!(
            "there is no experiment `{name}`: name one of {}, or the file of your own",
            names()
        );
        return Err(UsageError(message).into());
    }
    let text = fs_err::read_to_string(&path)?;
    Ok((Experiment::parse(&text, &path)?, path))
}

#[cfg(test)]
mod tests {
    use tightbound::sweep::{Choices, Plan};

    use super::*;

    /// Every key is known, every value in range, and no cell stands twice.
    #[test]
    fn all_experiments_can_be_planned() {
        for (name, _) in EXPERIMENTS {
            let (experiment, path) = find(name).unwrap();
            let plan = Plan::new(&experiment, &path, &Choices::default()).unwrap();
            assert!(plan.cells.len() > 1, "{name}");
            assert_eq!(plan.truncation(), None, "{name}");
        }
    }
}
