//! Load the user's own images: a folder, an archive or a single file.

use std::fs;
use std::path::{Path, PathBuf};

use super::bytes;
use super::dataset::{Dataset, Parts, Source};
use super::error::{DataError, Malformed};
use super::grey::label;
use super::images::Images;
use super::npy::Npz;
use super::{amat, chardata, idx, npy};

/// What is said wherever a file is of no known kind.
const KINDS: &str = ".npy, .amat, .idx (each also with .gz, but for .npy), .npz or .mat";

/// Loads what lies at `path`.
///
/// - a folder: its files `train.*` and `test.*` (npy, amat, amat.gz, idx, idx.gz);
/// - `.npz`: arrays `train` and `test`, and if they are there `train_labels` and `test_labels`;
/// - `.mat`: `data` and, if it is there, `testdata`;
/// - any other single file: the last tenth of its images is the test part, and the name says so.
pub(super) fn load(path: &Path) -> Result<Dataset, DataError> {
    let name = path.canonicalize().map_err(|e| DataError::io(path, e))?;
    let name = name.file_name().unwrap_or(name.as_os_str()).to_string_lossy().into_owned();
    if path.is_dir() {
        return folder(path, name);
    }
    let (file, source) = bytes::read(path)?;
    let parts = match kind(path) {
        Some(Kind::Npz) => {
            let (train, test) = npz(&file).map_err(|e| e.in_file(path))?;
            (train, Some(test))
        }
        Some(Kind::Mat) => chardata::parse(&file).map_err(|e| e.in_file(path))?,
        Some(kind) => (single(kind, &file).map_err(|e| e.in_file(path))?, None),
        None => return Err(DataError::layout(path, format!("unknown kind of file; give {KINDS}"))),
    };
    match parts {
        (train, Some(test)) => {
            Dataset::new(&name, Parts { train, test, validation: None }, vec![source])
        }
        (all, None) => last_tenth(path, &name, &all, source),
    }
}

/// Kinds of files.
#[derive(Clone, Copy)]
enum Kind {
    Npy,
    Npz,
    Amat,
    Idx,
    Mat,
}

/// The kind that a file's name tells.
fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    match plain.rsplit_once('.')?.1 {
        "npy" if plain == name => Some(Kind::Npy),
        "npz" if plain == name => Some(Kind::Npz),
        "mat" if plain == name => Some(Kind::Mat),
        "amat" => Some(Kind::Amat),
        "idx" | "idx2-ubyte" | "idx3-ubyte" => Some(Kind::Idx),
        _ => None,
    }
}

/// The images of a file that holds one part.
fn single(kind: Kind, file: &[u8]) -> Result<Images, Malformed> {
    match kind {
        Kind::Npy => npy::parse(file)?.into_images(),
        Kind::Amat => amat::parse(file),
        Kind::Idx => idx::parse(file).and_then(idx::images),
        Kind::Npz | Kind::Mat => Err(Malformed::new("the file", "a single array was expected")),
    }
}

/// Loads `train.*` and `test.*`.
fn folder(path: &Path, name: String) -> Result<Dataset, DataError> {
    let mut sources = Vec::new();
    let entries = fs::read_dir(path).map_err(|e| DataError::io(path, e))?;
    let entries: Result<Vec<PathBuf>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let entries = entries.map_err(|e| DataError::io(path, e))?;
    let mut part = |part: &str| {
        let mut files = entries.iter().filter_map(|file| {
            let stem = file.file_name()?.to_str()?.split('.').next()?;
            let kind = kind(file).filter(|kind| !matches!(kind, Kind::Npz | Kind::Mat))?;
            (stem == part).then_some((file, kind))
        });
        let (file, kind) = files.next().ok_or_else(|| {
            let problem =
                format!("there is no {part}.npy, {part}.amat, {part}.amat.gz or {part}.idx in it");
            DataError::layout(path, problem)
        })?;
        if let Some((other, _)) = files.next() {
            let problem = format!("holds both {} and {}", file.display(), other.display());
            return Err(DataError::layout(path, problem));
        }
        let (bytes, source) = bytes::read(file)?;
        sources.push(source);
        single(kind, &bytes).map_err(|e| e.in_file(file))
    };
    let parts = Parts { train: part("train")?, test: part("test")?, validation: None };
    Dataset::new(&name, parts, sources)
}

/// The arrays `train` and `test` of an archive.
fn npz(file: &[u8]) -> Result<(Images, Images), Malformed> {
    let mut archive = Npz::open(file)?;
    let mut part = |name: &str| {
        let Some(images) = archive.array(name)? else {
            let problem = format!("there is no array `{name}`; there are {:?}", archive.names());
            return Err(Malformed::new("the archive", problem));
        };
        let images = images.into_images().map_err(|e| e.within(&format!("array `{name}`")))?;
        let name = format!("{name}_labels");
        let Some(labels) = archive.array(&name)? else { return Ok(images) };
        let place = format!("array `{name}`");
        let labels = labels.into_labels().map_err(|e| e.within(&place))?;
        label(images, labels).map_err(|e| Malformed::new(place, e))
    };
    Ok((part("train")?, part("test")?))
}

/// Makes the last tenth the test part; the images keep their numbers.
fn last_tenth(path: &Path, name: &str, all: &Images, source: Source) -> Result<Dataset, DataError> {
    let n = all.len();
    if n < 2 {
        let problem = "a single image cannot be parted into training and test";
        return Err(DataError::layout(path, problem));
    }
    let positions: Vec<usize> = (0..n).collect();
    let (train, test) = positions.split_at(n - (n / 10).max(1));
    let parts = Parts { train: all.select(train), test: all.select(test), validation: None };
    Dataset::new(&format!("{name} (last tenth as test)"), parts, vec![source])
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::data::chardata::tests::small;
    use crate::data::hostile::archive;
    use crate::data::npy::tests::npy;

    fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn a_folder_an_archive_and_single_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let array = npy("|u1", "(21, 2, 3)", &[9; 126]);

        let single = load(&write(at, "mine.npy", &array)).unwrap();
        assert_eq!(single.name, "mine.npy (last tenth as test)");
        assert_eq!((single.train.len(), single.test.len()), (19, 2));
        assert_eq!(single.test.ids, [19, 20]);

        let both = load(&write(at, "mine.npz", &archive(&array))).unwrap();
        assert_eq!((&*both.name, both.train.len(), both.test.len()), ("mine.npz", 21, 21));

        let mat = load(&write(at, "mine.mat", &small())).unwrap();
        assert_eq!((&*mat.name, mat.train.len(), mat.test.len()), ("mine.mat", 2, 1));
        assert!(mat.fixed);

        let mut labelled = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, array) in [
            ("train", npy("|u1", "(2, 4)", &[0; 8])),
            ("train_labels", npy("<i2", "(2,)", &[3, 0, 5, 0])),
            ("test", npy("|u1", "(1, 4)", &[0; 4])),
        ] {
            let options = zip::write::SimpleFileOptions::default();
            labelled.start_file(format!("{name}.npy"), options).unwrap();
            labelled.write_all(&array).unwrap();
        }
        let labelled = labelled.finish().unwrap().into_inner();
        let labelled = load(&write(at, "labelled.npz", &labelled)).unwrap();
        assert_eq!((labelled.train.labels, labelled.test.labels), (Some(vec![3, 5]), None));

        write(at, "train.npy", &npy("|b1", "(1, 4)", &[0, 1, 1, 0]));
        write(at, "test.amat", b"0 1 0 1\n");
        let parts = load(at).unwrap();
        assert_eq!(parts.name, at.file_name().unwrap().to_str().unwrap());
        assert_eq!((parts.train.len(), parts.test.len(), parts.fixed), (1, 1, true));
        let files: Vec<&str> = parts.sources.iter().map(|s| &*s.file).collect();
        assert_eq!(files, ["train.npy", "test.amat"]);
    }

    /// Archives and arrays that seek, NumPy's and MATLAB's, are not read compressed once more.
    #[test]
    fn a_name_tells_the_kind() {
        let known = |name: &str| kind(Path::new(name)).is_some();
        for name in ["a.npy", "a.NPZ", "a.mat", "a.amat", "b.amat.gz", "a.idx", "c.idx3-ubyte.gz"] {
            assert!(known(name), "{name}");
        }
        for name in ["a.npy.gz", "a.npz.gz", "a.mat.gz", "a.gz", "a", "npy", "a.png"] {
            assert!(!known(name), "{name}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let refused = |path: &Path| load(path).unwrap_err().to_string();
        assert!(refused(at).contains("there is no train.npy"));
        write(at, "train.amat", b"0 1\n");
        write(at, "test.amat", b"0 1 1\n");
        assert!(refused(at).contains("1×2, but those of another part 1×3"), "{}", refused(at));
        write(at, "train.npy", b"");
        assert!(refused(at).contains("holds both"));
        assert!(refused(&write(at, "x.csv", b"0")).contains("unknown kind of file"));
        assert!(refused(&write(at, "one.amat", b"0 1\n")).contains("a single image"));
        let two = load(&write(at, "two.amat", b"0 1\n1 0\n")).unwrap();
        assert_eq!([two.train.len(), two.test.len()], [1, 1]);
        assert!(refused(&write(at, "x.npz", b"")).contains("x.npz: the archive"));
    }
}
