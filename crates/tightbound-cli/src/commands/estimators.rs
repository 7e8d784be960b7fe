//! Explain the estimators: a table of all, or one in full.

use serde::Serialize;
use tightbound::estimators::{Definition, Gradient, Rule, SampleRule, find, registry};
use tightbound::settings::{Assignment, Resolver, Settings};
use tightbound_report::{Align, Table};

use crate::args::estimator_names;
use crate::outcome::Outcome;
use crate::output::{print, print_json};

/// Explain the bounds and their gradient rules: formula, when to use each, where it comes from
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  tightbound estimators\n  tightbound estimators piwae\n  tightbound estimators --gradients"
)]
pub struct Args {
    /// One estimator, in full [default: a table of all]
    #[arg(value_parser = estimator_names())]
    name: Option<String>,

    /// A table of the gradient rules instead: formulae, when to use each, who supports it
    #[arg(long, conflicts_with = "name")]
    gradients: bool,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` tells of an estimator.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    when: &'static str,
    default_m: usize,
    default_k: usize,
    parameters: Vec<&'static str>,
    two_targets: bool,
    gradients: Vec<RuleEntry>,
    reference: String,
}

/// What `--json` tells of a gradient rule, or of an estimator's.
#[derive(Serialize)]
struct RuleEntry {
    name: &'static str,
    title: &'static str,
    formula: &'static str,
    when: &'static str,
    reference: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'static str>,
}

impl RuleEntry {
    fn new(gradient: Gradient, claim: Option<&'static str>) -> Self {
        Self {
            name: gradient.name(),
            title: gradient.title(),
            formula: gradient.formula(),
            when: gradient.when(),
            reference: gradient.reference().short,
            claim,
        }
    }
}

impl Entry {
    fn new(definition: &Definition) -> anyhow::Result<Self> {
        let defaults = defaults(definition)?.estimator;
        Ok(Self {
            name: definition.name,
            title: definition.title,
            formula: definition.formula,
            when: definition.when,
            default_m: defaults.m,
            default_k: defaults.k,
            parameters: parameters(definition),
            two_targets: definition.two_targets,
            gradients: definition
                .gradients
                .iter()
                .map(|rule| RuleEntry::new(rule.gradient, Some(rule.claim.in_words())))
                .collect(),
            reference: source(definition),
        })
    }
}

/// Runs `tightbound estimators`.
pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    match &args.name {
        Some(name) => {
            let definition = find(name)?;
            if args.json {
                print_json(&Entry::new(definition)?)?;
            } else {
                print(&explain(definition)?)?;
            }
        }
        None if args.gradients && args.json => {
            print_json(&Gradient::ALL.map(|rule| RuleEntry::new(rule, None)))?;
        }
        None if args.gradients => print(&rules())?,
        None if args.json => {
            let all: Vec<_> = registry().iter().map(|d| Entry::new(d)).collect::<Result<_, _>>()?;
            print_json(&all)?;
        }
        None => print(&overview()?)?,
    }
    Ok(Outcome::Done)
}

/// The settings of a training on this estimator alone.
fn defaults(definition: &Definition) -> anyhow::Result<Settings> {
    let name = Assignment::flag("--estimator", "estimator.name", definition.name);
    Ok(Resolver::new().layer(vec![name]).resolve()?)
}

/// The numbers that the estimator needs beside M and K.
fn parameters(definition: &Definition) -> Vec<&'static str> {
    let has = definition.parameters;
    let all = [(has.beta, "beta"), (has.alpha, "alpha"), (has.partition, "partition")];
    all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
}

/// Where the estimator comes from.
fn source(definition: &Definition) -> String {
    format!("{}, {}", definition.reference.short, definition.equation)
}

/// The table of all estimators.
fn overview() -> anyhow::Result<String> {
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("default M, K", Align::Left),
        ("bound", Align::Left),
        ("source", Align::Left),
    ]);
    for definition in registry() {
        let defaults = defaults(definition)?.estimator;
        table.row([
            definition.name.to_owned(),
            format!("{}, {}", defaults.m, defaults.k),
            definition.formula.to_owned(),
            source(definition),
        ]);
    }
    Ok(format!(
        "{table}\nw = p(x, z) / q(z|x) is the importance weight of one sample; θ is the decoder, φ the \
         encoder.\n`tightbound estimators NAME` says when to use one, `--gradients` lists the encoder's rules.\n"
    ))
}

/// The gradient rules in full, with the estimators that support each.
fn rules() -> String {
    let mut text = String::from(
        "A sample pulls the encoder by b along the path through z, and by c along the score of q.\n\
         For one logarithm over K samples, v = w / Σ w and L = log (1/K) Σ w:\n",
    );
    for rule in Gradient::ALL {
        let supported = registry().iter().filter(|d| d.rule(rule).is_some());
        let names: Vec<_> = supported.map(|d| d.name).collect();
        text.push_str(&format!(
            "\n{rule}: {}\n\n    {}\n\nwhen       {}\nbounds     {}\nsource     {}\n",
            rule.title(),
            rule.formula(),
            wrap(rule.when(), 80).join("\n           "),
            names.join(", "),
            rule.reference().short,
        ));
    }
    text
}

/// The estimator's gradient rules and what it claims of each.
fn claims(definition: &Definition) -> String {
    let of = |rule: &Rule| format!("{:<11}{}", rule.gradient.name(), rule.claim.in_words());
    definition.gradients.iter().map(of).collect::<Vec<_>>().join("\n           ")
}

/// One estimator in full.
fn explain(definition: &Definition) -> anyhow::Result<String> {
    let Definition { name, title, formula, when, samples, two_targets, .. } = definition;
    let defaults = defaults(definition)?.estimator;
    let (m, k) = (defaults.m, defaults.k);
    let own = match samples {
        SampleRule::OuterOnly => format!("--m M (K is 1); by default M = {m}"),
        SampleRule::InnerOnly => format!("--k K (M is 1); by default K = {k}"),
        SampleRule::Both => format!("--m M --k K; by default M = {m}, K = {k}"),
    };
    let mut numbers = String::new();
    if let Some(beta) = defaults.beta {
        numbers +=
            &format!("\nβ          --beta, a number in [0, 1] or `learned`; by default {beta}");
    }
    if let Some(alpha) = defaults.alpha {
        numbers += &format!("\nα          --alpha, a number in [0, 1]; by default {alpha}");
    }
    if let Some(points) = &defaults.partition {
        let points: Vec<_> = points.iter().map(f64::to_string).collect();
        numbers += &format!("\nβ_j        --partition, by default {}", points.join(","));
    }
    let targets = match two_targets {
        true => "decoder and encoder follow different bounds",
        false => "decoder and encoder follow the same bound",
    };
    let flags = match samples {
        SampleRule::OuterOnly => format!("--m {m}"),
        SampleRule::InnerOnly => format!("--k {k}"),
        SampleRule::Both => format!("--m {m} --k {k}"),
    };
    Ok(format!(
        "{name}: {title}\n\n    {formula}\n\nwhen       {}\nsamples    {own}{numbers}\n\
         targets    {targets}\ngradients  {}\nsource     {} (`tightbound cite {name}`)\n\
         try        tightbound train --data glyphs --estimator {name} {flags} --epochs 4\n",
        wrap(when, 80).join("\n           "),
        claims(definition),
        source(definition),
    ))
}

/// Breaks `text` into lines of at most `width` characters, between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_estimator_is_explained() {
        let table = overview().unwrap();
        for definition in registry() {
            assert!(table.contains(definition.formula));
            let text = explain(definition).unwrap();
            assert!(text.contains(definition.formula) && text.contains(definition.equation));
            assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
            serde_json::to_string(&Entry::new(definition).unwrap()).unwrap();
        }
    }

    #[test]
    fn every_gradient_rule_is_explained() {
        let text = rules();
        for rule in Gradient::ALL {
            assert!(text.contains(rule.formula()) && text.contains(rule.reference().short));
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn text_breaks_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("impossible", 3), ["impossible"]);
    }
}
