//! Remember the signals that ask to stop or to save, for a loop that asks now and then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGUSR1};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

/// The signals that arrived since [`Signals::install`].
#[derive(Clone, Debug)]
pub struct Signals {
    stop: Arc<AtomicUsize>,
    /// Whether the next SIGINT or SIGTERM ends the process at once.
    last: Arc<AtomicBool>,
}

/// Whether SIGUSR1 arrived, for one of several trainings in the process. Each has its own, so that each
/// saves.
#[derive(Debug)]
pub struct SaveRequests {
    asked: Arc<AtomicBool>,
    registered: Option<SigId>,
}

impl Signals {
    /// From now on SIGUSR1 no longer ends the process. SIGINT, SIGTERM and SIGHUP still do at once, so that
    /// a long download, say, can be left.
    pub fn install() -> io::Result<Self> {
        let last = Arc::new(AtomicBool::new(true));
        let signals = Self { stop: Arc::default(), last };
        for signal in [SIGINT, SIGTERM] {
            // The handlers run in this order, so a signal that is held back finds the flag down.
            signals.stop_on(signal)?;
            flag::register(signal, Arc::clone(&signals.last))?;
        }
        #[cfg(unix)]
        {
            if !hangups_are_ignored() {
                // The shell and the system may each tell of a closed terminal: a second SIGHUP
                // means no more than the first.
                signals.stop_on(SIGHUP)?;
            }
            flag::register(SIGUSR1, Arc::default())?;
        }
        Ok(signals)
    }

    fn stop_on(&self, signal: i32) -> io::Result<()> {
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.last))?;
        flag::register_usize(signal, Arc::clone(&self.stop), signal as usize)?;
        Ok(())
    }

    /// From now on SIGINT, SIGTERM and SIGHUP ask to stop; a second SIGINT or SIGTERM ends the process
    /// at once.
    pub fn hold_back(&self) {
        if self.stop().is_none() {
            self.last.store(false, Ordering::Relaxed);
        }
    }

    /// The number of the signal that asked to stop, if one did.
    pub fn stop(&self) -> Option<u8> {
        match self.stop.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal as u8),
        }
    }
}

impl SaveRequests {
    /// Hears SIGUSR1 until it is dropped; where there is no such signal, or no handler can be had,
    /// nothing.
    pub fn new() -> Self {
        let asked = Arc::default();
        #[cfg(unix)]
        let registered = flag::register(SIGUSR1, Arc::clone(&asked)).ok();
        #[cfg(not(unix))]
        let registered = None;
        Self { asked, registered }
    }

    /// Whether a signal asked to save since the last call.
    pub fn take(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

impl Drop for SaveRequests {
    fn drop(&mut self) {
        self.registered.take().map(low_level::unregister);
    }
}

/// Whether whoever started the process wants it to outlive its terminal, as `nohup` does. Only Linux
/// tells without unsafe code; elsewhere SIGHUP is left to do what it does.
#[cfg(unix)]
fn hangups_are_ignored() -> bool {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask >> (SIGHUP - 1) & 1 == 1)
}
