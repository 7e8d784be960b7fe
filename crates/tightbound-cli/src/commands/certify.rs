//! Show that the gradient estimators do what they declare.

use std::fmt::Write;

use serde::Serialize;
use tightbound::diagnose::certify::{Certificate, Effort, Line, Part, Spread, certify};
use tightbound::estimators::{find, registry};
use tightbound_report::{Align, Table};

use crate::args::estimator_names;
use crate::outcome::Outcome;
use crate::output::{print, print_json, talk};

/// Show that every gradient estimator does what it declares: exactly, by draws, and how noisily
///
/// On a Gaussian model with exact answers, every bound's gradient under every rule is integrated by
/// quadrature and compared with the slope of the bound itself. Rules that are declared unbiased must
/// agree, those that are declared biased must not. Then draws are compared with quadrature, and the
/// fast engine's rules with each other. Reads and writes no files; ends with exit code 1 if anything
/// is not as declared.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tightbound certify\n  tightbound certify --estimator iwae\n  \
                  tightbound certify --exact-only --json"
)]
pub struct Args {
    /// This estimator alone [default: all]
    #[arg(long, value_name = "NAME", value_parser = estimator_names())]
    estimator: Option<String>,

    /// Leave out what needs random draws: takes seconds
    #[arg(long)]
    exact_only: bool,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` tells.
#[derive(Serialize)]
struct Answer<'a> {
    holds: bool,
    #[serde(flatten)]
    certificate: &'a Certificate,
}

/// Runs `tightbound certify`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let effort = if args.exact_only { Effort::Exact } else { Effort::Full };
    let certificate = match &args.estimator {
        Some(name) => certify(&[find(name)?], effort)?,
        None => {
            if effort == Effort::Full {
                talk!("certifying {} estimators: half a minute on two cores", registry().len());
            }
            certify(registry(), effort)?
        }
    };
    if args.json {
        print_json(&Answer { holds: certificate.holds(), certificate: &certificate })?;
    } else {
        print(&text(&certificate))?;
    }
    Ok(outcome(&certificate))
}

fn outcome(certificate: &Certificate) -> Outcome {
    if certificate.holds() { Outcome::Done } else { Outcome::Unsound }
}

/// The whole certificate: lines part by part, spreads, the verdict.
fn text(certificate: &Certificate) -> String {
    let mut text = String::new();
    for part in Part::ALL {
        let lines: Vec<_> = certificate.lines.iter().filter(|line| line.part == part).collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "{}\n\n{}", part.title(), table(&lines));
        }
    }
    if !certificate.spreads.is_empty() {
        let _ = writeln!(
            text,
            "Noise of one gradient: sum of variances, and SNR = ‖mean‖ / √variance\n\n{}",
            spread_table(&certificate.spreads)
        );
    }
    text + &verdict(certificate) + "\n"
}

fn table(lines: &[&Line]) -> Table<4> {
    let mut table = Table::new(&[
        ("what", Align::Left),
        ("figure", Align::Right),
        ("must be", Align::Left),
        ("", Align::Left),
    ]);
    for line in lines {
        table.row([
            line.name.clone(),
            line.figure_in_words(),
            line.bar.to_string(),
            line.verdict().to_owned(),
        ]);
    }
    table
}

fn spread_table(spreads: &[Spread]) -> Table<6> {
    let mut table = Table::new(&[
        ("estimator", Align::Left),
        ("M, K", Align::Left),
        ("θ variance", Align::Right),
        ("θ SNR", Align::Right),
        ("φ variance", Align::Right),
        ("φ SNR", Align::Right),
    ]);
    for Spread { estimator, m, k, theta, phi } in spreads {
        table.row([
            estimator.clone(),
            format!("{m}, {k}"),
            format!("{:.2e}", theta.variance),
            format!("{:.3}", theta.snr),
            format!("{:.2e}", phi.variance),
            format!("{:.3}", phi.snr),
        ]);
    }
    table
}

/// One sentence at the end.
fn verdict(certificate: &Certificate) -> String {
    let all = certificate.lines.len();
    match certificate.lines.iter().filter(|line| !line.holds).count() {
        0 => format!("All {all} lines hold: the estimators do what they declare."),
        failed => format!("{failed} of {all} lines FAIL: something is not as declared."),
    }
}

#[cfg(test)]
mod tests {
    use tightbound::diagnose::certify::Bar;

    use super::*;

    #[test]
    fn what_fails_is_seen_and_told_to_the_shell() {
        let line = |figure: f64, holds| Line {
            part: Part::Exact,
            name: "iwae-stl: φ".to_owned(),
            figure,
            bar: Bar::AtMost(1e-7),
            holds,
        };
        let mut certificate = Certificate { lines: vec![line(1e-9, true)], spreads: Vec::new() };
        assert_eq!(outcome(&certificate), Outcome::Done);
        let well = text(&certificate);
        assert!(well.ends_with("\nAll 1 lines hold: the estimators do what they declare.\n"));
        assert!(!well.contains("Sampled") && !well.contains("SNR"), "{well}");
        certificate.lines.push(line(2.0, false));
        assert_eq!(outcome(&certificate), Outcome::Unsound);
        let ill = text(&certificate);
        assert!(ill.contains("iwae-stl: φ       2  ≤ 1e-7   FAILS"), "{ill}");
        assert!(ill.contains("1 of 2 lines FAIL"), "{ill}");
    }
}
