//! Turn run folders and scores into tables and pictures.
#![forbid(unsafe_code)]
