//! Hold estimators against exact answers, against draws, and against what they declare.

mod certificate;
mod exact;
mod known;
mod line;
mod network;
mod sampled;
mod spread;
mod subject;

pub use certificate::{Certificate, CertifyError, Effort, certify, certify_definition};
pub use line::{Bar, Line, Part};
pub use spread::{Noisiness, Spread};
