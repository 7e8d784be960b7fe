//! Ask how good gradient estimators are: against exact answers, and signal against noise.

pub mod certify;
pub mod live;

mod gaussian;
mod moments;
mod normal;
mod quadrature;
mod snr;
pub mod toy;

pub use gaussian::{ExactModel, LinearGaussian, ScalarGaussian};
pub use moments::RunningMoments;
pub use normal::Normal;
pub use quadrature::{GaussHermite, TensorRule};
pub use snr::{DirectionalSnr, Moments, Snr, SnrError};
