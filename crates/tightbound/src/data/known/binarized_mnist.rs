//! Load the fixed binarisation of MNIST (Larochelle; Salakhutdinov & Murray 2008).

use super::file::KnownFile;
use crate::data::dataset::{Dataset, Parts};
use crate::data::download::{Expected, Progress};
use crate::data::error::DataError;
use crate::data::finder::Finder;
use crate::data::{amat, bytes};

/// One part; the digest is that of the text, which is what its public home holds.
macro_rules! file {
    ($part:literal, $sha256:literal) => {
        KnownFile {
            sub: "binarized_mnist",
            names: &[
                concat!("binarized_mnist_", $part, ".amat"),
                concat!("binarized_mnist_", $part, ".amat.gz"),
            ],
            urls: &[concat!(
                "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
                "binarized_mnist_",
                $part,
                ".amat"
            )],
            expected: Expected::Sha256($sha256),
            most_bytes: 1 << 27,
        }
    };
}

const TRAIN: KnownFile =
    file!("train", "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d");
const VALID: KnownFile =
    file!("valid", "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2");
const TEST: KnownFile =
    file!("test", "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c");

/// Loads the three parts: 50,000 images to train on, 10,000 for validation, 10,000 to test.
pub(in crate::data) fn load(
    finder: &Finder,
    progress: &dyn Progress,
) -> Result<Dataset, DataError> {
    let mut sources = Vec::new();
    let mut part = |file: KnownFile| {
        let path = file.get(finder, progress)?;
        let (file, source) = bytes::read(&path)?;
        sources.push(source);
        amat::parse(&file).map_err(|e| e.in_file(&path))
    };
    let parts = Parts { train: part(TRAIN)?, validation: Some(part(VALID)?), test: part(TEST)? };
    Dataset::new("binarized-mnist", parts, sources)
}
