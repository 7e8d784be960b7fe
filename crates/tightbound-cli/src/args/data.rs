//! Find the images that a command works with.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use tightbound::data::{Dataset, Finder, Progress, load};
use tightbound::settings::Settings;

use crate::output::talk;

/// Where to look for data files first.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DataFolder {
    /// Folder of data files [default: $TIGHTBOUND_DATA, then the cache, then a download]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// What was loaded before, by name, for those who load the same again and again.
    #[arg(skip)]
    loaded: Option<Arc<Mutex<HashMap<String, Dataset>>>>,
}

impl DataFolder {
    /// The same folder, which keeps in memory what it loads from now on.
    pub fn remembering(&self) -> Self {
        Self { loaded: Some(Arc::default()), ..self.clone() }
    }

    /// Loads the data set called `name`, or at the path `name`.
    pub fn load(&self, name: &str) -> anyhow::Result<Dataset> {
        let finder = Finder::new(self.data_dir.clone());
        let fresh = || Ok(load(name, &finder, &Download::default())?);
        let Some(loaded) = &self.loaded else { return fresh() };
        // Who wants the same set meanwhile waits for it instead of loading it too.
        let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dataset) = loaded.get(name) {
            return Ok(dataset.clone());
        }
        let dataset = fresh()?;
        loaded.insert(name.to_owned(), dataset.clone());
        Ok(dataset)
    }

    /// Loads the data of a training, with the training images limited and held out as it asks.
    pub fn load_for(&self, settings: &Settings) -> anyhow::Result<Dataset> {
        let mut dataset = self.load(&settings.data.name)?;
        if let Some(limit) = settings.data.limit {
            let available = dataset.train.len();
            if limit > available {
                bail!(
                    "data.limit is {limit}, but {} has {available} training images: \
                     leave the limit out to use them all",
                    dataset.name
                );
            }
            dataset.train = dataset.train.select(&(0..limit).collect::<Vec<_>>());
        }
        dataset.hold_out(settings.data.validation, settings.seed)?;
        Ok(dataset)
    }
}

/// Talks about a download every so many bytes.
#[derive(Default)]
struct Download {
    told: Cell<u64>,
}

/// Bytes between two lines of talk: 4 MiB.
const TALK_EVERY: u64 = 4 << 20;

impl Progress for Download {
    fn download(&self, file: &str, done: u64, total: Option<u64>) {
        let finished = total.is_some_and(|total| done >= total);
        if done < self.told.get() {
            self.told.set(0);
        }
        if finished || done - self.told.get() >= TALK_EVERY {
            self.told.set(done);
            let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let total = total.map_or(String::new(), |t| format!(" of {:.1}", mebibytes(t)));
            talk!("downloading {file}: {:.1}{total} MiB", mebibytes(done));
        }
    }
}
