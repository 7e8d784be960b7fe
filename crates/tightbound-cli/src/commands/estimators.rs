//! Explain the estimators: a table of all, or one in full.

use serde::Serialize;
use tightbound::estimators::{Definition, SampleRule, find, registry};
use tightbound::settings::{Assignment, Resolver, Settings};
use tightbound_report::{Align, Table};

use crate::args::estimator_names;
use crate::outcome::Outcome;
use crate::output::{print, print_json};

/// Explain the bounds: formula, when to use each, where it comes from
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tightbound estimators\n  tightbound estimators piwae")]
pub struct Args {
    /// One estimator, in full [default: a table of all]
    #[arg(value_parser = estimator_names())]
    name: Option<String>,

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
    needs_beta: bool,
    two_targets: bool,
    unbiased: bool,
    reference: String,
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
            needs_beta: definition.properties.needs_beta,
            two_targets: definition.properties.two_targets,
            unbiased: definition.properties.unbiased,
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
         encoder.\n`tightbound estimators NAME` says when to use one.\n"
    ))
}

/// One estimator in full.
fn explain(definition: &Definition) -> anyhow::Result<String> {
    let Definition { name, title, formula, when, properties, .. } = definition;
    let defaults = defaults(definition)?.estimator;
    let (m, k) = (defaults.m, defaults.k);
    let samples = match properties.samples {
        SampleRule::OuterOnly => format!("--m M (K is 1); by default M = {m}"),
        SampleRule::InnerOnly => format!("--k K (M is 1); by default K = {k}"),
        SampleRule::Both => format!("--m M --k K; by default M = {m}, K = {k}"),
    };
    let beta = defaults.beta.map_or_else(String::new, |beta| {
        format!("\nβ          --beta, a number in [0, 1] or `learned`; by default {beta}")
    });
    let targets = match properties.two_targets {
        true => "decoder and encoder follow different bounds",
        false => "decoder and encoder follow the same bound",
    };
    let bias = match properties.unbiased {
        true => "its gradients are unbiased",
        false => "its gradients are biased",
    };
    let flags = match properties.samples {
        SampleRule::OuterOnly => format!("--m {m}"),
        SampleRule::InnerOnly => format!("--k {k}"),
        SampleRule::Both => format!("--m {m} --k {k}"),
    };
    Ok(format!(
        "{name}: {title}\n\n    {formula}\n\nwhen       {}\nsamples    {samples}{beta}\n\
         gradients  {targets}; {bias}\nsource     {} (`tightbound cite {name}`)\n\
         try        tightbound train --data glyphs --estimator {name} {flags} --epochs 4\n",
        wrap(when, 80).join("\n           "),
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
    fn text_breaks_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("impossible", 3), ["impossible"]);
    }
}
