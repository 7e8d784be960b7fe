//! Keep the multiply-add units busy with nothing else, as the yardstick of every speed.

use std::hint::black_box;

use super::dispatch::Task;
use super::simd::{LANES, Simd};

/// Runs `rounds` rounds of independent chains of fused multiply-adds in registers, and returns the
/// number of floating-point operations, two per multiply-add and lane.
///
/// There are as many chains as the matrix product has accumulators: what fits the registers beside
/// the operands. That is 24 registers with AVX-512, 20 with NEON and 12 with AVX2, which has 16
/// in all; ten chains keep two units of latency five busy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FmaChains {
    pub(crate) rounds: u32,
}

impl Task for FmaChains {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> u64 {
        // A constant per path, so only one of them is compiled.
        match S::TILE_ROWS * S::TILE_VECTORS {
            24.. => chains::<S, 24>(s, self.rounds),
            6.. => chains::<S, 6>(s, self.rounds),
            _ => chains::<S, 5>(s, self.rounds),
        }
    }
}

/// `N` chains x ← ½ x + 1, which stay near 2 whatever their length.
#[inline(always)]
fn chains<S: Simd, const N: usize>(s: S, rounds: u32) -> u64 {
    let (half, one) = (s.splat(black_box(0.5)), s.splat(black_box(1.0)));
    let mut chains = [s.splat(black_box(3.0)); N];
    for _ in 0..rounds {
        for chain in &mut chains {
            *chain = s.fma(*chain, half, one);
        }
    }
    for chain in chains {
        black_box(s.array(chain));
    }
    u64::from(rounds) * (2 * N * LANES) as u64
}
