//! Draw latent samples, and carry their gradient to the posterior.

use super::dispatch::{KernelPath, Task};
use super::likelihood::sum_lanes;
use super::maths;
use super::rows::ROW_BLOCK;
use super::simd::{LANES, Simd};
use crate::engine::Noise;
use crate::random::normal::{COS, SIN};
use crate::random::philox::{M0, M1, W0, W1};

/// ε, z = μ + σ ε and log p(z) − log q(z|x) − Σ log σ = Σ ½(ε² − z²) for some samples of one image.
#[derive(Debug)]
pub(crate) struct DrawLatents<'a> {
    /// L.
    pub(crate) latents: usize,
    pub(crate) noise: Noise,
    /// The image's number in its data set.
    pub(crate) image: u32,
    /// The samples' numbers, `[rows]`.
    pub(crate) samples: &'a [u32],
    /// μ, `[pad(L)]`, zero beyond L.
    pub(crate) mean: &'a [f32],
    /// σ, `[pad(L)]`.
    pub(crate) sd: &'a [f32],
    /// Out: ε, `[rows, pad(L)]`, zero beyond L.
    pub(crate) epsilon: &'a mut [f32],
    /// Out: z, `[rows, pad(L)]`, zero beyond L.
    pub(crate) z: &'a mut [f32],
    /// Out: Σ ½(ε² − z²), `[rows]`, in nats.
    pub(crate) log_ratio: &'a mut [f64],
}

impl Task for DrawLatents<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (mean, sd) = (self.mean.as_chunks().0, self.sd.as_chunks().0);
        let vectors = mean.len();
        let stride = vectors * LANES;
        assert!(sd.len() == vectors && stride >= self.latents, "μ and σ are padded to vectors");
        assert!(stride - self.latents < LANES, "no whole vector of padding");
        let rows = self.samples.len();
        assert!(self.epsilon.len() == rows * stride && self.z.len() == rows * stride);
        assert_eq!(self.log_ratio.len(), rows, "one row per sample");
        let used = (self.latents - 1) % LANES + 1;
        let valid: [u32; LANES] = std::array::from_fn(|i| if i < used { u32::MAX } else { 0 });
        let (zero, half) = (s.splat(0.0), s.splat(0.5));

        let epsilon_rows = self.epsilon.chunks_exact_mut(stride);
        let outputs = epsilon_rows.zip(self.z.chunks_exact_mut(stride)).zip(self.log_ratio);
        for (&sample, ((epsilon, z), log_ratio)) in self.samples.iter().zip(outputs) {
            let (epsilon, z) = (epsilon.as_chunks_mut().0, z.as_chunks_mut().0);
            let mut sum = zero;
            for quarter in 0..vectors.div_ceil(4) {
                let four = normals(s, self.noise, self.image, sample, quarter as u32);
                for (j, normal) in four.into_iter().enumerate() {
                    let v = 4 * quarter + j;
                    if v >= vectors {
                        break;
                    }
                    let mask = s.nonzero(s.load_u(&valid));
                    let e = if v + 1 == vectors { s.select(mask, normal, zero) } else { normal };
                    // σ is positive beyond L too, but ε is zero there and so is μ.
                    let point = s.fma(s.load(&sd[v]), e, s.load(&mean[v]));
                    let squares = s.sub(s.mul(e, e), s.mul(point, point));
                    sum = s.fma(half, squares, sum);
                    s.store(e, &mut epsilon[v]);
                    s.store(point, &mut z[v]);
                }
            }
            *log_ratio = sum_lanes(s.array(sum).map(f64::from));
        }
    }
}

/// Many normal numbers of one sample.
struct DrawNormals<'a> {
    noise: Noise,
    image: u32,
    sample: u32,
    out: &'a mut [f32],
}

impl Task for DrawNormals<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (quarter, out) in self.out.chunks_mut(4 * LANES).enumerate() {
            let four = normals(s, self.noise, self.image, self.sample, quarter as u32);
            for (normal, out) in four.into_iter().zip(out.chunks_mut(LANES)) {
                out.copy_from_slice(&s.array(normal)[..out.len()]);
            }
        }
    }
}

impl KernelPath {
    /// [`Stream::normals`](crate::random::Stream::normals), at the speed of this path.
    pub(crate) fn normals(self, noise: Noise, image: u32, sample: u32, out: &mut [f32]) {
        self.run(DrawNormals { noise, image, sample, out });
    }
}

/// Normal numbers 64·`quarter` … + 63 of one sample: four vectors from sixteen Philox counters.
/// The layout and the formulae are those of [`Stream::normals`](crate::random::Stream::normals).
#[inline(always)]
fn normals<S: Simd>(s: S, noise: Noise, image: u32, sample: u32, quarter: u32) -> [S::F; 4] {
    let lanes: [u32; LANES] = std::array::from_fn(|i| 16 * quarter + i as u32);
    let mut c0 = s.load_u(&lanes);
    let mut c1 = s.splat_u(sample);
    let mut c2 = s.splat_u(image);
    let mut c3 = s.splat_u(noise.time);
    let [mut k0, mut k1] = noise.stream.key();
    let (m0, m1) = (s.splat_u(M0), s.splat_u(M1));
    for _ in 0..10 {
        let (high0, low0) = s.mul_wide(c0, m0);
        let (high1, low1) = s.mul_wide(c2, m1);
        c0 = s.xor(s.xor(high1, c1), s.splat_u(k0));
        c1 = low1;
        c2 = s.xor(s.xor(high0, c3), s.splat_u(k1));
        c3 = low0;
        k0 = k0.wrapping_add(W0);
        k1 = k1.wrapping_add(W1);
    }
    let (n0, n1) = normal_pair(s, c0, c1);
    let (n2, n3) = normal_pair(s, c2, c3);
    [n0, n1, n2, n3]
}

/// The vector twin of [`normal_pair`](crate::random::normal::normal_pair), step by step.
#[inline(always)]
fn normal_pair<S: Simd>(s: S, radius_word: S::U, angle_word: S::U) -> (S::F, S::F) {
    let unit = s.splat(1.0 / 16_777_216.0);
    let one = s.splat_u(1);
    let u = s.mul(s.to_f32(s.add_u(s.shr::<8>(radius_word), one)), unit);
    let r = s.sqrt(s.mul(s.splat(-2.0), maths::ln(s, u)));
    let fraction = s.shr::<8>(s.shl::<2>(angle_word));
    let t = s.sub(s.mul(s.to_f32(fraction), unit), s.splat(0.5));
    let t2 = s.mul(t, t);
    let mut sin = s.splat(SIN[4]);
    for i in (0..4).rev() {
        sin = s.fma(sin, t2, s.splat(SIN[i]));
    }
    let sin = s.mul(sin, t);
    let mut cos = s.splat(COS[5]);
    for i in (0..5).rev() {
        cos = s.fma(cos, t2, s.splat(COS[i]));
    }
    let q = s.shr::<30>(angle_word);
    let odd = s.nonzero(s.and(q, one));
    let x = s.bits(s.select(odd, sin, cos));
    let y = s.bits(s.select(odd, cos, sin));
    let high = s.shr::<1>(q);
    let x = s.with_bits(s.xor(x, s.shl::<31>(s.xor(q, high))));
    let y = s.with_bits(s.xor(y, s.shl::<31>(high)));
    (s.mul(r, x), s.mul(r, y))
}

/// Adds the path terms of some samples of one image, without their score-like parts, to the
/// gradient at μ and σ: `d_mean` += Σ b g and `d_sd` += Σ b g ε, g = `d_z` − z.
#[derive(Debug)]
pub(crate) struct PosteriorGradient<'a> {
    /// b, `[rows]`.
    pub(crate) b: &'a [f32],
    /// ∂z log p(x|z), `[rows, pad(L)]`.
    pub(crate) d_z: &'a [f32],
    /// z, `[rows, pad(L)]`.
    pub(crate) z: &'a [f32],
    /// ε, `[rows, pad(L)]`.
    pub(crate) epsilon: &'a [f32],
    /// `[pad(L)]`.
    pub(crate) d_mean: &'a mut [f32],
    /// `[pad(L)]`.
    pub(crate) d_sd: &'a mut [f32],
}

impl Task for PosteriorGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (rows, vectors) = (self.b.len(), self.d_mean.len() / LANES);
        assert_eq!(self.d_mean.len() % LANES, 0, "whole vectors");
        assert_eq!(self.d_sd.len(), self.d_mean.len(), "one gradient per latent");
        let (d_z, z) = (self.d_z.as_chunks::<LANES>().0, self.z.as_chunks::<LANES>().0);
        let epsilon = self.epsilon.as_chunks::<LANES>().0;
        for buffer in [d_z, z, epsilon] {
            assert_eq!(buffer.len(), rows * vectors, "one row per sample");
        }
        let d_mean = self.d_mean.as_chunks_mut::<LANES>().0;
        let d_sd = self.d_sd.as_chunks_mut::<LANES>().0;
        for (v, (d_mean, d_sd)) in d_mean.iter_mut().zip(d_sd).enumerate() {
            for first in (0..rows).step_by(ROW_BLOCK) {
                let (mut sum, mut sum_epsilon) = (s.splat(0.0), s.splat(0.0));
                for row in first..rows.min(first + ROW_BLOCK) {
                    let at = row * vectors + v;
                    let g = s.sub(s.load(&d_z[at]), s.load(&z[at]));
                    let path = s.mul(s.splat(self.b[row]), g);
                    sum = s.add(sum, path);
                    sum_epsilon = s.fma(path, s.load(&epsilon[at]), sum_epsilon);
                }
                s.store(s.add(s.load(d_mean), sum), d_mean);
                s.store(s.add(s.load(d_sd), sum_epsilon), d_sd);
            }
        }
    }
}
