//! Say what two ratios show, and no more.

use serde::{Deserialize, Serialize};

use crate::statistics::Ratio;

/// What happened to a ratio from one setting to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trend {
    /// The intervals are apart, and the second lies higher.
    Rises,
    /// The intervals are apart, and the second lies lower.
    Falls,
    /// What the draws do not contradict overlaps: they show no difference.
    NotSeen,
}

/// Compares two ratios. Two 95 % intervals that are apart are a difference at well below 5 %; a ratio that is not
/// resolved is only known to be less than the draws would resolve.
pub fn trend(from: &Ratio, to: &Ratio) -> Trend {
    let (from, to) = (from.range(), to.range());
    if to[0] > from[1] {
        Trend::Rises
    } else if to[1] < from[0] {
        Trend::Falls
    } else {
        Trend::NotSeen
    }
}

/// A ratio before and after, with what that shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What was measured, such as `the encoder's signal-to-noise ratio`.
    pub what: String,
    /// The first setting, such as `MIWAE(1, 1)`.
    pub from: String,
    /// The second setting.
    pub to: String,
    /// The ratio at the first setting.
    pub before: Ratio,
    /// The ratio at the second setting.
    pub after: Ratio,
}

impl Change {
    /// What the ratios show.
    pub fn trend(&self) -> Trend {
        trend(&self.before, &self.after)
    }

    /// The finding in a sentence.
    pub fn in_words(&self) -> String {
        let Self { what, from, to, before, after } = self;
        match self.trend() {
            Trend::Rises => {
                format!("From {from} to {to}, {what} rises: {before} → {after}.")
            }
            Trend::Falls => {
                format!("From {from} to {to}, {what} falls: {before} → {after}.")
            }
            Trend::NotSeen => {
                let are_resolved = before.interval().and(after.interval()).is_some();
                let reason = if are_resolved { "overlap" } else { "are not both resolved" };
                format!(
                    "From {from} to {to}, these draws show no change of {what}: {before} and \
                     {after} {reason}."
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Interval;

    fn change(before: [f64; 3], after: [f64; 3]) -> Change {
        let resolved =
            |[low, value, high]: [f64; 3]| Ratio::Resolved(Interval { value, low, high });
        let (before, after) = (resolved(before), resolved(after));
        let [what, from, to] = ["noise", "a", "b"].map(str::to_owned);
        Change { what, from, to, before, after }
    }

    #[test]
    fn only_intervals_that_are_apart_are_a_change() {
        let rises = change([0.5, 1.0, 1.5], [1.6, 2.0, 2.4]);
        assert_eq!(rises.trend(), Trend::Rises);
        assert_eq!(
            rises.in_words(),
            "From a to b, noise rises: 1.000 [0.500, 1.500] → 2.000 [1.600, 2.400]."
        );
        assert_eq!(change([1.6, 2.0, 2.4], [0.5, 1.0, 1.5]).trend(), Trend::Falls);
        // The values differ, the intervals touch.
        let unclear = change([0.5, 1.0, 1.5], [1.5, 2.0, 2.5]);
        assert_eq!(unclear.trend(), Trend::NotSeen);
        assert!(unclear.in_words().contains("no change of noise"));
        assert!(unclear.in_words().ends_with("[1.500, 2.500] overlap."));
        let unresolved = |below| Ratio::Unresolved { value: 0.1, below: Some(below) };
        let known = Change { before: unresolved(1.5), ..rises.clone() };
        assert_eq!(known.trend(), Trend::Rises);
        assert_eq!(trend(&known.after, &known.before), Trend::Falls);
        assert_eq!(trend(&known.before, &known.before), Trend::NotSeen);
        let unknown = Change { before: unresolved(1.7), ..rises };
        assert_eq!(unknown.trend(), Trend::NotSeen);
        assert!(
            unknown.in_words().ends_with("0.100 and 2.000 [1.600, 2.400] are not both resolved.")
        );
    }
}
