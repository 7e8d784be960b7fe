//! Turn what the user named into a data set.

use std::path::Path;

use super::dataset::Dataset;
use super::download::Progress;
use super::error::DataError;
use super::finder::Finder;
use super::{glyphs, known, own};

/// Loads `mnist`, `omniglot`, `binarized-mnist`, `glyphs`, or the file or folder at a path.
///
/// Files of the known sets are looked for where `finder` says, and downloaded if they lie nowhere
/// there. A file found locally is taken as it is: the digest of what was read stands in
/// [`Dataset::sources`], and so in every protocol line. A downloaded file must have the known digest.
///
/// Of the user's own data, a folder holds `train.*` and `test.*`; an `.npz` archive the arrays `train`
/// and `test` (and perhaps `train_labels`, `test_labels`); a `.mat` file `data` and `testdata`, laid out
/// as Burda et al.'s `chardata.mat`. Of any other single file the last tenth is the test part, which
/// [`Dataset::name`] says. `./mnist` is a path, `mnist` is not.
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
        "omniglot" => known::omniglot(finder, progress),
        "binarized-mnist" => known::binarized_mnist(finder, progress),
        path if Path::new(path).exists() => own::load(Path::new(path)),
        name => Err(DataError::Unknown { name: name.into() }),
    }
}
