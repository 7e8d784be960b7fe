//! Place values on linear and logarithmic axes, and choose the ticks between them.

/// Values beyond this, in either direction, are not drawn, so that ranges stay finite.
const LARGEST: f64 = 1e300;

/// Part of a range's width that is left free at either end.
const MARGIN: f64 = 0.04;

/// Smallest width of a range against the size of its values, so that ticks have distinct labels.
const NARROWEST: f64 = 1e-9;

/// What an axis shows, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Axis {
    /// The quantity and its unit.
    pub label: String,
    /// How values are spread.
    pub scale: Scale,
}

/// How an axis spreads its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart; only positive values have a place.
    Log,
}

impl Scale {
    /// Where a value stands along the axis: itself or its decimal logarithm.
    pub(super) fn place(self, value: f64) -> Option<f64> {
        match self {
            _ if !value.is_finite() || value.abs() > LARGEST => None,
            Self::Linear => Some(value),
            Self::Log => (value > 0.0).then(|| value.log10()),
        }
    }
}

/// The places that an axis shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// The smallest range that holds all places, from 0 to 1 where there are none; never empty.
    pub fn of(places: impl IntoIterator<Item = f64>) -> Self {
        let hull = places.into_iter().map(|place| (place, place));
        let (low, high) = hull.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
        let narrowest = NARROWEST * low.abs().max(high.abs());
        if high - low > narrowest {
            return Self { low, high };
        }
        let widening = if narrowest < NARROWEST { 0.5 } else { narrowest.max(0.5) };
        Self { low: low - widening, high: high + widening }
    }

    /// A little room at both ends.
    pub fn with_margin(self) -> Self {
        let margin = MARGIN * (self.high - self.low);
        Self { low: self.low - margin, high: self.high + margin }
    }

    fn holds(&self, place: f64) -> bool {
        (self.low..=self.high).contains(&place)
    }
}

/// A mark on an axis; small ones have no label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub place: f64,
    pub label: Option<String>,
}

/// The ticks of a range, of which about `wanted` have labels.
pub(super) fn ticks(scale: Scale, range: Range, wanted: usize) -> Vec<Tick> {
    match scale {
        Scale::Linear => linear_ticks(range, wanted),
        Scale::Log => log_ticks(range, wanted),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(range: Range, wanted: usize) -> Vec<Tick> {
    let rough = (range.high - range.low) / wanted.max(1) as f64;
    let exponent = rough.log10().floor() as i32;
    let unit = 10f64.powi(exponent);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * unit >= rough).unwrap_or(10.0) * unit;
    let exponent = if step < 9.9 * unit { exponent } else { exponent + 1 };
    let largest = range.low.abs().max(range.high.abs());
    let scientific = largest >= 1e6 || exponent < -5;
    let numbers = (range.low / step).ceil() as i64..=(range.high / step).floor() as i64;
    let label = |value: f64| match scientific {
        true if value != 0.0 => {
            let power = (value.abs() * (1.0 + NARROWEST)).log10().floor() as i32;
            let decimals = usize::try_from(power - exponent).unwrap_or(0);
            format!("{:.decimals$}×10{}", value / 10f64.powi(power), superscript(power))
        }
        true => "0".to_owned(),
        false => format!("{value:.*}", usize::try_from(-exponent).unwrap_or(0)),
    };
    let tick = |number| {
        let place = number as f64 * step;
        Tick { place, label: Some(label(place).replace('-', "−")) }
    };
    numbers.map(tick).collect()
}

/// Powers of ten, or 1, 2 and 5 times them in a range with few; the other digits without labels.
///
/// A range too narrow even for those has linear ticks.
fn log_ticks(range: Range, wanted: usize) -> Vec<Tick> {
    let powers = range.low.ceil() as i32..=range.high.floor() as i32;
    let decades = powers.clone().count();
    let stride = decades.div_ceil(wanted.max(1)).max(1) as i32;
    let named: &[i32] = if decades >= 3 { &[1] } else { &[1, 2, 5] };
    let plain = *powers.start() >= -4 && *powers.end() <= 4;
    let label = |digit: i32, power: i32| match digit {
        _ if plain => {
            let decimals = usize::try_from(-power).unwrap_or(0);
            format!("{:.decimals$}", f64::from(digit) * 10f64.powi(power))
        }
        1 => format!("10{}", superscript(power)),
        _ => format!("{digit}×10{}", superscript(power)),
    };
    let mut ticks = Vec::new();
    for power in powers.start() - 1..=*powers.end() {
        for digit in 1..=9 {
            let place = f64::from(power) + f64::from(digit).log10();
            let is_named = named.contains(&digit) && power % stride == 0;
            if range.holds(place) && (is_named || stride == 1) {
                ticks.push(Tick { place, label: is_named.then(|| label(digit, power)) });
            }
        }
    }
    if ticks.iter().filter(|tick| tick.label.is_some()).count() >= 2 {
        return ticks;
    }
    let values = Range { low: 10f64.powf(range.low), high: 10f64.powf(range.high) };
    let on_log = |tick: Tick| Some(Tick { place: Scale::Log.place(tick.place)?, ..tick });
    linear_ticks(values, wanted).into_iter().filter_map(on_log).collect()
}

fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raise = |c: char| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    number.to_string().chars().map(raise).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, low: f64, high: f64) -> String {
        let ticks = ticks(scale, Range { low, high }, 6);
        ticks.into_iter().filter_map(|tick| tick.label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn linear_labels_have_the_decimals_they_need() {
        assert_eq!(labels(Scale::Linear, 0.0, 1.0), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(Scale::Linear, -92.0, -84.0), "−92 −90 −88 −86 −84");
        assert_eq!(labels(Scale::Linear, 0.0, 55.0), "0 10 20 30 40 50");
        assert_eq!(labels(Scale::Linear, 0.0, 5e7), "0 1×10⁷ 2×10⁷ 3×10⁷ 4×10⁷ 5×10⁷");
        assert_eq!(
            labels(Scale::Linear, 0.9e6, 1.1e6),
            "9.0×10⁵ 9.5×10⁵ 1.00×10⁶ 1.05×10⁶ 1.10×10⁶"
        );
        assert_eq!(labels(Scale::Linear, -2.1e-6, 0.0), "−2.0×10⁻⁶ −1.5×10⁻⁶ −1.0×10⁻⁶ −5×10⁻⁷ 0");
    }

    #[test]
    fn log_labels_thin_out_as_decades_grow() {
        assert_eq!(labels(Scale::Log, -0.1, 1.9), "1 2 5 10 20 50");
        assert_eq!(labels(Scale::Log, -2.0, 3.1), "0.01 0.1 1 10 100 1000");
        assert_eq!(labels(Scale::Log, 3.1, 5.0), "2×10³ 5×10³ 10⁴ 2×10⁴ 5×10⁴ 10⁵");
        assert_eq!(labels(Scale::Log, -9.0, 9.0), "10⁻⁸ 10⁻⁴ 10⁰ 10⁴ 10⁸");
        assert_eq!(labels(Scale::Log, 2.02, 2.08), "105 110 115 120");
        let small = ticks(Scale::Log, Range { low: 0.0, high: 3.0 }, 6);
        assert_eq!(small.len(), 28, "every digit of three decades");
    }

    #[test]
    fn ranges_are_never_empty() {
        assert_eq!(Range::of([]), Range { low: 0.0, high: 1.0 });
        assert_eq!(Range::of([3.0, 3.0]), Range { low: 2.5, high: 3.5 });
        assert_eq!(Range::of([2.0, -1.0]), Range { low: -1.0, high: 2.0 });
        for place in [0.0, 1e-300, 1e17, -LARGEST] {
            let range = Range::of([place]).with_margin();
            assert!(range.low < place && place < range.high, "{place}");
            assert!(ticks(Scale::Linear, range, 6).len() >= 2, "{place}");
        }
    }

    #[test]
    fn only_drawable_values_have_a_place() {
        assert_eq!(Scale::Log.place(100.0), Some(2.0));
        assert_eq!(Scale::Linear.place(-3.0), Some(-3.0));
        assert_eq!([0.0, -1.0, f64::NAN].map(|v| Scale::Log.place(v)), [None; 3]);
        assert_eq!([f64::INFINITY, f64::NAN, -f64::MAX].map(|v| Scale::Linear.place(v)), [None; 3]);
    }
}
