//! Hold one file per subcommand.

pub mod ais;
pub mod bench;
pub mod certify;
pub mod cite;
pub mod compare;
pub mod completions;
pub mod data;
pub mod demo;
pub mod encode;
pub mod estimators;
pub mod eval;
pub mod reconstruct;
pub mod report;
pub mod reproduce;
pub mod sample;
pub mod snr;
pub mod sweep;
pub mod toy;
pub mod train;
pub mod verify;
