//! Hold a ratio of signal to noise, with its interval where the draws resolve it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::interval::Interval;

/// A ratio of signal to noise that was estimated from draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ratio {
    /// The draws resolve it, and this is its 95 % interval given that they do.
    Resolved(Interval),
    /// The draws do not resolve it.
    Unresolved {
        /// The estimate; 0 where noise explains all of the signal.
        value: f64,
        /// Draws whose noise is normal would resolve a ratio of this size or more, but for less than one time in
        /// forty; none where they leave any size open.
        below: Option<f64>,
    },
}

impl Ratio {
    /// The estimate.
    pub fn value(&self) -> f64 {
        match *self {
            Self::Resolved(Interval { value, .. }) | Self::Unresolved { value, .. } => value,
        }
    }

    /// What the draws do not contradict: its interval, or all that they do not resolve.
    pub fn range(&self) -> [f64; 2] {
        match *self {
            Self::Resolved(Interval { low, high, .. }) => [low, high],
            Self::Unresolved { below, .. } => [0.0, below.unwrap_or(f64::INFINITY)],
        }
    }

    /// The estimate with its interval, if it is resolved.
    pub fn interval(&self) -> Option<Interval> {
        match *self {
            Self::Resolved(interval) => Some(interval),
            Self::Unresolved { .. } => None,
        }
    }
}

/// `0.661 [0.629, 0.691]`, or `0.120` alone.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolved(interval) => interval.fmt(f),
            Self::Unresolved { value, .. } => write!(f, "{value:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_an_interval_in_print_and_in_json_if_it_is_resolved() {
        let interval = Interval { value: 0.5, low: 0.25, high: 0.75 };
        let resolved = Ratio::Resolved(interval);
        let unresolved = Ratio::Unresolved { value: 0.125, below: Some(0.5) };
        let open = Ratio::Unresolved { value: 9.0, below: None };
        for (ratio, text, json) in [
            (resolved, "0.500 [0.250, 0.750]", r#"{"value":0.5,"low":0.25,"high":0.75}"#),
            (unresolved, "0.125", r#"{"value":0.125,"below":0.5}"#),
            (open, "9.000", r#"{"value":9.0,"below":null}"#),
        ] {
            assert_eq!(ratio.to_string(), text);
            assert_eq!(serde_json::to_string(&ratio).unwrap(), json);
            assert_eq!(serde_json::from_str::<Ratio>(json).unwrap(), ratio);
        }
        assert_eq!([resolved.value(), unresolved.value()], [0.5, 0.125]);
        assert_eq!([resolved.range(), unresolved.range()], [[0.25, 0.75], [0.0, 0.5]]);
        assert_eq!(open.range(), [0.0, f64::INFINITY]);
        assert_eq!([resolved.interval(), unresolved.interval()], [Some(interval), None]);
    }
}
