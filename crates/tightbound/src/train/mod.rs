//! Train a model: settings, optimiser, learning-rate ladder, loop.
