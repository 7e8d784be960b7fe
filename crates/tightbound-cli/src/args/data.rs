//! Say where data files lie.

use std::path::PathBuf;

/// Where to look for data files first.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DataFolder {
    /// Folder of data files [default: $TIGHTBOUND_DATA, then the cache, then a download]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}
