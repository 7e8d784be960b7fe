//! Train deep latent-variable models, and find out how tight a bound to train on.
//!
//! The rooms, in the order in which one minibatch passes through them:
//!
//! | room | what it does |
//! |---|---|
//! | [`data`] | grey images in, binarised minibatches out |
//! | [`model`] | architecture, parameter table, initialisation |
//! | [`estimators`] | log-weights → a bound and three coefficients per sample |
//! | [`engine`] | gradients, log-weights, encode, decode: `reference` (f64) and `cpu` (f32) |
//! | [`settings`] | what the user asked for, resolved and checked |
//! | [`train`] | optimiser, learning-rate ladder, the loop |
//! | [`run`] | what is durable: run folder, checkpoint, metrics log, verification |
//! | [`evaluate`] | honest scores: the L_K curve, log p̂, KL |
//! | [`sweep`] | many trainings: an experiment's cells, their folder, their results |
//! | [`diagnose`] | how right and how noisy gradients are: exact answers, signal-to-noise ratios |
//!
//! Beside them stand [`statistics`], the intervals of all rooms, and [`random`]: every random number in
//! the program is a function of (seed, purpose, time, item, sample, index).
#![deny(unsafe_code)]

pub mod data;
pub mod diagnose;
pub mod engine;
pub mod estimators;
pub mod evaluate;
#[doc(hidden)]
pub mod fuzzing;
pub mod model;
pub mod random;
pub mod run;
pub mod settings;
pub mod statistics;
pub mod sweep;
pub mod train;

/// The version of this library, as written into every run folder.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Compiles and runs the worked example of CONTRIBUTING.md.
#[cfg(doctest)]
#[doc = include_str!("../../../CONTRIBUTING.md")]
pub struct Contributing;
