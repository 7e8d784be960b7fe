//! Write out the gradient, and take one step of Adam.

use super::dispatch::Task;
use super::simd::{LANES, Simd};

/// `out` ← scale · x for one run of elements; says whether all are finite.
#[derive(Debug)]
pub(crate) struct ScaleInto<'a> {
    pub(crate) scale: f32,
    pub(crate) x: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Task for ScaleInto<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let Self { scale, x, out } = self;
        assert_eq!(x.len(), out.len(), "one result per element");
        let scale = s.splat(scale);
        // x · 0 is 0 for every finite x and NaN for the others.
        let mut poison = s.splat(0.0);
        let whole = out.len() / LANES * LANES;
        for (x, out) in x.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
            let scaled = s.mul(s.load(x), scale);
            poison = s.fma(scaled, s.splat(0.0), poison);
            s.store(scaled, out);
        }
        if whole < out.len() {
            let scaled = s.mul(s.load(&padded(&x[whole..])), scale);
            poison = s.fma(scaled, s.splat(0.0), poison);
            let rest = s.array(scaled);
            let length = out.len() - whole;
            out[whole..].copy_from_slice(&rest[..length]);
        }
        s.array(poison).iter().all(|&p| p == 0.0)
    }
}

/// A short slice, filled up with zeros.
#[inline(always)]
fn padded(x: &[f32]) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    out[..x.len()].copy_from_slice(x);
    out
}

/// One Adam step (ascent) on a run of parameters of any length.
#[derive(Debug)]
pub(crate) struct AdamStep<'a> {
    pub(crate) parameters: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) first: &'a mut [f32],
    pub(crate) second: &'a mut [f32],
    pub(crate) constants: AdamConstants,
}

/// What is the same for all parameters of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamConstants {
    /// 1 − β₁, rounded once: 1 − 0.999 in f32 would be off by 1e-5 of itself.
    pub(crate) new1: f32,
    /// 1 − β₂.
    pub(crate) new2: f32,
    /// ε.
    pub(crate) epsilon: f32,
    /// α / (1 − β₁ᵗ).
    pub(crate) rate: f32,
    /// 1 / √(1 − β₂ᵗ).
    pub(crate) root: f32,
}

impl Task for AdamStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { parameters, gradient, first, second, constants } = self;
        let n = parameters.len();
        assert!(gradient.len() == n && first.len() == n && second.len() == n, "equal lengths");
        let whole = n / LANES * LANES;
        let (p_chunks, p_rest) = parameters.split_at_mut(whole);
        let (m_chunks, m_rest) = first.split_at_mut(whole);
        let (v_chunks, v_rest) = second.split_at_mut(whole);
        let moments = m_chunks.as_chunks_mut().0.iter_mut().zip(v_chunks.as_chunks_mut().0);
        let gradients = gradient[..whole].as_chunks().0;
        for ((p, g), (m, v)) in p_chunks.as_chunks_mut().0.iter_mut().zip(gradients).zip(moments) {
            adam(s, p, g, m, v, constants);
        }
        if whole < n {
            let (mut p, mut m, mut v) = (padded(p_rest), padded(m_rest), padded(v_rest));
            adam(s, &mut p, &padded(&gradient[whole..]), &mut m, &mut v, constants);
            p_rest.copy_from_slice(&p[..n - whole]);
            m_rest.copy_from_slice(&m[..n - whole]);
            v_rest.copy_from_slice(&v[..n - whole]);
        }
    }
}

/// m ← m + (1−β₁)(g − m), v ← v + (1−β₂)(g² − v), p ← p + rate · m / (√v · root + ε).
#[inline(always)]
fn adam<S: Simd>(
    s: S,
    p: &mut [f32; LANES],
    g: &[f32; LANES],
    m: &mut [f32; LANES],
    v: &mut [f32; LANES],
    c: AdamConstants,
) {
    let gradient = s.load(g);
    let (first, second) = (s.load(m), s.load(v));
    let first = s.fma(s.splat(c.new1), s.sub(gradient, first), first);
    let change = s.sub(s.mul(gradient, gradient), second);
    let second = s.fma(s.splat(c.new2), change, second);
    let denominator = s.fma(s.sqrt(second), s.splat(c.root), s.splat(c.epsilon));
    let step = s.div(s.mul(s.splat(c.rate), first), denominator);
    s.store(s.add(s.load(p), step), p);
    s.store(first, m);
    s.store(second, v);
}
