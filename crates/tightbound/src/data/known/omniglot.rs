//! Load Omniglot (Lake et al. 2015) at 28×28, from the file of Burda et al. or one laid out alike.

use super::file::KnownFile;
use crate::data::dataset::{Dataset, Parts};
use crate::data::download::{Expected, Progress, git_blob_id};
use crate::data::error::{DataError, Malformed};
use crate::data::finder::Finder;
use crate::data::{bytes, chardata};

/// The file of Burda et al. 2016, as git names it.
const BURDA: &str = "016a3536ffe5e1d38e42563a18d7a78bfaf643ec";
/// A reconstruction of it from the original drawings, in SHA-256.
const DERIVED: &str = "e00c638bcc55d801fd20a2749a95158e7d470d49d94f15232edd48d09f3dc0fd";

const FILE: KnownFile = KnownFile {
    sub: "omniglot",
    names: &["chardata.mat", "chardata-derived.mat"],
    urls: &["https://raw.githubusercontent.com/yburda/iwae/master/datasets/OMNIGLOT/chardata.mat"],
    expected: Expected::GitBlob(BURDA),
    most_bytes: 1 << 27,
};

/// Loads Omniglot; labels are alphabets.
///
/// The name says which file it was, whatever the file is called: `omniglot (Burda)`,
/// `omniglot (derived)` or `omniglot (unknown file)`.
pub(in crate::data) fn load(
    finder: &Finder,
    progress: &dyn Progress,
) -> Result<Dataset, DataError> {
    let path = FILE.get(finder, progress)?;
    let (file, source) = bytes::read(&path)?;
    let name = match () {
        () if source.sha256 == DERIVED => "omniglot (derived)",
        () if git_blob_id(&file) == BURDA => "omniglot (Burda)",
        () => "omniglot (unknown file)",
    };
    let parts = match chardata::parse(&file) {
        Ok((train, Some(test))) => Ok(Parts { train, test, validation: None }),
        Ok(_) => Err(Malformed::new("the file", "there is no variable `testdata`")),
        Err(e) => Err(e),
    };
    Dataset::new(name, parts.map_err(|e| e.in_file(&path))?, vec![source])
}
