//! Compute everything in f64 with plain loops, shaped like the formulae: the truth, kept for ever.
