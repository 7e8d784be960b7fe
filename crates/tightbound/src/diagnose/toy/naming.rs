//! Name the estimators of a sweep so that no two share a name.

use crate::estimators::EstimatorSettings;

/// The estimator's label, and γ where OVIS has one that is not its usual 0.
pub fn label(settings: &EstimatorSettings) -> String {
    match settings.gamma {
        Some(gamma) if gamma != 0.0 => format!("{} γ={gamma}", settings.label()),
        _ => settings.label(),
    }
}

/// Whether `name` is the estimator's name in the sweep, its label, or the name of its bound.
pub(super) fn is_called(settings: &EstimatorSettings, name: &str) -> bool {
    settings.name == name || settings.label() == name || label(settings) == name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimators::examples;

    #[test]
    fn no_two_estimators_share_a_name() {
        let labels: Vec<String> = examples(1, 10).iter().map(label).collect();
        for (i, label) in labels.iter().enumerate() {
            assert!(!labels[..i].contains(label), "{label}");
        }
    }

    #[test]
    fn a_bound_stands_for_all_its_rules() {
        let called = |name| examples(1, 10).iter().filter(|s| is_called(s, name)).count();
        assert_eq!(["iwae", "iwae-ovis", "iwae-ovis γ=0.5", "iwae-dreg"].map(called), [8, 2, 1, 1]);
        assert_eq!(called("wae"), 0);
    }
}
