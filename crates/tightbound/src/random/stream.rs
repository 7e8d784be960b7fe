//! Give every purpose its own stream, addressed by (time, item, sample, index).

use super::normal::normal_pair;
use super::philox::philox4x32_10;

/// What a random number is used for. Each purpose has a key of its own, so no two purposes share
/// a draw. The numbers are part of the file formats: never renumber one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights (item: tensor).
    Initialisation = 1,
    /// Order of the images in an epoch (time: epoch).
    Shuffle = 2,
    /// Pixels of training images (time: epoch, item: image).
    Binarisation = 3,
    /// Frozen pixels of held-out images (item: image).
    TestPixels = 4,
    /// Latent noise of training (time: epoch, item: image, sample: s), and which samples survive a
    /// roulette: block 2³² − 1 of the same address.
    Noise = 5,
    /// Latent noise of the second pass, where encoder and decoder are updated one after the other.
    SecondPassNoise = 6,
    /// Latent noise of scores (item: image, sample: s).
    EvaluationNoise = 7,
    /// Draws from the prior, and the latent noise of reconstructions.
    Sampling = 8,
    /// Which network is updated first (time: epoch, item: minibatch).
    UpdateOrder = 9,
    /// The strokes of the built-in glyphs (item: image).
    Glyphs = 10,
    /// Which training images are held out for validation.
    Validation = 11,
    /// Latent noise of gradients that are measured, not followed (item: image, sample: s).
    Diagnosis = 12,
    /// The toy problem: its data and parameters at time 0, the noise of its gradients at time M·K
    /// (item: point, sample: draw).
    Toy = 13,
    /// Annealed importance sampling (item: image, sample: chain). Time is 4 t + r, with r = 0 for runs that
    /// choose step sizes, 1 for forward and 2 for reverse runs, 3 for images drawn from the model; t = 0 is
    /// the draw from the prior, t > 0 the momentum of transition t, whose acceptance and step size are the last two blocks.
    /// The pixels of an image drawn from the model are blocks d of t = 1.
    Annealing = 14,
}

/// All random numbers of one purpose under one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream of `purpose` under `seed`.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        let seed_key = [seed as u32, (seed >> 32) as u32];
        let [k0, k1, ..] = philox4x32_10([purpose as u32, 0, 0, 0], seed_key);
        Self { key: [k0, k1] }
    }

    /// The Philox key of this stream.
    pub fn key(&self) -> [u32; 2] {
        self.key
    }

    /// The four random words at one address.
    pub fn words(&self, time: u32, item: u32, sample: u32, block: u32) -> [u32; 4] {
        philox4x32_10([block, sample, item, time], self.key)
    }

    /// One uniform number in [0, 1), a multiple of 2⁻²⁴.
    pub fn uniform(&self, time: u32, item: u32, sample: u32, index: u32) -> f32 {
        let word = self.words(time, item, sample, index / 4)[(index % 4) as usize];
        uniform_from_word(word)
    }

    /// One uniform number in [0, 1), a multiple of 2⁻⁵³, from the words of block `block`.
    pub(crate) fn uniform_f64(&self, time: u32, item: u32, sample: u32, block: u32) -> f64 {
        let [high, low, ..] = self.words(time, item, sample, block);
        let bits = u64::from(high) << 32 | u64::from(low);
        (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// One integer in 0..`bound` (multiply-shift; its bias is below `bound` · 2⁻³²).
    pub fn below(&self, bound: u32, time: u32, item: u32, sample: u32, index: u32) -> u32 {
        let word = self.words(time, item, sample, index / 4)[(index % 4) as usize];
        ((u64::from(word) * u64::from(bound)) >> 32) as u32
    }

    /// Fills `out` with standard normal numbers ε\[0..L\] of one sample.
    ///
    /// Index l lies in word j = (l/16) mod 4 of block 16·(l/64) + l mod 16: sixteen neighbouring
    /// numbers come from sixteen counters, which is what sixteen vector lanes compute at once.
    /// Words 0 and 1 give numbers j = 0 and 1 (Box–Muller), words 2 and 3 give j = 2 and 3.
    pub fn normals(&self, time: u32, item: u32, sample: u32, out: &mut [f32]) {
        for (q, chunk) in out.chunks_mut(64).enumerate() {
            for lane in 0..chunk.len().min(16) {
                let w = self.words(time, item, sample, (16 * q + lane) as u32);
                let (n0, n1) = normal_pair(w[0], w[1]);
                let (n2, n3) = normal_pair(w[2], w[3]);
                for (j, n) in [n0, n1, n2, n3].into_iter().enumerate() {
                    if let Some(slot) = chunk.get_mut(16 * j + lane) {
                        *slot = n;
                    }
                }
            }
        }
    }
}

/// Turns a random word into a uniform number in [0, 1).
pub(crate) fn uniform_from_word(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_seeds_do_not_share_keys() {
        let mut keys: Vec<_> = (0..50u64)
            .flat_map(|s| {
                [s, s << 32].into_iter().flat_map(|seed| {
                    [Purpose::Noise, Purpose::Binarisation, Purpose::TestPixels]
                        .map(|p| Stream::new(seed, p).key())
                })
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        // Seed 0 equals seed 0 << 32, so three keys coincide by construction.
        assert_eq!(keys.len(), 300 - 3);
    }

    #[test]
    fn a_prefix_of_the_normals_does_not_depend_on_the_length() {
        let stream = Stream::new(7, Purpose::Noise);
        let mut long = vec![0.0; 200];
        stream.normals(3, 11, 5, &mut long);
        for len in [1, 15, 16, 17, 50, 63, 64, 65, 130] {
            let mut short = vec![0.0; len];
            stream.normals(3, 11, 5, &mut short);
            assert_eq!(short, long[..len]);
        }
    }

    /// Mean, variance, skewness and kurtosis of n = 640,000 numbers: each must lie within 5
    /// standard errors (1, √2, √6, √24 over √n) of 0, 1, 0, 3; and neighbours must not correlate.
    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let stream = Stream::new(1, Purpose::Noise);
        let mut numbers = Vec::new();
        for item in 0..10_000 {
            let mut out = [0.0; 64];
            stream.normals(0, item, 2, &mut out);
            numbers.extend(out.map(f64::from));
        }
        let n = numbers.len() as f64;
        let moment = |p: i32| numbers.iter().map(|x| x.powi(p)).sum::<f64>() / n;
        for (p, expected, sd) in [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error = (moment(p) - expected).abs();
            assert!(error < 5.0 * (sd / n).sqrt(), "moment {p} is off by {error}");
        }
        for lag in [1, 16, 32, 48, 64] {
            let r = numbers.windows(lag + 1).map(|w| w[0] * w[lag]).sum::<f64>() / n;
            assert!(r.abs() < 5.0 / n.sqrt(), "lag {lag} correlates: {r}");
        }
    }
}
