//! Score a model honestly: the L_K curve, log p̂ and KL, with standard errors.
