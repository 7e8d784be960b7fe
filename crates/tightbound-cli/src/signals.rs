//! Remember the signals that ask to stop or to save, for a loop that asks now and then.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The signals that arrived since [`Signals::install`].
#[derive(Clone, Debug)]
pub struct Signals {
    stop: Arc<AtomicUsize>,
    save: Arc<AtomicBool>,
    /// Whether the next SIGINT or SIGTERM ends the process at once.
    last: Arc<AtomicBool>,
}

impl Signals {
    /// From now on SIGUSR1 asks to save. SIGINT and SIGTERM still end the process at once, so that
    /// a long download, say, can be left.
    pub fn install() -> io::Result<Self> {
        let last = Arc::new(AtomicBool::new(true));
        let signals = Self { stop: Arc::default(), save: Arc::default(), last };
        for signal in [SIGINT, SIGTERM] {
            // The handlers run in this order, so a signal that is held back finds the flag down.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&signals.last))?;
            flag::register(signal, Arc::clone(&signals.last))?;
            flag::register_usize(signal, Arc::clone(&signals.stop), signal as usize)?;
        }
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&signals.save))?;
        Ok(signals)
    }

    /// From now on SIGINT and SIGTERM ask to stop; a second one ends the process at once.
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

    /// Whether a signal asked to save since the last call.
    pub fn take_save(&self) -> bool {
        self.save.swap(false, Ordering::Relaxed)
    }
}
