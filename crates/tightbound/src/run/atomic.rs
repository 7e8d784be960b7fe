//! Replace a file so that a crash leaves either the old content or the new.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use super::error::RunError;
use super::storage::Storage;

/// Replaces `path` by `bytes`: written to a temporary file in the same folder, synced, renamed,
/// and the folder synced. After an error `path` is as it was.
pub fn write_atomic(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let staged = stage(storage, path, bytes)?;
    publish(storage, &staged, path)
}

/// Writes and syncs the temporary file that is to become `path`.
pub(super) fn stage(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> Result<PathBuf, RunError> {
    let staged = temporary_name(path);
    let written = storage.create(&staged).and_then(|mut file| {
        write_all(storage, &mut file, bytes)?;
        storage.sync(&file)
    });
    if let Err(source) = written {
        // What cannot be removed now is removed when the run is opened next.
        storage.remove(&staged).ok();
        return Err(RunError::storage("write", path)(source));
    }
    Ok(staged)
}

/// Gives a staged file its name, durably.
pub(super) fn publish(storage: &dyn Storage, staged: &Path, path: &Path) -> Result<(), RunError> {
    if let Err(source) = storage.rename(staged, path) {
        storage.remove(staged).ok();
        return Err(RunError::storage("write", path)(source));
    }
    let folder = folder_of(path);
    storage.sync_folder(folder).map_err(RunError::storage("sync the folder", folder))
}

/// Writes all of `bytes`, however few the system takes at a time.
pub(super) fn write_all(
    storage: &dyn Storage,
    file: &mut File,
    mut bytes: &[u8],
) -> io::Result<()> {
    while !bytes.is_empty() {
        match storage.write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The folder that holds `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Makes a folder and its parents, durably; one that exists is left as it is.
pub(crate) fn make_folder(storage: &dyn Storage, path: &Path) -> Result<(), RunError> {
    let changed = folders_of_new_names(path);
    storage.create_folder(path).map_err(RunError::storage("make the folder", path))?;
    for folder in changed {
        storage.sync_folder(folder).map_err(RunError::storage("sync the folder", folder))?;
    }
    Ok(())
}

/// The folder that holds `path`, and those of its parents that are missing: they get a new name in them.
fn folders_of_new_names(path: &Path) -> Vec<&Path> {
    let mut folders = vec![folder_of(path)];
    loop {
        let last = folders[folders.len() - 1];
        let next = folder_of(last);
        // A folder that may not be looked into does not seem to exist, not even `.`.
        if last.exists() || next == last {
            return folders;
        }
        folders.push(next);
    }
}

/// `.NAME.PID.tmp`: the process number keeps writers apart that hold no lock.
fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", process::id()))
}

/// Whether `name` is a temporary name of the file `target`.
pub(super) fn is_temporary_of(name: &str, target: &str) -> bool {
    let middle = name.strip_prefix('.').and_then(|n| n.strip_prefix(target));
    let number = middle.and_then(|n| n.strip_prefix('.')).and_then(|n| n.strip_suffix(".tmp"));
    number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_lies_in_the_folder_where_one_stands() {
        for (path, folder) in [("a", "."), ("runs/a", "runs"), ("/a", "/"), ("/", ".")] {
            assert_eq!(folder_of(Path::new(path)), Path::new(folder), "{path}");
        }
    }

    /// The entry of every folder that is made must be synced, or a power cut takes all below it.
    #[test]
    fn every_folder_up_to_one_that_exists_gets_a_new_name() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "a/b", "a/b/c"].map(|name| folder.path().join(name));
        assert_eq!(folders_of_new_names(&c), [&*b, &*a, folder.path()]);
        std::fs::create_dir(&a).unwrap();
        assert_eq!(folders_of_new_names(&c), [&*b, &*a]);
        assert_eq!(folders_of_new_names(&a), [folder.path()]);
        let [here, new] = ["a-new-run", "a-new-folder/run"].map(Path::new);
        assert_eq!(folders_of_new_names(here), [Path::new(".")]);
        assert_eq!(folders_of_new_names(new), [Path::new("a-new-folder"), Path::new(".")]);
        assert_eq!(folders_of_new_names(Path::new("/")), [Path::new(".")]);
    }

    /// What is taken for a leftover is removed.
    #[test]
    fn only_what_was_made_here_is_a_leftover() {
        let made = temporary_name(Path::new("runs/run.toml"));
        let made = made.file_name().unwrap().to_str().unwrap();
        assert!(is_temporary_of(made, "run.toml"), "{made}");
        for name in
            [".run.toml..tmp", ".run.toml.x1.tmp", "run.toml.1.tmp", ".run.toml.1", ".run.1.tmp"]
        {
            assert!(!is_temporary_of(name, "run.toml"), "{name}");
        }
    }
}
