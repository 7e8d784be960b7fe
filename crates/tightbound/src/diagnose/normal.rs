//! Answer questions about normal distributions in closed form.

use std::f64::consts::TAU;

/// N(mean, variance) of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// The mean.
    pub mean: f64,
    /// The variance, > 0.
    pub variance: f64,
}

impl Normal {
    /// log N(x; mean, variance), in nats.
    pub fn log_density(&self, x: f64) -> f64 {
        let distance = x - self.mean;
        -0.5 * (distance * distance / self.variance + (TAU * self.variance).ln())
    }

    /// KL(self ‖ other) = ½ [r − 1 − log r + (difference of means)² / variance of other], in nats,
    /// with r the ratio of the variances.
    pub fn kl(&self, other: &Self) -> f64 {
        let ratio = self.variance / other.variance;
        let distance = self.mean - other.mean;
        0.5 * (ratio - 1.0 - ratio.ln() + distance * distance / other.variance)
    }

    /// E_q (p/q)² for p = self, ∞ where q's tails are too light.
    ///
    /// ```text
    /// ∫ p²/q = √v_q / (v_p √(2/v_p − 1/v_q)) · exp(δ² / (2 v_q − v_p)),  δ = difference of means
    /// ```
    pub fn second_moment_under(&self, q: &Self) -> f64 {
        let (p, excess) = (self.variance, 2.0 * q.variance - self.variance);
        if excess <= 0.0 {
            return f64::INFINITY;
        }
        let distance = self.mean - q.mean;
        q.variance / (p * excess).sqrt() * (distance * distance / excess).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of densities on a fine grid: the trapezoidal rule is exact to rounding for smooth
    /// functions that vanish at both ends.
    #[test]
    fn closed_forms_are_the_integrals() {
        let p = Normal { mean: 0.3, variance: 0.8 };
        let q = Normal { mean: -0.4, variance: 1.1 };
        let h = 1e-3;
        let grid = (-30_000..30_000).map(|i| f64::from(i) * h);
        let (mut total, mut kl, mut second) = (0.0, 0.0, 0.0);
        for x in grid {
            let (log_p, log_q) = (p.log_density(x), q.log_density(x));
            total += h * log_p.exp();
            kl += h * log_p.exp() * (log_p - log_q);
            second += h * (2.0 * log_p - log_q).exp();
        }
        // 60,000 additions round by less than 1e-11 together.
        assert!((total - 1.0).abs() < 1e-11, "{total}");
        assert!((kl - p.kl(&q)).abs() < 1e-11, "{kl}");
        assert!((second - p.second_moment_under(&q)).abs() < 1e-11, "{second}");
    }

    #[test]
    fn light_tails_have_no_second_moment() {
        let p = Normal { mean: 0.0, variance: 1.0 };
        assert_eq!(p.second_moment_under(&Normal { variance: 0.5, ..p }), f64::INFINITY);
        assert!(p.second_moment_under(&Normal { variance: 0.51, ..p }).is_finite());
        assert_eq!((p.kl(&p), p.second_moment_under(&p)), (0.0, 1.0));
    }
}
