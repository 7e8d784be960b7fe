//! Say what was checked, what came out, and whether that is in order.

use std::fmt;

use serde::Serialize;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Numbers that are known in closed form: is the measure itself right?
    Known,
    /// Quadrature on a Gaussian model: no sampling noise.
    Exact,
    /// Draws on the same model.
    Sampled,
    /// Draws through the fast engine on a small network.
    Network,
    /// Variances of draws.
    Spread,
}

impl Part {
    /// All parts, in the order of a certificate.
    pub const ALL: [Self; 5] =
        [Self::Known, Self::Exact, Self::Sampled, Self::Network, Self::Spread];

    /// What the part does, as a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Known => "Numbers that are known",
            Self::Exact => "Exact: expectations by quadrature, without noise",
            Self::Sampled => "Sampled: means of draws against quadrature",
            Self::Network => "Network: means of the fast engine's draws against the plain rule's",
            Self::Spread => "Spread: variances of draws",
        }
    }
}

/// What a figure must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// No larger.
    AtMost(f64),
    /// Larger.
    Above(f64),
    /// So far from a value, and no further.
    Near {
        /// The value.
        value: f64,
        /// The distance.
        within: f64,
    },
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtMost(most) => write!(f, "≤ {}", number(most)),
            Self::Above(least) => write!(f, "> {}", number(least)),
            Self::Near { value, within } => write!(f, "{} ± {within:.0e}", number(value)),
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Where it comes from.
    pub part: Part,
    /// What was checked.
    pub name: String,
    /// What came out.
    pub figure: f64,
    /// What should.
    pub bar: Bar,
    /// Whether it did.
    pub holds: bool,
}

impl Line {
    /// A line; a figure that is not a number never holds.
    pub(super) fn new(part: Part, name: impl Into<String>, figure: f64, bar: Bar) -> Self {
        let holds = match bar {
            Bar::AtMost(most) => figure <= most,
            Bar::Above(least) => figure > least,
            Bar::Near { value, within } => (figure - value).abs() <= within,
        };
        Self { part, name: name.into(), figure, bar, holds }
    }

    /// The figure with as many digits as one reads.
    pub fn figure_in_words(&self) -> String {
        number(self.figure)
    }

    /// `holds`, or `FAILS` so that it is seen.
    pub fn verdict(&self) -> &'static str {
        if self.holds { "holds" } else { "FAILS" }
    }
}

/// As `iwae: φ, relative error 3.1e-9, which must be ≤ 1e-7: holds`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (figure, verdict) = (self.figure_in_words(), self.verdict());
        write!(f, "{} {figure}, which must be {}: {verdict}", self.name, self.bar)
    }
}

/// Four digits of numbers near one, two of others, none that are zeros at the end.
fn number(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x.abs()) {
        let text = format!("{x:.1e}");
        return text.replace(".0e", "e");
    }
    let digits = if x.abs() < 10.0 { 4 } else { 2 };
    let text = format!("{x:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_on_the_right_side_of_its_bar() {
        let holds = |figure, bar| Line::new(Part::Exact, "", figure, bar).holds;
        assert!(holds(1.0, Bar::AtMost(1.0)) && !holds(1.1, Bar::AtMost(1.0)));
        assert!(holds(1.1, Bar::Above(1.0)) && !holds(1.0, Bar::Above(1.0)));
        let near = Bar::Near { value: 1.0, within: 0.25 };
        assert!(holds(0.75, near) && holds(1.25, near) && !holds(1.3, near) && !holds(0.7, near));
        for bar in [Bar::AtMost(1.0), Bar::Above(1.0), near] {
            assert!(!holds(f64::NAN, bar));
        }
    }

    #[test]
    fn lines_read_as_sentences() {
        let text = |figure, bar| Line::new(Part::Exact, "iwae: φ", figure, bar).to_string();
        assert_eq!(text(3.14e-9, Bar::AtMost(1e-7)), "iwae: φ 3.1e-9, which must be ≤ 1e-7: holds");
        assert_eq!(text(f64::NAN, Bar::Above(0.1)), "iwae: φ NaN, which must be > 0.1: FAILS");
        assert_eq!(
            text(12.0, Bar::Near { value: 0.4565, within: 5e-5 }),
            "iwae: φ 12, which must be 0.4565 ± 5e-5: FAILS"
        );
    }
}
