//! Say what was wrong with a data set, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data set could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {place}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        place: String,
        /// What is wrong there, and what was expected.
        problem: String,
    },
    /// The name is neither a known data set nor an existing file or folder.
    #[error(
        "there is no data set or file `{name}`: give mnist, omniglot, binarized-mnist, glyphs, \
         or the path of a file or folder"
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A file of a known data set lies in none of the folders and could not be downloaded.
    #[error("{0}")]
    Missing(Box<MissingFile>),
    /// A folder or archive lacks a part, or holds a kind of file that cannot be read.
    #[error("{}: {problem}", path.display())]
    Layout {
        /// The file or folder.
        path: PathBuf,
        /// What is missing or unknown, and what was expected.
        problem: String,
    },
    /// The parts hold images of different sizes.
    #[error(
        "`{name}`: training images are {}×{}, but those of another part {}×{}",
        train.0, train.1, other.0, other.1
    )]
    Sizes {
        /// The data set.
        name: String,
        /// Height and width of the training images.
        train: (usize, usize),
        /// Height and width of those that differ.
        other: (usize, usize),
    },
    /// Too many images are to be held out, or the set has a validation part already.
    #[error("cannot hold out {wanted} images of `{name}` for validation: {problem}")]
    HoldOut {
        /// The data set.
        name: String,
        /// How many were asked for.
        wanted: usize,
        /// What stands against it.
        problem: String,
    },
}

/// What was tried in order to get one file of a known data set.
#[derive(Debug)]
pub struct MissingFile {
    /// The file's name.
    pub file: String,
    /// The folders that were searched.
    pub searched: Vec<PathBuf>,
    /// Each address that was tried, with what went wrong.
    pub attempts: Vec<(String, String)>,
    /// Where the file may be put.
    pub advice: Option<PathBuf>,
}

impl std::fmt::Display for MissingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` was not found. Searched:", self.file)?;
        for folder in &self.searched {
            write!(f, "\n  {}", folder.display())?;
        }
        if !self.attempts.is_empty() {
            write!(f, "\nTried to download:")?;
        }
        for (url, problem) in &self.attempts {
            write!(f, "\n  {url}: {problem}")?;
        }
        match &self.advice {
            Some(path) => write!(f, "\nGet the file elsewhere and put it at {}", path.display())?,
            None => write!(f, "\nGet the file elsewhere")?,
        }
        write!(f, ", or name its folder with --data-dir or $TIGHTBOUND_DATA")
    }
}

impl DataError {
    /// An error of the operating system about `path`.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// A folder or archive that is not laid out as it should be.
    pub(super) fn layout(path: &Path, problem: impl Into<String>) -> Self {
        Self::Layout { path: path.to_owned(), problem: problem.into() }
    }
}

/// What is wrong inside a file whose name the parser does not know.
#[derive(Debug)]
pub(super) struct Malformed {
    /// Where in the file.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

impl Malformed {
    /// `problem` at `place`.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }

    /// `problem` at a byte offset.
    pub fn at_byte(offset: usize, problem: impl Into<String>) -> Self {
        Self::new(format!("byte {offset}"), problem)
    }

    /// Names what the place lies in.
    pub fn within(self, outer: &str) -> Self {
        Self::new(format!("{outer}, {}", self.place), self.problem)
    }

    /// Names the file.
    pub fn in_file(self, path: &Path) -> DataError {
        DataError::Malformed { path: path.to_owned(), place: self.place, problem: self.problem }
    }
}
