//! Keep everything a training needs to go on as if it had never stopped.

use serde::{Deserialize, Serialize};

use super::error::Damage;
use super::sealed::{Buffer, seal, unseal};
use crate::model::{Architecture, ParameterTable};

const KIND: &str = "checkpoint";

/// A training between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Where it stands.
    pub position: Position,
    /// One element per parameter, in the order of the table.
    pub parameters: Vec<f32>,
    /// Adam's first moments, likewise.
    pub first_moment: Vec<f32>,
    /// Adam's second moments, likewise.
    pub second_moment: Vec<f32>,
}

/// Where a training stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Epochs that are complete.
    pub epoch: usize,
    /// Minibatches of the next epoch that are done.
    pub batch: usize,
    /// Steps of Adam that were made.
    pub step: u64,
    /// Steps that were left out because a number was not finite.
    pub skipped: u64,
    /// Whether the epoch just completed still has to be scored.
    pub evaluation_due: bool,
    /// Whole records in the log. Counted rather than measured in bytes, because the records'
    /// times differ in length between two runs of the same training.
    pub records: u64,
    /// Sums over the minibatches of the next epoch that are done.
    pub sums: EpochSums,
    /// β, where it is learned or chosen.
    pub beta: Option<BetaState>,
}

/// Sums over images, for an epoch's means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSums {
    /// Images that took part in a step.
    pub images: u64,
    /// Sum of the bounds that θ follows, in nats.
    pub theta: f64,
    /// Sum of the bounds that φ follows, in nats.
    pub phi: f64,
    /// Sum of the kept fractions.
    pub kept: f64,
    /// Steps of this epoch that were left out.
    pub skipped: u64,
}

/// A β that the settings do not fix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BetaState {
    /// Learned step by step.
    Learned(LearnedState),
    /// Chosen before an epoch.
    Chosen(f64),
}

/// A learned β = sigmoid(ξ) and its optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedState {
    /// ξ.
    pub xi: f64,
    /// Adam's first moment of ξ.
    pub first_moment: f64,
    /// Adam's second moment of ξ.
    pub second_moment: f64,
    /// Steps of Adam that ξ has made.
    pub step: u64,
}

/// What the header tells.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    architecture: Architecture,
    run: String,
    position: Position,
}

impl Position {
    /// Whether a training that stands here has made steps that one of `epochs` epochs does not make.
    pub fn is_beyond(&self, epochs: usize) -> bool {
        (self.epoch, self.batch) > (epochs, 0)
    }
}

impl Checkpoint {
    /// The start of a training from `parameters`.
    pub fn start(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self {
            position: Position::default(),
            first_moment: zeros.clone(),
            second_moment: zeros,
            parameters,
        }
    }

    /// Makes the bytes of the file. `run` is the run's fingerprint.
    pub(super) fn encode(&self, architecture: &Architecture, run: &str) -> Vec<u8> {
        let content = Content {
            architecture: architecture.clone(),
            run: run.to_owned(),
            position: self.position.clone(),
        };
        let buffers = [
            Buffer { prefix: "", values: &self.parameters },
            Buffer { prefix: "adam.m.", values: &self.first_moment },
            Buffer { prefix: "adam.v.", values: &self.second_moment },
        ];
        seal(KIND, &content, &ParameterTable::new(architecture), &buffers)
    }

    /// Reads the bytes of a file under the architecture and the run that it names itself.
    pub(super) fn decode_as_claimed(file: &[u8]) -> Result<Self, Damage> {
        let Content { architecture, run, .. } = unseal(file, KIND)?.content;
        Self::decode(file, &architecture, &run)
    }

    /// Reads the bytes of a file; refuses damage, another architecture and another run.
    pub(super) fn decode(
        file: &[u8],
        architecture: &Architecture,
        run: &str,
    ) -> Result<Self, Damage> {
        let unsealed = unseal::<Content>(file, KIND)?;
        let content = &unsealed.content;
        if content.architecture != *architecture {
            return Err(Damage::Architecture {
                found: Box::new(content.architecture.clone()),
                wanted: Box::new(architecture.clone()),
            });
        }
        if content.run != run {
            return Err(Damage::OtherRun);
        }
        let table = unsealed.table(architecture)?;
        Ok(Self {
            parameters: unsealed.buffer(&table, "")?,
            first_moment: unsealed.buffer(&table, "adam.m.")?,
            second_moment: unsealed.buffer(&table, "adam.v.")?,
            position: unsealed.content.position,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sealed::reseal;
    use super::super::testing::{checkpoint, description};
    use super::*;
    use crate::run::RunDescription;

    fn encoded() -> (RunDescription, Vec<u8>) {
        let description = description();
        let bytes = checkpoint(&description)
            .encode(&description.architecture(), &description.fingerprint());
        (description, bytes)
    }

    fn decode(description: &RunDescription, bytes: &[u8]) -> Result<Checkpoint, Damage> {
        Checkpoint::decode(bytes, &description.architecture(), &description.fingerprint())
    }

    #[test]
    fn every_bit_comes_back() {
        let (description, bytes) = encoded();
        let mut original = checkpoint(&description);
        assert_eq!(decode(&description, &bytes).unwrap(), original);
        original.parameters[3] = -0.0;
        original.position.sums.phi = f64::MIN_POSITIVE / 3.0;
        let learned =
            LearnedState { xi: 0.1 + 0.2, first_moment: -1e-300, second_moment: 5e-324, step: 9 };
        original.position.beta = Some(BetaState::Learned(learned));
        let bytes = original.encode(&description.architecture(), &description.fingerprint());
        let back = decode(&description, &bytes).unwrap();
        assert_eq!(back, original);
        assert!(back.parameters[3].is_sign_negative());
        original.position.beta = Some(BetaState::Chosen(0.1 + 0.2));
        let bytes = original.encode(&description.architecture(), &description.fingerprint());
        assert_eq!(decode(&description, &bytes).unwrap(), original);
    }

    #[test]
    fn other_readers_find_the_tensors_under_pytorchs_names() {
        let (description, bytes) = encoded();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let table = ParameterTable::new(&description.architecture());
        assert_eq!(file.len(), 3 * table.entries().len());
        for entry in table.entries() {
            assert_eq!(file.tensor(&entry.name).unwrap().shape(), entry.shape);
            assert!(file.tensor(&format!("adam.v.{}", entry.name)).is_ok());
        }
    }

    #[test]
    fn every_changed_bit_is_refused() {
        let (description, mut bytes) = encoded();
        for i in 0..bytes.len() {
            for bit in 0..8 {
                bytes[i] ^= 1 << bit;
                assert!(decode(&description, &bytes).is_err(), "byte {i}, bit {bit}");
                bytes[i] ^= 1 << bit;
            }
        }
        assert!(decode(&description, &bytes).is_ok());
    }

    #[test]
    fn every_cut_is_refused_and_called_one() {
        let (description, mut bytes) = encoded();
        let whole = bytes.len() as u64;
        for length in 0..bytes.len() {
            let damage = decode(&description, &bytes[..length]).unwrap_err();
            match damage {
                Damage::Length { found, announced } => {
                    assert!(found == length as u64 && announced <= whole && announced > found);
                }
                Damage::NotOurs => assert!(length < 200, "{length}"),
                other => panic!("cut at {length}: {other}"),
            }
        }
        bytes.push(0);
        let expected = Damage::Length { found: whole + 1, announced: whole };
        assert_eq!(decode(&description, &bytes), Err(expected));
    }

    /// A stranger can make checksums right. What they change may be believed, but never panics.
    #[test]
    fn forged_files_never_panic() {
        let (description, original) = encoded();
        for i in 0..original.len() {
            for change in [0x01, 0x10, 0x80, 0xff] {
                let mut bytes = original.clone();
                bytes[i] ^= change;
                reseal(&mut bytes);
                decode(&description, &bytes).ok();
            }
        }
        for length in 0..original.len() {
            let mut bytes = original[..length].to_vec();
            reseal(&mut bytes);
            assert!(decode(&description, &bytes).is_err());
        }
    }

    /// Replaces text in the header of a file, keeping its length, and makes the checksum right.
    fn forged(from: &str, to: &str) -> Result<Checkpoint, Damage> {
        let (description, mut bytes) = encoded();
        assert_eq!(from.len(), to.len());
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        reseal(&mut bytes);
        decode(&description, &bytes)
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let format = forged(r#"\"format\":1"#, r#"\"format\":9"#);
        assert_eq!(format, Err(Damage::Format { found: 9, known: 1 }));
        let kind = forged("checkpoint", "checkpoins");
        assert!(matches!(kind, Err(Damage::Kind { .. })), "{kind:?}");
        let unknown = forged(r#"\"batch\""#, r#"\"botch\""#);
        let Err(Damage::Header(message)) = unknown else { panic!("{unknown:?}") };
        assert!(message.contains("botch"), "{message}");
        let tensor = forged(r#""mu.bias""#, r#""mu.bios""#);
        let Err(Damage::Tensor { name, .. }) = tensor else { panic!("{tensor:?}") };
        assert_eq!(name, "mu.bias");

        let (description, bytes) = encoded();
        let mut other = description.clone();
        other.settings.model.decoder = vec![5];
        let damage = decode(&other, &bytes).unwrap_err().to_string();
        assert!(damage.contains("1–3–4") && damage.contains("1–5–4"), "{damage}");
        let mut other = description.clone();
        other.settings.seed = 8;
        assert_eq!(decode(&other, &bytes), Err(Damage::OtherRun));
        let mut longer = description;
        longer.settings.train.epochs = 9;
        longer.machine.threads = 3;
        assert!(decode(&longer, &bytes).is_ok());
    }

    #[test]
    fn a_declared_giant_is_refused_before_it_is_allocated() {
        let (mut description, _) = encoded();
        let small = checkpoint(&description);
        let architecture = description.architecture();
        description.settings.model.latents = 1 << 40;
        let giant = description.architecture();
        let content =
            Content { architecture: giant.clone(), run: String::new(), position: small.position };
        let buffers = [Buffer { prefix: "", values: &small.parameters }];
        let bytes = seal(KIND, &content, &ParameterTable::new(&architecture), &buffers);
        let damage = Checkpoint::decode(&bytes, &giant, "").unwrap_err();
        assert!(matches!(damage, Damage::Header(_)), "{damage}");
    }
}
