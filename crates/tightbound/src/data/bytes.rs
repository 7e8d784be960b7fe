//! Read files whole, and decompress them without trusting them.

use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::dataset::{Source, hex};
use super::error::DataError;

/// No file may declare or decompress to more than this: 4 GiB, so that
/// images can be numbered with 32 bits.
pub(super) const MOST_BYTES: u64 = u32::MAX as u64;

/// Reads a whole file, with its name and digest.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, Source), DataError> {
    let bytes = std::fs::read(path).map_err(|e| DataError::io(path, e))?;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok((bytes, Source { file, sha256 }))
}

/// The content of a file that may be compressed with gzip, cut after [`MOST_BYTES`].
pub(super) fn uncompressed(file: &[u8]) -> Box<dyn Read + '_> {
    if file.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(file).take(MOST_BYTES))
    } else {
        Box::new(file)
    }
}
