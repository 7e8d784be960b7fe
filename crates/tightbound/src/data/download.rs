//! Download a file to the cache, check it, and put it in place in one step.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::dataset::hex;

/// Is told how a download goes on.
pub trait Progress {
    /// `done` of `total` bytes of `file` have arrived; the total may not be known.
    fn download(&self, file: &str, done: u64, total: Option<u64>);
}

/// Tells nobody.
impl Progress for () {
    fn download(&self, _file: &str, _done: u64, _total: Option<u64>) {}
}

/// What a downloaded file must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// SHA-256 of its bytes, in hexadecimal.
    Sha256(&'static str),
    #[expect(dead_code, reason = "Omniglot follows")]
    /// Its name as a blob of git: SHA-1 of `blob <length>\0` and its bytes, in hexadecimal.
    GitBlob(&'static str),
}

impl Expected {
    /// Says what differs, if `bytes` are not what they must be.
    fn check(self, bytes: &[u8]) -> Result<(), String> {
        let (kind, expected, found) = match self {
            Self::Sha256(expected) => ("SHA-256", expected, hex(&Sha256::digest(bytes))),
            Self::GitBlob(expected) => ("git blob id", expected, git_blob_id(bytes)),
        };
        if found == expected {
            return Ok(());
        }
        Err(format!("its {kind} is {found}, not {expected}: it is damaged or another file"))
    }
}

/// The name of `bytes` as a blob of git.
pub(super) fn git_blob_id(bytes: &[u8]) -> String {
    let mut digest = Sha1::new();
    digest.update(format!("blob {}\0", bytes.len()));
    digest.update(bytes);
    hex(&digest.finalize())
}

/// Fetches `url` to `target`, whose folder must exist, or says why not.
///
/// The bytes go to a temporary file beside `target`, which takes its name only when they are right.
pub(super) fn fetch(
    url: &str,
    target: &Path,
    expected: Expected,
    most_bytes: u64,
    progress: &dyn Progress,
) -> Result<(), String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_recv_body(Some(Duration::from_secs(1800)))
        .user_agent(concat!("tightbound/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let response = agent.get(url).call().map_err(|e| text(&e))?;
    let total = response.body().content_length();
    let mut body = response.into_body().into_with_config().limit(most_bytes).reader();

    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let n = body.read(&mut chunk).map_err(|e| text(&e))?;
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..n]);
        progress.download(&name, bytes.len() as u64, total);
    }
    expected.check(&bytes)?;

    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|e| text(&e))?;
    temporary.write_all(&bytes).map_err(|e| text(&e))?;
    temporary.as_file().sync_all().map_err(|e| text(&e))?;
    temporary.persist(target).map_err(|e| text(&e.error))?;
    Ok(())
}
