//! Run the program under `strace`, which kills it before, or fails, one of its system calls.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use super::is_full;
use crate::support::{self, Folder, Run};

/// The system calls that change what a crash leaves behind, and those that make it last.
pub const DURABLE: [&str; 7] =
    ["mkdir", "openat", "write", "fsync", "ftruncate", "rename", "unlink"];

/// What came of a process that was traced.
pub struct Traced {
    pub run: Run,
    /// Whether SIGKILL ended it.
    pub killed: bool,
    /// The calls, one per line, as `strace` writes them.
    pub calls: String,
}

impl Traced {
    /// Whether a call was made to fail.
    pub fn was_hit(&self) -> bool {
        self.killed || self.calls.contains("(INJECTED)")
    }
}

/// Whether programs can be traced here. If not, says that `what` was left out; a full attack fails.
pub fn can_trace(what: &str) -> bool {
    let works = support::can_trace(what);
    assert!(works || !is_full(), "a full attack needs a working strace: {what}");
    works
}

/// Runs `tightbound` with the words of `line`; `inject` is strace's expression for what to do to
/// `call`, such as `error=EIO:when=3`. Threads count their calls apart.
pub fn run(site: &Folder, call: &str, inject: &str, line: &str) -> Traced {
    let log = site.path().join("calls");
    let mut strace = site.process("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log);
    strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{inject}")]);
    strace.arg(env!("CARGO_BIN_EXE_tightbound")).args(line.split_whitespace());
    let output = strace.output().unwrap();
    let killed = output.status.signal() == Some(9);
    Traced { killed, run: Run::from(output), calls: fs::read_to_string(log).unwrap() }
}
