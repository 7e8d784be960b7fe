//! Load the data sets known by name, from the user's folders or from their public homes.

use std::path::PathBuf;

use super::bytes;
use super::dataset::{Dataset, Source};
use super::download::{self, Expected, Progress};
use super::error::{DataError, MissingFile};
use super::finder::Finder;
use super::idx;
use super::images::{Images, Pixels};

/// One file of a known data set.
#[derive(Debug)]
pub(super) struct KnownFile {
    /// The data set's own folder, below any folder that is searched.
    pub sub: &'static str,
    /// Names under which it is looked for; downloaded under the first.
    pub names: &'static [&'static str],
    /// Its public homes: address of the file, in the order in which they are tried.
    pub urls: &'static [&'static str],
    /// What a downloaded file must be.
    pub expected: Expected,
    /// No more is downloaded.
    pub most_bytes: u64,
}

impl KnownFile {
    /// Where the file lies, after downloading it if need be.
    pub fn get(&self, finder: &Finder, progress: &dyn Progress) -> Result<PathBuf, DataError> {
        match finder.find(self.sub, self.names) {
            Some(path) => Ok(path),
            None => self.download(finder, progress),
        }
    }

    /// Downloads the file to the cache.
    fn download(&self, finder: &Finder, progress: &dyn Progress) -> Result<PathBuf, DataError> {
        let name = self.names[0];
        let target = finder.cache.as_ref().map(|cache| cache.join(self.sub).join(name));
        let mut missing = MissingFile {
            file: name.to_owned(),
            searched: finder.searched(self.sub),
            attempts: Vec::new(),
            advice: target.clone(),
        };
        let Some(target) = target else { return Err(DataError::Missing(Box::new(missing))) };
        let folder = target.parent().unwrap_or(&target);
        std::fs::create_dir_all(folder).map_err(|e| DataError::io(folder, e))?;
        let urls = match &finder.mirror {
            Some(base) => vec![format!("{base}/{name}")],
            None => self.urls.iter().map(|url| (*url).to_owned()).collect(),
        };
        for url in urls {
            match download::fetch(&url, &target, self.expected, self.most_bytes, progress) {
                Ok(()) => return Ok(target),
                Err(problem) => missing.attempts.push((url, problem)),
            }
        }
        Err(DataError::Missing(Box::new(missing)))
    }
}

/// The four files of MNIST: training images and labels, test images and labels.
const MNIST: [KnownFile; 4] = [
    mnist_file(
        &["train-images-idx3-ubyte.gz", "train-images-idx3-ubyte", "train-images.idx3-ubyte"],
        &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
        ],
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    mnist_file(
        &["train-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
        &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
        ],
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    mnist_file(
        &["t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"],
        &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
        ],
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    mnist_file(
        &["t10k-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"],
        &[
            "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
        ],
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
];

/// A file of MNIST, of 16 MiB at most.
const fn mnist_file(
    names: &'static [&'static str],
    urls: &'static [&'static str],
    sha256: &'static str,
) -> KnownFile {
    KnownFile { sub: "mnist", names, urls, expected: Expected::Sha256(sha256), most_bytes: 1 << 24 }
}

/// Loads MNIST, or four files of the same names and kinds.
pub(super) fn mnist(finder: &Finder, progress: &dyn Progress) -> Result<Dataset, DataError> {
    let mut sources = Vec::new();
    let [train_images, train_labels, test_images, test_labels] = &MNIST;
    let mut part = |images: &KnownFile, labels: &KnownFile| {
        let (images, labels) = (images.get(finder, progress)?, labels.get(finder, progress)?);
        let (images, labels) = (read_idx(&images, &mut sources)?, read_idx(&labels, &mut sources)?);
        let [_, height, width] = images.dims[..] else { unreachable!() };
        let labels = labels.values.iter().map(|&l| u16::from(l)).collect();
        Ok::<_, DataError>(Images::new(height, width, Pixels::Bytes(images.values), Some(labels)))
    };
    let train = part(train_images, train_labels)?;
    let test = part(test_images, test_labels)?;
    Ok(Dataset { name: "mnist".into(), train, test, validation: None, sources, fixed: false })
}

fn read_idx(path: &std::path::Path, sources: &mut Vec<Source>) -> Result<idx::IdxArray, DataError> {
    let (bytes, source) = bytes::read(path)?;
    sources.push(source);
    idx::parse(&bytes).map_err(|e| e.in_file(path))
}
