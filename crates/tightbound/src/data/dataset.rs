//! Describe one data set: its parts, and where its bytes came from.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::DataError;
use super::images::Images;
use crate::random::{Purpose, Stream};

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file's name, without its folder.
    pub file: String,
    /// SHA-256 of the bytes as they lie in the file, in hexadecimal.
    pub sha256: String,
}

/// The parts of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// For protocol lines: `mnist`, `omniglot (derived)`, `glyphs`, or the user's file name.
    pub name: String,
    /// Images to train on.
    pub train: Images,
    /// Images to score on; nothing is ever selected by them.
    pub test: Images,
    /// Images to select by: the set's own validation part, or what [`Dataset::hold_out`] took.
    pub validation: Option<Images>,
    /// The files read.
    pub sources: Vec<Source>,
    /// Whether every pixel is 0 or 1 already.
    pub fixed: bool,
}

/// The images of a data set, before they are known to fit together.
pub(super) struct Parts {
    pub train: Images,
    pub test: Images,
    pub validation: Option<Images>,
}

impl Dataset {
    /// Puts the parts together, if they hold images of one size.
    pub(super) fn new(name: &str, parts: Parts, sources: Vec<Source>) -> Result<Self, DataError> {
        let Parts { train, test, validation } = parts;
        let size = |images: &Images| (images.height, images.width);
        for other in [&test].into_iter().chain(&validation) {
            if size(other) != size(&train) {
                return Err(DataError::Sizes {
                    name: name.to_owned(),
                    train: size(&train),
                    other: size(other),
                });
            }
        }
        let fixed = [&train, &test].into_iter().chain(&validation).all(Images::is_binary);
        Ok(Self { name: name.to_owned(), train, test, validation, sources, fixed })
    }

    /// The [`sources_hash`] of the files read. Held-out images do not change it.
    pub fn hash(&self) -> String {
        sources_hash(self.sources.iter().map(|source| source.sha256.as_str()))
    }

    /// Moves `n` training images, chosen by `seed`, to the validation part; 0 changes nothing.
    ///
    /// Both parts keep the order and the numbers (ids) the images had.
    ///
    /// # Errors
    /// If fewer than `n + 1` training images are there, or there is a validation part already.
    pub fn hold_out(&mut self, n: usize, seed: u64) -> Result<(), DataError> {
        if n == 0 {
            return Ok(());
        }
        let refuse = |problem: String| {
            Err(DataError::HoldOut { name: self.name.clone(), wanted: n, problem })
        };
        if self.validation.is_some() {
            return refuse("it has a validation part already; ask for 0".into());
        }
        let total = self.train.len();
        if n >= total {
            return refuse(format!("there are {total} training images, and one must remain"));
        }
        let stream = Stream::new(seed, Purpose::Validation);
        let mut positions: Vec<usize> = (0..total).collect();
        for i in 0..n {
            let j = i + stream.below((total - i) as u32, 0, 0, 0, i as u32) as usize;
            positions.swap(i, j);
        }
        let (held_out, rest) = positions.split_at_mut(n);
        held_out.sort_unstable();
        rest.sort_unstable();
        self.validation = Some(self.train.select(held_out));
        self.train = self.train.select(rest);
        Ok(())
    }
}

/// Twelve hexadecimal digits that stand for files by their SHA-256s, in their order.
///
/// Held-out images do not change it.
pub fn sources_hash<'a>(sha256s: impl Iterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for sha256 in sha256s {
        digest.update(sha256.as_bytes());
    }
    hex(&digest.finalize())[..12].to_owned()
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    fn numbered(n: u8) -> Dataset {
        let images = |n| Images::new(1, 1, Pixels::Bytes((0..n).collect()), None);
        let source = Source { file: "x".into(), sha256: "ab".into() };
        let parts = Parts { train: images(n), test: images(2), validation: None };
        Dataset::new("numbered", parts, vec![source]).unwrap()
    }

    #[test]
    fn held_out_images_keep_their_numbers_and_no_image_is_lost() {
        let mut data = numbered(50);
        let hash = data.hash();
        data.hold_out(20, 7).unwrap();
        let validation = data.validation.as_ref().unwrap();
        assert_eq!((data.train.len(), validation.len()), (30, 20));
        for part in [&data.train, validation] {
            assert!(part.ids.is_sorted());
            let pixels = Pixels::Bytes(part.ids.iter().map(|&id| id as u8).collect());
            assert_eq!(part.pixels, pixels);
        }
        let mut all = [&data.train.ids[..], &validation.ids].concat();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<u32>>());
        assert_eq!(data.hash(), hash);

        let mut other = numbered(50);
        other.hold_out(20, 8).unwrap();
        assert_ne!(other.train.ids, data.train.ids);
    }

    #[test]
    fn impossible_validation_parts_are_refused() {
        let mut data = numbered(5);
        assert!(data.hold_out(5, 1).unwrap_err().to_string().contains("one must remain"));
        data.hold_out(0, 1).unwrap();
        assert_eq!(data, numbered(5));
        data.hold_out(4, 1).unwrap();
        assert!(data.hold_out(1, 1).unwrap_err().to_string().contains("already"));
    }
}
