//! Read a log back, whatever has become of its bytes.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use super::error::RunError;
use super::metrics::Record;

/// How every record begins, and no record has it within.
const BEGINNING: &[u8] = br#"{"kind":""#;

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The records that could be read.
    pub records: Vec<Record>,
    /// The numbers (from 1) of whole lines that could not.
    pub corrupt: Vec<usize>,
    /// How many records these were at most.
    pub lost: u64,
    /// Bytes of a last line that has no end: what a crash while writing leaves.
    pub torn: usize,
}

/// Reads a log, leaving out and counting what cannot be read. A missing file is an empty log.
pub fn read_log(path: &Path) -> Result<Log, RunError> {
    Ok(Log::parse(&read_or_empty(path)?))
}

/// The bytes of a log; none where there is no file.
pub(super) fn read_or_empty(path: &Path) -> Result<Vec<u8>, RunError> {
    match fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(RunError::storage("read", path)),
    }
}

impl Log {
    /// Reads the content of a log.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let (mut log, mut line, mut end) = (Self::default(), 0, 0);
        for stretch in stretches(bytes) {
            end = stretch.bytes.end;
            let lines = line + 1..=line + stretch.lines;
            line += stretch.lines;
            let most = stretch.count(bytes).max(stretch.lines as u64);
            match stretch.record {
                Some(record) => log.records.push(record),
                None => {
                    log.corrupt.extend(lines);
                    log.lost += most;
                }
            }
        }
        log.torn = bytes.len() - end;
        log
    }

    /// Number of records that were written at most, readable or not.
    pub(super) fn written(&self) -> u64 {
        self.records.len() as u64 + self.lost
    }
}

/// Where the first `records` records of a log end, or all of them. If one byte of the log has changed, wherever, that
/// is where they ended before; but the line end there may be damaged.
pub(super) fn end_of(log: &[u8], records: u64) -> usize {
    let (mut end, mut left) = (0, records);
    for stretch in stretches(log) {
        if left == 0 {
            return end;
        }
        let count = stretch.count(log);
        if count > left {
            return stretch.beginnings(log).nth(left as usize).expect("they were counted");
        }
        (end, left) = (stretch.bytes.end, left - count);
    }
    end
}

/// A whole line that is a record, or whole lines side by side that cannot be read.
struct Stretch {
    bytes: Range<usize>,
    lines: usize,
    record: Option<Record>,
}

impl Stretch {
    /// How many records it was if one of its bytes has changed: a line end may have come into a record, or gone
    /// from between two.
    fn count(&self, log: &[u8]) -> u64 {
        match self.record {
            Some(_) => 1,
            None => (self.beginnings(log).count() as u64).max(1),
        }
    }

    /// Where in the log its records begin.
    fn beginnings(&self, log: &[u8]) -> impl Iterator<Item = usize> {
        let start = self.bytes.start;
        let windows = log[self.bytes.clone()].windows(BEGINNING.len()).enumerate();
        windows.filter(|(_, bytes)| *bytes == BEGINNING).map(move |(at, _)| start + at)
    }
}

/// Cuts a log where its records end as far as that can be told. A last line without an end is in none.
fn stretches(log: &[u8]) -> Vec<Stretch> {
    let (mut all, mut start) = (Vec::<Stretch>::new(), 0);
    for line in log.split_inclusive(|&b| b == b'\n').filter(|line| line.ends_with(b"\n")) {
        let bytes = start..start + line.len();
        start = bytes.end;
        match (serde_json::from_slice(line).ok(), all.last_mut()) {
            (None, Some(last)) if last.record.is_none() => {
                last.bytes.end = bytes.end;
                last.lines += 1;
            }
            (record, _) => all.push(Stretch { bytes, lines: 1, record }),
        }
    }
    all
}
