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
}

impl Signals {
    /// From now on SIGINT and SIGTERM ask to stop, SIGUSR1 asks to save. A second SIGINT or
    /// SIGTERM ends the process at once.
    pub fn install() -> io::Result<Self> {
        let signals = Self { stop: Arc::default(), save: Arc::default() };
        let stopping = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The handlers run in this order, so the first signal finds the flag down.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
            flag::register_usize(signal, Arc::clone(&signals.stop), signal as usize)?;
        }
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&signals.save))?;
        Ok(signals)
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
