//! Apply nonlinearities and their derivatives in place.

use super::dispatch::Task;
use super::maths;
use super::simd::{LANES, Simd};
use crate::model::{Activation, Sigma};

/// h ← f(h); the length is a multiple of 16.
#[derive(Debug)]
pub(crate) struct ActivationForward<'a> {
    pub(crate) activation: Activation,
    pub(crate) h: &'a mut [f32],
}

impl Task for ActivationForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (chunks, rest) = self.h.as_chunks_mut();
        assert!(rest.is_empty(), "whole vectors");
        match self.activation {
            Activation::Tanh => {
                for h in chunks {
                    s.store(maths::tanh(s, s.load(h)), h);
                }
            }
            Activation::Relu => {
                for h in chunks {
                    // max with the argument last, so that NaN is not hidden.
                    s.store(s.max(s.splat(0.0), s.load(h)), h);
                }
            }
            Activation::Softplus => {
                for h in chunks {
                    s.store(maths::softplus(s, s.load(h)), h);
                }
            }
        }
    }
}

/// d ← d · f′, with f′ expressed by h = f(y): 1 − h², \[h > 0\], 1 − e^(−h).
#[derive(Debug)]
pub(crate) struct ActivationBackward<'a> {
    pub(crate) activation: Activation,
    pub(crate) h: &'a [f32],
    pub(crate) d: &'a mut [f32],
}

impl Task for ActivationBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (chunks, rest) = self.d.as_chunks_mut();
        let (hidden, hidden_rest) = self.h.as_chunks();
        assert!(rest.is_empty() && hidden_rest.is_empty(), "whole vectors");
        assert_eq!(chunks.len(), hidden.len(), "one derivative per element");
        let one = s.splat(1.0);
        match self.activation {
            Activation::Tanh => {
                for (d, h) in chunks.iter_mut().zip(hidden) {
                    let h = s.load(h);
                    let slope = s.sub(one, s.mul(h, h));
                    s.store(s.mul(s.load(d), slope), d);
                }
            }
            Activation::Relu => {
                for (d, h) in chunks.iter_mut().zip(hidden) {
                    let zero = s.splat(0.0);
                    s.store(s.select(s.lt(zero, s.load(h)), s.load(d), zero), d);
                }
            }
            Activation::Softplus => {
                for (d, h) in chunks.iter_mut().zip(hidden) {
                    let slope = maths::one_minus_exp_negative(s, s.load(h));
                    s.store(s.mul(s.load(d), slope), d);
                }
            }
        }
    }
}

/// σ from the output of its head; the length is a multiple of 16.
#[derive(Debug)]
pub(crate) struct SigmaForward<'a> {
    pub(crate) sigma: Sigma,
    pub(crate) raw: &'a [f32],
    pub(crate) sd: &'a mut [f32],
}

impl Task for SigmaForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert_eq!(self.raw.len(), self.sd.len(), "one σ per output");
        assert_eq!(self.raw.len() % LANES, 0, "whole vectors");
        let raw = self.raw.as_chunks().0;
        let sd = self.sd.as_chunks_mut().0;
        match self.sigma {
            Sigma::Exp => {
                for (raw, sd) in raw.iter().zip(sd) {
                    s.store(maths::exp(s, s.load(raw)), sd);
                }
            }
            Sigma::Softplus => {
                for (raw, sd) in raw.iter().zip(sd) {
                    s.store(maths::softplus(s, s.load(raw)), sd);
                }
            }
        }
    }
}

/// d ← d · ∂σ/∂raw: σ itself for exp, sigmoid(raw) for softplus.
#[derive(Debug)]
pub(crate) struct SigmaBackward<'a> {
    pub(crate) sigma: Sigma,
    pub(crate) raw: &'a [f32],
    pub(crate) sd: &'a [f32],
    pub(crate) d: &'a mut [f32],
}

impl Task for SigmaBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        assert!(self.raw.len() == self.d.len() && self.sd.len() == self.d.len(), "same shapes");
        assert_eq!(self.d.len() % LANES, 0, "whole vectors");
        let outputs = self.raw.as_chunks().0.iter().zip(self.sd.as_chunks().0);
        for ((raw, sd), d) in outputs.zip(self.d.as_chunks_mut().0) {
            let slope = match self.sigma {
                Sigma::Exp => s.load(sd),
                Sigma::Softplus => maths::sigmoid(s, s.load(raw)),
            };
            s.store(s.mul(s.load(d), slope), d);
        }
    }
}
