//! Give an estimator the same colour, dash and marker in every figure.

use super::look::{LOOKS, SAME_COLOUR};

/// The families and the style of their usual gradient. Styles that are equal modulo seven share a
/// colour. There are more families than colours: tvo has jvi's, far from the styles of its rules.
const FAMILIES: [(&str, usize); 8] = [
    ("iwae", 0),
    ("miwae", 1),
    ("piwae", 2),
    ("ciwae", 3),
    ("vr-iwae", 4),
    ("jvi", 5),
    ("vae", 6),
    ("tvo", 82),
];

/// The rules for φ's gradient; those of a family share its colour.
const RULES: [&str; 8] = ["plain", "stl", "dreg", "rws", "rws-dreg", "vimco", "ovis", "covariance"];

/// Steps from a family to its twin with a learned parameter.
const LEARNED: usize = 9;

/// The style of an estimator for [`Series::style`](crate::Series::style), the same in every figure.
///
/// The name begins with that of the family, in letters of either size; a gradient rule may follow
/// after a hyphen, and anything after that, such as samples or β: `iwae`, `MIWAE(8, 8)`,
/// `ciwae-dreg β=0.5`. The family has the colour, the rule the dash and the marker; a name that has
/// the word `learned` in it differs from the one without. Returns `None` for other names.
///
/// ```
/// use tightbound_report::estimator_style;
///
/// assert_eq!(estimator_style("MIWAE(4, 16)"), estimator_style("miwae"));
/// assert_ne!(estimator_style("ciwae learned"), estimator_style("ciwae"));
/// assert_eq!(estimator_style("flow"), None);
/// ```
pub fn estimator_style(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let after = |family: &str| {
        let rest = name.trim_start().strip_prefix(family)?;
        (!rest.starts_with(char::is_alphanumeric)).then_some(rest)
    };
    let (style, rest) =
        FAMILIES.iter().find_map(|(family, style)| Some((*style, after(family)?)))?;
    let rule = match rest.strip_prefix('-') {
        None => 0,
        Some(rest) => {
            let rule = rest.split(|c: char| !c.is_alphabetic() && c != '-').next()?;
            RULES.iter().position(|known| *known == rule)?
        }
    };
    let learned = if rest.contains("learned") { LEARNED } else { 0 };
    Some((style + SAME_COLOUR * (rule + learned)) % LOOKS)
}

/// The styles of all series of one figure: those of [`estimator_style`], but no two alike.
///
/// Names of one style, such as two shapes of MIWAE, keep its colour and get the next dash and marker
/// in their order; names without a style get what is left. Figures agree if they name their series in
/// the same order.
///
/// ```
/// use tightbound_report::{estimator_style, estimator_styles};
///
/// let styles = estimator_styles(["miwae(4,16)", "miwae(8,8)", "flow"]);
/// assert_eq!(styles[0], estimator_style("miwae").unwrap());
/// assert_eq!(styles[1] % 7, styles[0] % 7, "the same colour");
/// assert_eq!(styles[2], 0);
/// ```
pub fn estimator_styles<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let wanted: Vec<Option<usize>> = names.into_iter().map(estimator_style).collect();
    let mut taken: Vec<usize> = Vec::new();
    for style in wanted.iter().flatten() {
        let free = (0..LOOKS / SAME_COLOUR).map(|step| (style + SAME_COLOUR * step) % LOOKS);
        let free = free.into_iter().find(|style| !taken.contains(style));
        taken.push(free.unwrap_or(*style));
    }
    let known = taken.clone();
    let mut known = known.into_iter();
    let mut others = (0..LOOKS).filter(|style| !taken.contains(style)).cycle();
    let style = |wanted: &Option<usize>| match wanted {
        Some(_) => known.next(),
        None => others.next(),
    };
    wanted.iter().filter_map(style).collect()
}

#[cfg(test)]
mod tests {
    use super::super::look::Look;
    use super::*;

    #[test]
    fn every_family_and_rule_looks_different() {
        let mut looks = Vec::new();
        for (family, _) in FAMILIES {
            for rule in RULES {
                let name = format!("{family}-{rule}");
                looks.push(Look::of_series(estimator_style(&name).unwrap()));
            }
        }
        looks.push(Look::of_series(estimator_style("CIWAE (β learned)").unwrap()));
        for (number, look) in looks.iter().enumerate() {
            assert!(!looks[..number].contains(look), "{number}");
        }
    }

    #[test]
    fn a_name_is_read_to_its_end() {
        assert_eq!(estimator_style("iwae"), Some(0));
        assert_eq!(estimator_style("iwae-plain"), Some(0));
        assert_eq!(estimator_style("VR-IWAE-dreg α=0.5"), Some(4 + 7 * 2));
        assert_eq!(estimator_style("iwae-rws-dreg γ=1"), Some(7 * 4));
        for other in ["iwae2", "iwae-unheard", "", "vr", "a vae"] {
            assert_eq!(estimator_style(other), None, "{other}");
        }
    }

    #[test]
    fn no_two_series_of_a_figure_are_alike() {
        let names = ["flow", "miwae(4,16)", "iwae", "miwae(8,8)", "miwae-stl", "flow", "tvo"];
        let styles = estimator_styles(names);
        for (number, style) in styles.iter().enumerate() {
            assert!(!styles[..number].contains(style), "{styles:?}");
        }
        assert_eq!((styles[1], styles[2], styles[6]), (1, 0, 82));
        assert_eq!(estimator_styles(["vae"; 21]).len(), 21);
    }
}
