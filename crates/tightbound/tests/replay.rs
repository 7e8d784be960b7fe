//! Replay what fuzzing found, and attacks made by hand: no panic, and no more memory than a file's size warrants.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use peak_alloc::PeakAlloc;
use tightbound::fuzzing::{TARGETS, target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// Keeps the other tests from allocating, because all threads share one count.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the file can be read, and how many bytes are held at a time; checks that the file warrants them.
fn read(name: &str, file: &[u8]) -> (bool, usize) {
    let target = target(name);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let is_read = (target.read)(file);
    let held = MEMORY.peak_usage() - before;
    let (allowance, length) = (target.allowance(file), file.len());
    assert!(held <= allowance, "{name}: {held} bytes are held for a file of {length}");
    (is_read, held)
}

/// Checks that a file is refused, and holds no more than `most` bytes.
#[track_caller]
fn refused(name: &str, file: &[u8], most: usize) {
    let (is_read, held) = read(name, file);
    assert!(!is_read, "{name}: read");
    assert!(held <= most, "{name}: {held} bytes are held");
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn seed(path: &str) -> Vec<u8> {
    std::fs::read(fuzz().join("corpus").join(path)).unwrap()
}

#[test]
fn corpora_and_regressions() {
    let _alone = alone();
    for target in TARGETS {
        let mut whole = 0;
        for folder in ["corpus", "regressions"] {
            let folder = fuzz().join(folder).join(target.name);
            // A target without regressions has no folder of them.
            for file in folder.read_dir().into_iter().flatten() {
                let path = file.unwrap().path();
                let (is_read, _) = read(target.name, &std::fs::read(&path).unwrap());
                if path.file_name().unwrap().to_string_lossy().starts_with("whole") {
                    assert!(is_read, "{}", path.display());
                    whole += 1;
                }
            }
        }
        assert!(whole > 0, "{}: nothing was read", target.name);
    }
}

fn npy(shape: &str) -> Vec<u8> {
    let head = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((head.len() as u16).to_le_bytes());
    file.extend(head.as_bytes());
    file
}

/// An element of a MATLAB file: type, length, data.
fn element(kind: u32, length: usize, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(length as u32).to_le_bytes(), data].concat()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(content).unwrap();
    zlib.finish().unwrap()
}

/// `head`, then `mib` MiB of one byte, in gzip.
fn gzip(head: &[u8], mib: usize, byte: u8) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gz.write_all(head).unwrap();
    for _ in 0..mib {
        gz.write_all(&vec![byte; MIB]).unwrap();
    }
    gz.finish().unwrap()
}

/// Files of a few hundred bytes that declare up to 2⁶⁰ elements.
#[test]
fn declared_giants() {
    let _alone = alone();
    let side = 1u32 << 20;
    let cube = [side; 3].map(u32::to_be_bytes).concat();
    refused("idx", &[b"\0\0\x08\x03", &cube[..], b"abcd"].concat(), MIB / 16);
    refused("idx", b"\0\0\x08\x01\xff\xff\xff\xffabcd", MIB / 16);
    for shape in [format!("({},)", 1u64 << 60), "(4294967295,)".into(), "(65535, 65535)".into()] {
        refused("npy", &npy(&shape), MIB / 16);
    }

    let dims = [1u32 << 30; 2].map(u32::to_le_bytes).concat();
    let flags = [6u32, 0].map(u32::to_le_bytes).concat();
    let array = [
        element(6, 8, &flags),
        element(5, 8, &dims),
        element(1, 4, b"data\0\0\0\0"),
        element(2, 8, &[0; 8]),
    ];
    let array = array.concat();
    let mat = |element: Vec<u8>| [&[b' '; 124][..], b"\0\x01IM", &element].concat();
    refused("mat", &mat(element(14, array.len(), &array)), MIB / 16);
    refused("mat", &mat(element(14, u32::MAX as usize, &array)), MIB / 16);
    let inner = zlib(&element(14, u32::MAX as usize, &array));
    refused("mat", &mat(element(15, inner.len(), &inner)), MIB / 4);

    for (name, file) in
        [("model", "whole-model.safetensors"), ("checkpoint", "whole-checkpoint.safetensors")]
    {
        let file = seed(&format!("{name}/{file}"));
        let mut long = file.clone();
        long[..8].copy_from_slice(&(1u64 << 60).to_le_bytes());
        // The header's length is made right where the file is forged, so the rest must be wrong.
        long.truncate(200);
        refused(name, &long, MIB / 16);
        let at = |text: &[u8]| file.windows(text.len()).position(|w| w == text).unwrap();
        for (from, to) in [
            (r#"\"latents\":1"#, format!(r#"\"latents\":{}"#, 1u64 << 60)),
            (r#"\"latents\":1"#, format!(r#"\"latents\":{}"#, 1 << 20)),
            (r#""shape":[1"#, format!(r#""shape":[{}"#, 1u64 << 60)),
        ] {
            let at = at(from.as_bytes());
            let giant = [&file[..at], to.as_bytes(), &file[at + from.len()..]].concat();
            refused(name, &giant, MIB / 4);
        }
    }
    let run = String::from_utf8(seed("description/whole-run.toml")).unwrap();
    for latents in [1u64 << 60, 1 << 20] {
        let giant = run.replace("latents = 1\n", &format!("latents = {latents}\n"));
        assert_ne!(giant, run);
        refused("description", giant.as_bytes(), MIB / 2);
    }
}

/// 64 MiB and more in some ten kB: no more is decompressed than was declared.
#[test]
fn bombs() {
    let _alone = alone();
    refused("idx", &gzip(b"\0\0\x08\x01\0\0\0\x04", 64, 0), MIB);
    // One line is read at most to 16 MiB, into a vector that doubles.
    refused("amat", &gzip(b"", 128, b' '), 64 * MIB);
    refused("amat", &gzip(b"", 128, b'1'), 64 * MIB);

    let archive = |head: &[u8]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        let options = options.compression_method(zip::CompressionMethod::Deflated);
        zip.start_file("train.npy", options).unwrap();
        zip.write_all(head).unwrap();
        for _ in 0..64 {
            zip.write_all(&vec![0; MIB]).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    refused("npz", &archive(&npy("(4,)")), MIB);
    // All of it was declared, and a vector that doubles holds it.
    refused("npz", &archive(&npy("(4294967295,)")), 256 * MIB);

    let mut inner = element(14, 64, &[]);
    inner.resize(64 * MIB, 0);
    let inner = zlib(&inner);
    let file = [&[b' '; 124][..], b"\0\x01IM", &element(15, inner.len(), &inner)].concat();
    refused("mat", &file, MIB);
}

/// Forty axes of two values are 2⁴⁰ cells in a kB.
#[test]
fn axes_that_multiply() {
    let _alone = alone();
    let axes = "[[axis]]\nvalues = [{}, {}]\n".repeat(40);
    refused("experiment", format!("title = \"A\"\n{axes}").as_bytes(), MIB);
}
