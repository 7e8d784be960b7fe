//! Hold every kernel against scalar code, on every path of the machine.

mod confined;
mod gemm;
mod latents;
mod likelihood;
mod maths;
mod pointwise;
mod rows;
mod support;
mod update;
