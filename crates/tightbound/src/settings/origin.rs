//! Say where a setting was set: in a file, by `--set`, by a flag.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a configuration file; line and column count from 1.
    File {
        /// The file.
        path: PathBuf,
        /// Line of the key.
        line: usize,
        /// Column of the key, in characters.
        column: usize,
    },
    /// By `--set`.
    Set,
    /// By the named flag, such as `--epochs`.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => {
                write!(f, "{}, line {line}, column {column}", path.display())
            }
            Self::Set => f.write_str("--set"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}
