//! Take exact expectations over samples of standard normal noise, by Gauss–Hermite quadrature.

/// Nodes and weights with Σ w f(x) = E f(ε), ε ~ N(0, 1), for every polynomial f of degree < 2n.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussHermite {
    /// The nodes, from the smallest.
    pub nodes: Vec<f64>,
    /// Their weights, which add up to 1.
    pub weights: Vec<f64>,
}

impl GaussHermite {
    /// The rule of `n` nodes.
    ///
    /// The nodes are the roots of the Hermite polynomial h_n. Between two roots of h_n lies one of
    /// h_(n−1), so the roots of each degree bracket those of the next, and bisection cannot fail.
    /// The weights are 1 / Σ_(k<n) h_k(x)².
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn new(n: usize) -> Self {
        assert!(n > 0, "a rule has a node");
        let mut nodes: Vec<f64> = Vec::new();
        for degree in 1..=n {
            let outside = 2.0 * (degree as f64).sqrt() + 1.0;
            let mut edges = vec![-outside];
            edges.append(&mut nodes);
            edges.push(outside);
            nodes = edges.windows(2).map(|edge| root(degree, edge[0], edge[1])).collect();
        }
        let weight = |&x: &f64| 1.0 / hermite(n, x)[..n].iter().map(|h| h * h).sum::<f64>();
        let weights = nodes.iter().map(weight).collect();
        Self { nodes, weights }
    }
}

/// h_0(x) … h_n(x), the probabilists' Hermite polynomials scaled so that E h_k(ε)² = 1.
fn hermite(n: usize, x: f64) -> Vec<f64> {
    let mut h = vec![1.0, x];
    for k in 1..n {
        let next = (x * h[k] - (k as f64).sqrt() * h[k - 1]) / ((k + 1) as f64).sqrt();
        h.push(next);
    }
    h
}

/// The root of h_n between `low` and `high`, to the last bit.
fn root(n: usize, mut low: f64, mut high: f64) -> f64 {
    let below = hermite(n, low)[n].is_sign_negative();
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if hermite(n, middle)[n].is_sign_negative() == below {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The tensor product of one rule over S = M·K samples, for functions that do not change when the
/// samples of a group, or the groups, change places.
///
/// Such a function needs one evaluation per *multiset* of nodes instead of one per tuple: with 40
/// nodes and S = 3 there are 11,480 of them instead of 64,000.
#[derive(Clone, Debug)]
pub struct TensorRule {
    rule: GaussHermite,
    /// A weight and the S indices of nodes, s = m·K + k.
    points: Vec<(f64, Vec<usize>)>,
}

impl TensorRule {
    /// The rule of `nodes` nodes for each of `m` groups of `k` samples.
    pub fn new(nodes: usize, m: usize, k: usize) -> Self {
        let rule = GaussHermite::new(nodes);
        let groups = multisets(&rule.weights, k);
        let weights: Vec<f64> = groups.iter().map(|(weight, _)| *weight).collect();
        let points = multisets(&weights, m).into_iter().map(|(weight, members)| {
            (weight, members.into_iter().flat_map(|g| groups[g].1.iter().copied()).collect())
        });
        Self { points: points.collect(), rule }
    }

    /// The nodes of the rule in one dimension.
    pub fn nodes(&self) -> &[f64] {
        &self.rule.nodes
    }

    /// A weight and the S indices of [`nodes`](Self::nodes), one point after the other.
    pub fn points(&self) -> &[(f64, Vec<usize>)] {
        &self.points
    }
}

/// All multisets of `count` items, each with its probability if items are drawn independently.
fn multisets(probabilities: &[f64], count: usize) -> Vec<(f64, Vec<usize>)> {
    let mut sets = vec![(1.0, Vec::new(), 0)];
    for drawn in 1..=count {
        let extended = sets.iter().flat_map(|(probability, set, repeats)| {
            let last = set.last().copied().unwrap_or(0);
            (last..probabilities.len()).map(move |item| {
                let repeats = if item == last { repeats + 1 } else { 1 };
                // A multinomial coefficient grows by n / (multiplicity of the newcomer).
                let ways = drawn as f64 / f64::from(repeats);
                let set = set.iter().copied().chain([item]).collect();
                (probability * probabilities[item] * ways, set, repeats)
            })
        });
        sets = extended.collect();
    }
    sets.into_iter().map(|(probability, set, _)| (probability, set)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_normal_are_exact_up_to_degree_2n() {
        for n in [1, 2, 3, 8, 40, 64] {
            let rule = GaussHermite::new(n);
            let moment = |p: usize| -> f64 {
                rule.nodes.iter().zip(&rule.weights).map(|(x, w)| w * x.powi(p as i32)).sum()
            };
            let mut exact = 1.0;
            for p in (0..2 * n).step_by(2) {
                exact *= if p == 0 { 1.0 } else { (p - 1) as f64 };
                // Rounding of the nodes is multiplied by the power.
                let error = (moment(p) - exact).abs() / exact;
                assert!(error < 1e-15 * (20 + 10 * p) as f64, "{n} nodes, moment {p}: {error}");
                assert!(moment(p + 1).abs() < 1e-13 * exact * (p + 1) as f64, "{n} nodes, {p} + 1");
            }
            // One degree higher the rule takes h_n² for 0, as its nodes are the roots; that is n!
            // for the polynomial with leading coefficient 1.
            let factorial: f64 = (1..=n).map(|i| i as f64).product();
            let (expected, full) = (exact * (2 * n - 1) as f64 - factorial, exact * (2 * n) as f64);
            assert!((moment(2 * n) - expected).abs() < 1e-12 * full, "{n} nodes, moment {}", 2 * n);
        }
    }

    #[test]
    fn multisets_are_tuples_counted_together() {
        let p = [0.1, 0.2, 0.7];
        let sets = multisets(&p, 3);
        assert_eq!(sets.len(), 10);
        let f = |i: usize| (i * i) as f64 + 0.3;
        let by_sets: f64 =
            sets.iter().map(|(w, s)| w * s.iter().map(|&i| f(i)).product::<f64>()).sum();
        let mean: f64 = (0..3).map(|i| p[i] * f(i)).sum();
        // A product of independent factors; ten terms of order one.
        assert!((by_sets - mean.powi(3)).abs() < 1e-12);
        assert!((sets.iter().map(|(w, _)| w).sum::<f64>() - 1.0).abs() < 1e-15);
    }

    /// E log-mean-exp within groups, a function of both kinds of symmetry, tuple by tuple.
    #[test]
    fn groups_give_the_full_tensor_product() {
        let tensor = TensorRule::new(4, 2, 2);
        let x = tensor.nodes().to_vec();
        let group = |i: usize, j: usize| (x[i].exp() + x[j].exp()).ln();
        let value = |s: &[usize]| group(s[0], s[1]) * group(s[2], s[3]);
        let rule = GaussHermite::new(4);
        let mut full = 0.0;
        for t in 0..256 {
            let s = [t / 64, t / 16 % 4, t / 4 % 4, t % 4];
            full += s.iter().map(|&i| rule.weights[i]).product::<f64>() * value(&s);
        }
        let folded: f64 = tensor.points().iter().map(|(w, s)| w * value(s)).sum();
        assert_eq!(tensor.points().len(), 55);
        // 256 terms of order one.
        assert!((full - folded).abs() < 1e-13, "{full} {folded}");
    }
}
