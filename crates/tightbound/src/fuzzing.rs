//! Name every reader of files that strangers may have made, once for fuzzers and for tests.

use crate::data::readers as data;
use crate::run::readers as run;
use crate::sweep::readers as sweep;

/// A reader under attack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The format; folders of corpora have this name.
    pub name: &'static str,
    /// Reads a file as far as the program would, and says whether it could be read.
    pub read: fn(&[u8]) -> bool,
    kind: Kind,
}

/// What a byte of a file may become in memory.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Numbers, in a file that may be compressed with gzip.
    Numbers,
    /// Numbers, compressed in parts.
    Packed,
    /// A tree of keys and values.
    Tree,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "idx", read: data::idx, kind: Kind::Numbers },
    Target { name: "amat", read: data::amat, kind: Kind::Numbers },
    Target { name: "mat", read: data::mat, kind: Kind::Packed },
    Target { name: "npy", read: data::npy, kind: Kind::Numbers },
    Target { name: "npz", read: data::npz, kind: Kind::Packed },
    Target { name: "model", read: run::model, kind: Kind::Tree },
    Target { name: "checkpoint", read: run::checkpoint, kind: Kind::Tree },
    Target { name: "description", read: run::description, kind: Kind::Tree },
    Target { name: "metrics", read: run::metrics, kind: Kind::Tree },
    Target { name: "experiment", read: sweep::experiment, kind: Kind::Tree },
];

/// The target of that name.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().copied().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("there is no target `{name}`"))
}

impl Target {
    /// The most bytes that reading `file` may hold at a time.
    ///
    /// Whatever a file declares, its own size decides. Deflate makes at most 1032 bytes of one. A number of one
    /// byte may become an f64 on its way to an f32 and has an image's number beside it, in vectors that
    /// double when they grow: 32 bytes. Two bytes of TOML or JSON, `0,`, are a value of a tree with
    /// its place in the text, and that tree is turned into another: 512 bytes each. The rest is what
    /// decompression and buffered reading take for any file.
    pub fn allowance(&self, file: &[u8]) -> usize {
        let per_byte = match self.kind {
            Kind::Numbers if !file.starts_with(&[0x1f, 0x8b]) => 32,
            Kind::Numbers | Kind::Packed => 32 * 1032,
            Kind::Tree => 512,
        };
        (1 << 20) + per_byte * file.len()
    }
}
