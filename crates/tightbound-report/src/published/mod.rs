//! Hold the numbers that others published, to stand beside ours.

mod numbers;
mod published_score;

pub use published_score::{
    Architecture, Corpus, Provenance, PublishedScore, REPORT_CAVEAT, Score, Source, published,
    published_scores,
};
