//! Execute the README: what it shows must be what the program prints.
//!
//! Sessions are fenced blocks marked `console`: lines that begin with `$ ` are commands, the lines
//! below them their standard output, if any is shown. `[..]` stands for anything within a line, a
//! line `[...]` for any number of lines. All sessions run in order, in one folder. Blocks with
//! another mark (`sh`, say) are not executed.

use std::path::Path;

use crate::support::{Folder, Run};

/// One command with the output shown below it.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    output: Vec<String>,
}

/// The commands of all sessions.
fn sessions(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside && line.trim() == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            steps.push(Step { command: command.to_owned(), output: Vec::new() });
        } else if inside {
            let step = steps.last_mut().expect("a session begins with a command");
            step.output.push(line.to_owned());
        }
    }
    steps
}

/// Whether `line` is what `pattern` shows.
fn line_matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once("[..]") {
        None => pattern == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|tail| {
            let ends = tail.char_indices().map(|(i, _)| i).chain([tail.len()]);
            ends.into_iter().any(|end| line_matches(rest, &tail[end..]))
        }),
    }
}

/// Whether `lines` are what `patterns` show.
fn matches(patterns: &[String], lines: &[&str]) -> bool {
    match (patterns.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((pattern, rest)), _) if pattern == "[...]" => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        (Some((pattern, patterns)), Some((line, lines))) => {
            line_matches(pattern, line) && matches(patterns, lines)
        }
        _ => false,
    }
}

#[test]
fn sessions_of_the_readme_are_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: there is no {}", path.display());
        return;
    };
    let folder = Folder::new();
    for Step { command, output } in sessions(&text) {
        let built = command.strip_prefix("cargo run --release -- ");
        let line = built.or(command.strip_prefix("tightbound ")).unwrap_or_else(|| {
            panic!("`{command}` is no command of tightbound: mark its block `sh`")
        });
        let stdout = Run::of(&mut folder.tightbound(line)).succeeds();
        let lines: Vec<_> = stdout.lines().collect();
        assert!(
            output.is_empty() || matches(&output, &lines),
            "$ {command}\nprints\n{stdout}\nbut README.md shows\n{}",
            output.join("\n")
        );
    }
}

#[test]
fn sessions_are_told_from_other_blocks() {
    let text =
        "text\n```sh\n$ rm x\n```\n```console\n$ tightbound a\none\n$ tightbound b\n```\nx\n";
    let step = |command: &str, output: &[&str]| Step {
        command: command.to_owned(),
        output: output.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(sessions(text), [step("tightbound a", &["one"]), step("tightbound b", &[])]);
}

#[test]
fn wildcards_match_what_they_should() {
    let shown = |patterns: &[&str], lines: &[&str]| {
        matches(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>(), lines)
    };
    assert!(shown(&["a [..] c", "[...]", "z"], &["a b c", "x", "y", "z"]));
    assert!(shown(&["é[..]"], &["éü"]) && shown(&["[...]"], &[]));
    assert!(!shown(&["a [..] c"], &["a b d"]) && !shown(&["a"], &["a", "b"]));
    assert!(!shown(&["a", "b"], &["a"]) && !shown(&["a"], &["a "]));
}
