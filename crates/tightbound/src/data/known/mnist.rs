//! Load MNIST (LeCun et al. 1998) from its four files.

use super::file::KnownFile;
use crate::data::bytes;
use crate::data::dataset::{Dataset, Parts, Source};
use crate::data::download::{Expected, Progress};
use crate::data::error::{DataError, Malformed};
use crate::data::finder::Finder;
use crate::data::grey::label;
use crate::data::idx;

/// One part: the file of images and the file of labels.
struct Part {
    images: KnownFile,
    labels: KnownFile,
}

/// The address of one file at both public homes, and its description.
macro_rules! file {
    ($name:literal, $also:literal, $sha256:literal) => {
        KnownFile {
            sub: "mnist",
            names: &[concat!($name, ".gz"), $name, $also],
            urls: &[
                concat!("https://storage.googleapis.com/cvdf-datasets/mnist/", $name, ".gz"),
                concat!("https://ossci-datasets.s3.amazonaws.com/mnist/", $name, ".gz"),
            ],
            expected: Expected::Sha256($sha256),
            most_bytes: 1 << 24,
        }
    };
}

const TRAIN: Part = Part {
    images: file!(
        "train-images-idx3-ubyte",
        "train-images.idx3-ubyte",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    labels: file!(
        "train-labels-idx1-ubyte",
        "train-labels.idx1-ubyte",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
};

const TEST: Part = Part {
    images: file!(
        "t10k-images-idx3-ubyte",
        "t10k-images.idx3-ubyte",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    labels: file!(
        "t10k-labels-idx1-ubyte",
        "t10k-labels.idx1-ubyte",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
};

/// Loads MNIST, or four files of the same names and kinds.
pub(in crate::data) fn load(
    finder: &Finder,
    progress: &dyn Progress,
) -> Result<Dataset, DataError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut part = |part: Part| {
        let path = part.images.get(finder, progress)?;
        let (file, source) = bytes::read(&path)?;
        sources.push(source);
        let images = idx::parse(&file).and_then(idx::images).map_err(|e| e.in_file(&path))?;
        let path = part.labels.get(finder, progress)?;
        let (file, source) = bytes::read(&path)?;
        sources.push(source);
        let labels = idx::parse(&file).and_then(idx::labels);
        let labelled = labels
            .and_then(|labels| label(images, labels).map_err(|e| Malformed::new("the header", e)));
        labelled.map_err(|e| e.in_file(&path))
    };
    let (train, test) = (part(TRAIN)?, part(TEST)?);
    Dataset::new("mnist", Parts { train, test, validation: None }, sources)
}
