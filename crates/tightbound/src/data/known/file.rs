//! Find one file of a known data set, or download it from its public home.

use std::path::PathBuf;

use crate::data::download::{self, Expected, Progress};
use crate::data::error::{DataError, MissingFile};
use crate::data::finder::Finder;

/// One file of a known data set.
#[derive(Debug)]
pub(in crate::data) struct KnownFile {
    /// The data set's own folder, below any folder that is searched.
    pub sub: &'static str,
    /// Names under which it is looked for; downloaded under the first.
    pub names: &'static [&'static str],
    /// Its public homes: address of the file, in the order in which they are tried.
    pub urls: &'static [&'static str],
    /// What a downloaded file must be.
    pub expected: Expected,
    /// No more is downloaded.
    pub most_bytes: u64,
}

impl KnownFile {
    /// Where the file lies, after downloading it if need be.
    pub fn get(&self, finder: &Finder, progress: &dyn Progress) -> Result<PathBuf, DataError> {
        match finder.find(self.sub, self.names) {
            Some(path) => Ok(path),
            None => self.download(finder, progress),
        }
    }

    /// Downloads the file to the cache.
    fn download(&self, finder: &Finder, progress: &dyn Progress) -> Result<PathBuf, DataError> {
        let name = self.names[0];
        let target = finder.cache.as_ref().map(|cache| cache.join(self.sub).join(name));
        let mut missing = MissingFile {
            file: name.to_owned(),
            searched: finder.searched(self.sub),
            attempts: Vec::new(),
            advice: target.clone(),
        };
        let Some(target) = target else { return Err(DataError::Missing(Box::new(missing))) };
        let folder = target.parent().unwrap_or(&target);
        if let Err(e) = std::fs::create_dir_all(folder) {
            let problem = format!("the folder of the cache cannot be made: {e}");
            missing.attempts.push((folder.display().to_string(), problem));
            return Err(DataError::Missing(Box::new(missing)));
        }
        let urls = match &finder.mirror {
            Some(base) => vec![format!("{base}/{name}")],
            None => self.urls.iter().map(|url| (*url).to_owned()).collect(),
        };
        for url in urls {
            match download::fetch(&url, &target, self.expected, self.most_bytes, progress) {
                Ok(()) => return Ok(target),
                Err(problem) => missing.attempts.push((url, problem)),
            }
        }
        Err(DataError::Missing(Box::new(missing)))
    }
}
