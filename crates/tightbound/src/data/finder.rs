//! Look for the files of a data set: the user's folders first, then the cache.

use std::env;
use std::path::{Path, PathBuf};

/// Where to look for the files of the known data sets.
///
/// In this order: the folder given (`--data-dir`), `$TIGHTBOUND_DATA`, the user's cache
/// (`$XDG_CACHE_HOME/tightbound`, else `~/.cache/tightbound`). A file may lie in the folder itself
/// or in the data set's own folder inside it (`mnist/`, `omniglot/`, `binarized_mnist/`). What lies
/// nowhere is downloaded to the cache.
#[derive(Clone, Debug)]
pub struct Finder {
    folders: Vec<PathBuf>,
    pub(super) cache: Option<PathBuf>,
    pub(super) mirror: Option<String>,
}

impl Finder {
    /// Looks in `data_dir`, then where the environment says.
    pub fn new(data_dir: Option<PathBuf>) -> Self {
        let folder = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let cache = folder("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .map(|cache| cache.join("tightbound"));
        let folders = data_dir.into_iter().chain(folder("TIGHTBOUND_DATA")).collect();
        Self { folders, cache, mirror: None }
    }

    /// Looks in `folders` alone, and downloads to `cache`, or not at all if that is `None`.
    pub fn only(folders: Vec<PathBuf>, cache: Option<PathBuf>) -> Self {
        Self { folders, cache, mirror: None }
    }

    /// Downloads `BASE/file` for every file, instead of from the files' public homes.
    pub fn with_mirror(mut self, base: impl Into<String>) -> Self {
        self.mirror = Some(base.into().trim_end_matches('/').to_owned());
        self
    }

    /// Every folder that may hold a file of the data set whose own folder is called `sub`.
    pub(super) fn searched(&self, sub: &str) -> Vec<PathBuf> {
        let folders = self.folders.iter().chain(&self.cache);
        folders.flat_map(|folder| [folder.join(sub), folder.clone()]).collect()
    }

    /// The first file there is with one of these names; an earlier name in a later folder wins.
    pub(super) fn find(&self, sub: &str, names: &[&str]) -> Option<PathBuf> {
        let folders = self.searched(sub);
        let candidates = names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name)));
        candidates.into_iter().find(|path: &PathBuf| Path::is_file(path))
    }
}
