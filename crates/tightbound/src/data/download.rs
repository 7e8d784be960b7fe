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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::data::{DataError, Finder, load};

    const BODY: &[u8] = b"hello\n";
    /// Of BODY, by `sha256sum` and `git hash-object`.
    const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    const BLOB: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    /// Answers one request with these bytes; returns the address to ask.
    fn serve(response: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            stream.write_all(&response).unwrap();
        });
        format!("http://{address}")
    }

    fn response(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
        [head.as_bytes(), body].concat()
    }

    struct Log(RefCell<Vec<(String, u64, Option<u64>)>>);

    impl Progress for Log {
        fn download(&self, file: &str, done: u64, total: Option<u64>) {
            self.0.borrow_mut().push((file.into(), done, total));
        }
    }

    #[test]
    fn a_right_file_is_put_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        for expected in [Expected::Sha256(SHA256), Expected::GitBlob(BLOB)] {
            let url = serve(response("200 OK", 6, BODY));
            let log = Log(RefCell::default());
            fetch(&url, &target, expected, 6, &log).unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), BODY);
            assert_eq!(log.0.into_inner().last(), Some(&("file".into(), 6, Some(6))));
        }
    }

    #[test]
    fn a_wrong_file_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("file");
        for (response, problem) in [
            (response("200 OK", 6, b"hullo\n"), "its SHA-256 is"),
            (response("200 OK", 6, b"hell"), ""),
            (response("200 OK", 7, b"hello\n!"), "limit"),
            (response("404 Not Found", 0, b""), "404"),
            (b"nonsense\r\n\r\n".to_vec(), ""),
        ] {
            let url = serve(response);
            let error = fetch(&url, &target, Expected::Sha256(SHA256), 6, &()).unwrap_err();
            assert!(error.contains(problem), "{error}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{error}");
        }
    }

    #[test]
    fn without_a_cache_the_error_still_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cache"), "").unwrap();
        for cache in [None, Some(folder.path().join("cache"))] {
            let finder = Finder::only(vec!["absent".into()], cache);
            let text = load("mnist", &finder, &()).unwrap_err().to_string();
            let start = "`train-images-idx3-ubyte.gz` was not found. Searched:\n  absent/mnist";
            assert!(text.starts_with(start) && text.contains("--data-dir"), "{text}");
        }
    }

    #[test]
    fn without_a_network_the_error_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let (local, cache) = (folder.path().join("local"), folder.path().join("cache"));
        let url = serve(response("404 Not Found", 0, b""));
        let finder = Finder::only(vec![local.clone()], Some(cache.clone())).with_mirror(&url);
        let error = load("omniglot", &finder, &()).unwrap_err();
        let DataError::Missing(missing) = &error else { panic!("{error}") };
        assert_eq!(missing.advice, Some(cache.join("omniglot/chardata.mat")));
        assert_eq!(missing.attempts[0].0, format!("{url}/chardata.mat"));
        let text = error.to_string();
        for part in [&*local.to_string_lossy(), "404", "--data-dir", "$TIGHTBOUND_DATA"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
