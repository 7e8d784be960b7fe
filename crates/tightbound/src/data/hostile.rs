//! Feed damaged files to every reader: an error is fine, a panic or endless memory is not.

use std::io::Write;

use proptest::prelude::*;

use super::npy::tests::npy;
use super::{chardata, idx};
use crate::fuzzing::{Target, target};

/// A small valid file with its reader.
type Reader = (Vec<u8>, Target);

/// One of each kind.
fn readers() -> Vec<Reader> {
    let gz = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02abcd";
    let text = b"0 1 0.25 0\n1 1 0 0\n";
    let array = npy("|u1", "(2, 2, 2)", &[0, 1, 2, 3, 4, 5, 6, 7]);
    let files = [
        ("idx", images.to_vec()),
        ("idx", gz(images)),
        ("amat", text.to_vec()),
        ("amat", gz(text)),
        ("mat", chardata::tests::small()),
        ("npy", array.clone()),
        ("npy", npy("<f4", "(2, 1)", &[0; 8])),
        ("npy", npy("<i2", "(3,)", &[0; 6])),
        ("npz", archive(&array)),
    ];
    files.into_iter().map(|(name, file)| (file, target(name))).collect()
}

/// An archive with a stored and a compressed array.
pub(super) fn archive(array: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, method) in
        [("train", zip::CompressionMethod::Stored), ("test", zip::CompressionMethod::Deflated)]
    {
        zip.start_file(format!("{name}.npy"), options.compression_method(method)).unwrap();
        zip.write_all(array).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn damaged_files_never_panic(
        which in 0..9usize,
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        whole in any::<bool>(),
    ) {
        let (mut file, target) = readers().swap_remove(which);
        if !whole {
            file.truncate(cut.index(file.len()));
        }
        for (at, byte) in changes {
            if !file.is_empty() {
                let at = at.index(file.len());
                file[at] = byte;
            }
        }
        (target.read)(&file);
    }
}

/// Sixteen MiB in a few kB of gzip: no more is decompressed than the header declares.
#[test]
fn a_bomb_is_cut_off() {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(b"\0\0\x08\x01\0\0\0\x04").unwrap();
    for _ in 0..16 {
        gz.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let error = idx::parse(&gz.finish().unwrap()).unwrap_err();
    assert!(error.problem.contains("goes on after the 4 values"), "{}", error.problem);
}
