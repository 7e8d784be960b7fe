//! Write results to standard output and talk to standard error, without panicking on a closed pipe.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use serde::{Serialize, Serializer};
use tightbound::run::{Disk, write_atomic};
pub use tightbound_report::shell_path as quoted;

/// The reader of standard output has gone away.
#[derive(Debug)]
pub struct ClosedPipe;

impl fmt::Display for ClosedPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for ClosedPipe {}

/// Writes a line of talk to standard error, in one piece, because others may write there too; if nobody
/// listens, that is no error.
macro_rules! talk {
    ($($argument:tt)*) => {{
        use std::io::Write;
        let line = format!("{}\n", format_args!($($argument)*));
        let _ = std::io::stderr().write_all($crate::output::visible(&line).as_bytes());
    }};
}
pub(crate) use talk;

/// `1 cell`, `3 cells`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `text` with control characters written out, as JSON does it: what a name in a file from elsewhere says
/// to a terminal must not be obeyed.
pub fn visible(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(obeyed) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match obeyed(c) {
            true => out += &format!("\\u{:04x}", u32::from(c)),
            false => out.push(c),
        }
    }
    out.into()
}

/// Writes a result to standard output, its control characters [`visible`].
///
/// # Errors
/// [`ClosedPipe`] if the reader has gone, or what the operating system says.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(visible(text).as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
        Err(error) => {
            Err(anyhow::Error::new(error).context("cannot write the result to standard output"))
        }
    }
}

/// `path` as JSON has it: text, in which the bytes of a name that is not UTF-8 are replaced.
pub fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Writes a path into JSON as [`shown`] gives it.
pub fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Writes a result to standard output as JSON, with a line end.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Replaces the file `path`, whole or not at all. A link's target is replaced, not the link; what
/// is no file, such as a device or a pipe, is written into.
pub fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    match path.metadata() {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            let mut target = fs_err::OpenOptions::new().write(true).open(path)?;
            target.write_all(bytes)?;
        }
        Ok(_) => write_atomic(&Disk, &fs_err::canonicalize(path)?, bytes)?,
        Err(_) => write_atomic(&Disk, path, bytes)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_as_in_json() {
        assert_eq!(
            visible("a\u{1b}[31m\r\u{9b}µ\n\tb"),
            r"a\u001b[31m\u000d\u009bµ".to_owned() + "\n\tb"
        );
        assert!(matches!(visible("plain\n"), Cow::Borrowed(_)));
        let read: String = serde_json::from_str(&visible("\"\u{7f}\"")).unwrap();
        assert_eq!(read, "\u{7f}");
    }
}
