//! Lay out the toy experiment for the eye: ratios, slopes beside theory, the protocol.

use std::fmt::Write;

use tightbound::diagnose::toy::{
    Axis, Part, Quality, RESOLVED, Row, SweepReport, TOLERANCE, ToyOptions, Verdict, label,
};
use tightbound_report::{Align, Table};

use super::command::{Results, Swept, owner};

/// All sweeps, and how they were made.
pub fn describe(results: &Results) -> String {
    let mut text = String::new();
    for swept in &results.swept {
        let (grows, fixed) = match swept.sweep.axis {
            Axis::K => ("K grows", "M = 1"),
            Axis::M => ("M grows", "K = 1"),
        };
        let _ = writeln!(text, "{grows} at {fixed}\n\n{}", ratios(&swept.report));
        let _ = writeln!(
            text,
            "slopes of log SNR on log {}\n\n{}",
            swept.sweep.axis.name(),
            slopes(swept)
        );
        text += &verdict(swept);
    }
    text + &protocol(results)
}

/// One line per estimator and size.
fn ratios(report: &SweepReport) -> Table<15> {
    let columns = [
        "b raw", "floor", "SNR", "DSNR", "A raw", "floor", "SNR", "DSNR", "μ raw", "floor", "SNR",
        "DSNR",
    ];
    let mut headings = [("", Align::Right); 15];
    headings[..3].copy_from_slice(&[
        ("estimator", Align::Left),
        ("M", Align::Right),
        ("K", Align::Right),
    ]);
    for (heading, column) in headings[3..].iter_mut().zip(columns) {
        heading.0 = column;
    }
    let mut table = Table::new(&headings);
    for parts in report.rows.chunks_exact(Part::ALL.len()) {
        let settings = &parts[0].estimator;
        let mut cells = [const { String::new() }; 15];
        cells[0] = label(settings);
        cells[1] = settings.m.to_string();
        cells[2] = settings.k.to_string();
        let numbers = parts.iter().flat_map(four);
        for (cell, number) in cells[3..].iter_mut().zip(numbers) {
            *cell = number;
        }
        table.row(cells);
    }
    table
}

/// Raw, floor, debiased and directional ratio; dashes where there are none.
fn four(row: &Row) -> [String; 4] {
    row.quality.map_or_else(
        |_| [const { String::new() }; 4].map(|_| "–".to_owned()),
        |Quality { snr, directional }| {
            [snr.raw, snr.floor, snr.debiased, directional.value].map(three_digits)
        },
    )
}

/// Three significant digits, no fewer than those before the point.
fn three_digits(x: f64) -> String {
    let magnitude = if x == 0.0 { 0.0 } else { x.abs().log10().floor() };
    format!("{x:.*}", (2.0 - magnitude).clamp(0.0, 6.0) as usize)
}

/// One line per estimator and part.
fn slopes(swept: &Swept) -> Table<6> {
    let mut table = Table::new(&[
        ("estimator", Align::Left),
        ("gradient", Align::Left),
        ("slope", Align::Right),
        ("95 % interval", Align::Right),
        ("theory", Align::Right),
        ("through", Align::Right),
    ]);
    for row in swept.distinct() {
        let dash = || "–".to_owned();
        let interval = row.slope.and_then(|slope| slope.interval);
        let through = match row.sizes.as_slice() {
            [first, .., last] => format!("{first}…{last}"),
            _ => dash(),
        };
        table.row([
            owner(row),
            row.part.to_string(),
            row.slope.map_or_else(dash, |slope| format!("{:+.3}", slope.value)),
            interval.map_or_else(dash, |[low, high]| format!("{low:+.3} … {high:+.3}")),
            row.rate.map_or_else(dash, |rate| format!("{rate:+.1}")),
            through,
        ]);
    }
    table
}

/// Whether the slopes are what theory expects; nothing where they cannot be judged.
fn verdict(swept: &Swept) -> String {
    let judged: Vec<_> = swept.distinct().filter(|row| row.verdict.is_some()).collect();
    if judged.is_empty() {
        return String::new();
    }
    let off = judged.iter().filter(|row| row.verdict != Some(Verdict::Agrees));
    let off: Vec<_> = off.map(|row| format!("{} {}", owner(row), row.part)).collect();
    let rest = if off.is_empty() { String::new() } else { format!("; not: {}", off.join(", ")) };
    let (agree, all) = (judged.len() - off.len(), judged.len());
    format!("{agree} of {all} slopes lie within {TOLERANCE} of the rate of theory{rest}\n\n")
}

/// How the numbers were made.
fn protocol(results: &Results) -> String {
    let ToyOptions { dims, points, draws, perturbation, seed } = &results.options;
    let mut text = format!(
        "protocol  D = {dims}, N = {points}, {draws} gradients per point, parameters off by noise of sd \
         {}, seed {seed}\n\
         \x20         SNR of the mean over points, averaged over parameters; unbiased φ gradients share \
         the mean of dreg, or stl\n\
         \x20         slopes of the debiased SNR; intervals from raw SNR of {RESOLVED} standard deviations \
         of a mean and more,\n\
         \x20         given that they are so large, by a jackknife over groups of draws, data and \
         parameters fixed\n",
        perturbation.sd(),
    );
    let rows = || results.swept.iter().flat_map(|swept| &swept.report.rows);
    let floor = |part| {
        let of_part = rows().filter(|row| row.part == part);
        let mut floors = of_part.filter_map(|row| Some(row.quality.ok()?.directional.floor));
        floors.next().map(|floor| format!("{} {}", part, three_digits(floor)))
    };
    let floors: Vec<_> = Part::ALL.into_iter().filter_map(floor).collect();
    let _ = writeln!(
        text,
        "          DSNR of noise alone, equal in all directions: {}",
        floors.join(", ")
    );
    let mut refused: Vec<String> = Vec::new();
    for row in rows() {
        if let Err(error) = row.quality {
            let words = format!("{} at {}, {}: {error}", label(&row.estimator), row.size, row.part);
            refused.push(words);
        }
    }
    for words in refused {
        let _ = writeln!(text, "no ratio  {words}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let written = [0.0, 0.00123, 0.0999, 1.0, 45.67, 1234.0].map(three_digits);
        assert_eq!(written, ["0.00", "0.00123", "0.0999", "1.00", "45.7", "1234"]);
    }
}
