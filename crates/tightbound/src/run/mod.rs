//! Hold everything durable: the run folder, its checkpoint, its log, and the check of both.
