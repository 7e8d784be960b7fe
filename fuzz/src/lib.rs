//! Hold a reader to the memory that a file's size warrants while it is fuzzed.

use peak_alloc::PeakAlloc;
use tightbound::fuzzing::target;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Reads one file with the named reader.
///
/// # Panics
/// If the reader does, or holds more memory than the file warrants.
pub fn attack(name: &str, file: &[u8]) {
    let target = target(name);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    (target.read)(file);
    let held = MEMORY.peak_usage() - before;
    assert!(held <= target.allowance(file), "{held} bytes are held for {} bytes", file.len());
}
