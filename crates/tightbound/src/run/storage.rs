//! Name every durable operation, so that tests can fail each in turn.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// The operations that change what a crash leaves behind. Everything durable goes through them.
pub trait Storage: Debug + Send + Sync {
    /// Makes a folder and its parents; one that exists is left as it is.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens an empty file for writing, in place of one that exists.
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Opens a file for writing at its end; makes it if there is none.
    fn append(&self, path: &Path) -> io::Result<File>;

    /// Writes some of `bytes`, and says how many.
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts a file off at `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;

    /// Waits until the file's content would survive a power cut.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Gives a file another name in the same folder, in place of one that exists.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Waits until the folder's names would survive a power cut.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    fn append(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Folders can be opened, and so synced, on Unix only.
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }
}
