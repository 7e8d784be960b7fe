//! Read a file of each kind as far as loading would, and say whether it could be read.

use super::npy::Npz;
use super::{amat, chardata, idx, npy};

/// IDX, as images or as labels.
pub(crate) fn idx(file: &[u8]) -> bool {
    let images = idx::parse(file).and_then(idx::images).is_ok();
    images | idx::parse(file).and_then(idx::labels).is_ok()
}

/// Images in text.
pub(crate) fn amat(file: &[u8]) -> bool {
    amat::parse(file).is_ok()
}

/// The variables of a MATLAB file.
pub(crate) fn mat(file: &[u8]) -> bool {
    chardata::parse(file).is_ok()
}

/// One array of NumPy, as images or as labels.
pub(crate) fn npy(file: &[u8]) -> bool {
    let images = npy::parse(file).and_then(|array| array.into_images()).is_ok();
    images | npy::parse(file).and_then(|array| array.into_labels()).is_ok()
}

/// Every array of an archive.
pub(crate) fn npz(file: &[u8]) -> bool {
    let Ok(mut npz) = Npz::open(file) else { return false };
    npz.names().iter().all(|name| npz.array(name).is_ok())
}
