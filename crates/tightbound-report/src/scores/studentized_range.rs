//! Compute how often the range of several means exceeds so many standard errors.

/// Steps over z for one number, and over log s for few degrees of freedom. The errors of trapezoids fall like
/// exp(−2π²/step²) for normal densities, and like exp(−π²/(2 step)) for that of log s: 10⁻¹³ both.
const STEP: f64 = 0.8;
const LOG_STEP: f64 = 0.16;

/// Normal densities further out are less than 10⁻¹⁷.
const FURTHEST: f64 = 8.8;

/// The probability that the range of k = `means` ≥ 2 standard normal numbers, over an independent root of
/// χ²_ν/ν of ν = `degrees` ≥ 1, lies above `q` ≥ 0:
///
/// ```text
/// 1 − ∫ f(s) W(q s) ds,   W(w) = k ∫ φ(z) (Φ(z) − Φ(z − w))^(k−1) dz,   f(s) ∝ s^(ν−1) exp(−ν s²/2)
/// ```
///
/// (Tukey; Copenhaver & Holland 1988). For k = 2 it is Student's law of q/√2. All are finite.
pub(super) fn above(q: f64, means: usize, degrees: f64) -> f64 {
    // Over u = log s, where the density has its peak at 0 and a width of 1/√(2ν).
    let step = LOG_STEP / (degrees / 3.0).max(1.0).sqrt();
    let density = |u: f64| (degrees * (u - 0.5 * f64::exp_m1(2.0 * u))).exp();
    let range = Range::new(means);
    let (mut sum, mut weights) = (range.above(q), 1.0);
    for direction in [-step, step] {
        for i in 1.. {
            let u = f64::from(i) * direction;
            let weight = density(u);
            if weight < 1e-17 {
                break;
            }
            sum += weight * range.above(q * u.exp());
            weights += weight;
        }
    }
    (sum / weights).max(0.0)
}

/// The law of the range of k standard normal numbers.
struct Range {
    /// k − 1.
    others: i32,
    /// z, k φ(z) times the step, and Φ(z).
    nodes: Vec<[f64; 3]>,
}

impl Range {
    fn new(means: usize) -> Self {
        // The largest of k numbers has a narrower density than each of them.
        let step = STEP / (means as f64).sqrt();
        let steps = (FURTHEST / step).ceil() as i32;
        let scale = means as f64 * step / (2.0 * std::f64::consts::PI).sqrt();
        let node = |i: i32| {
            let z = f64::from(i) * step;
            [z, scale * (-0.5 * z * z).exp(), below(z)]
        };
        let others = i32::try_from(means - 1).expect("a table has fewer rows");
        Self { others, nodes: (-steps..=steps).map(node).collect() }
    }

    /// 1 − W(w), the probability that the range is more than `w`.
    fn above(&self, w: f64) -> f64 {
        let term =
            |[z, weight, below_z]: &[f64; 3]| weight * (below_z - below(z - w)).powi(self.others);
        1.0 - self.nodes.iter().map(term).sum::<f64>()
    }
}

/// Φ(z).
fn below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, StudentsT};

    use super::*;

    /// The range of two numbers is √2 times the length of one.
    #[test]
    fn of_two_means_it_is_students() {
        for degrees in [1.0, 3.0, 4.7, 30.0, 400.0] {
            let law = StudentsT::new(0.0, 1.0, degrees).unwrap();
            for t in [0.0, 0.3, 1.0, 2.4, 5.0] {
                let (own, expected) = (above(2f64.sqrt() * t, 2, degrees), 2.0 * law.sf(t));
                // What the steps leave, and the errors of statrs's beta function.
                assert!((own - expected).abs() < 1e-11, "{degrees} {t}: {own} {expected}");
            }
        }
    }

    /// scipy 1.17.1: `studentized_range.sf(q, k, df)`, whose adaptive quadrature stops at 10⁻¹¹ or so.
    #[test]
    fn of_more_means_it_is_that_of_scipy() {
        for (q, means, degrees, expected) in [
            (3.5, 3, 4.5, 0.1283716214718773),
            (5.0, 8, 3.2, 0.19882670851332418),
            (4.2, 5, 11.7, 0.0734476701581851),
            (0.9, 4, 6.0, 0.9165179778872907),
            (12.0, 3, 3.0, 0.007035522366273472),
            (3.7, 20, 250.0, 0.4957663905498285),
            (6.5, 28, 5.5, 0.14047131223918097),
        ] {
            let own = above(q, means, degrees);
            assert!((own - expected).abs() < 1e-9, "{q} {means} {degrees}: {own}");
        }
        let ends = [above(1e300, 3, 4.0), above(0.0, 3, 4.0)];
        assert!(ends[0] < 1e-14 && ends[1] == 1.0, "{ends:?}");
    }
}
