//! Count what the compiler does not check in the sources of all crates, and require it to be here alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The word, in a way that this file does not hold it.
const WORD: &str = concat!("un", "safe");

/// The files of these kernels that have it, and how often: those of the other processors too, which no lint
/// reads here. Who changes a number changes it in docs/reliability.md.
const ALLOWED: [(&str, usize); 6] = [
    ("avx2.rs", 13),
    ("avx512.rs", 25),
    ("buffer.rs", 2),
    ("dispatch.rs", 6),
    ("gemm.rs", 5),
    ("neon.rs", 10),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the workspace's folders can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension() == Some("rs".as_ref()) {
            found.push(path);
        }
    }
}

/// Whether the line has the word as code: not within another word, nor in a comment.
fn has_word(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).any(|word| word == WORD)
}

#[test]
fn unchecked_code_is_in_the_kernels_alone_and_gives_reasons() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates");
    let kernels = crates.join("tightbound/src/engine/cpu/kernels");
    let mut files = Vec::new();
    sources(crates, &mut files);
    let mut counts = BTreeMap::new();
    for path in &files {
        let text = fs::read_to_string(path).expect("sources are text");
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate().filter(|(_, line)| has_word(line)) {
            let place = format!("{}, line {}", path.display(), index + 1);
            assert_eq!(path.parent(), Some(&*kernels), "{place}");
            let file = path.file_name().and_then(|name| name.to_str()).expect("a name");
            assert!(ALLOWED.iter().any(|(allowed, _)| *allowed == file), "{place}");
            // A function says what its caller owes; a block says why it is paid.
            let reason = if line.contains("fn ") { "# Safety" } else { "SAFETY:" };
            let above = lines[index.saturating_sub(4)..index].iter();
            let comments = above.filter(|line| line.trim_start().starts_with("//"));
            assert!(comments.into_iter().any(|line| line.contains(reason)), "{place}: no reason");
            *counts.entry(file.to_owned()).or_insert(0) += 1;
        }
    }
    let allowed = ALLOWED.map(|(file, count)| (file.to_owned(), count));
    assert_eq!(counts, BTreeMap::from(allowed));
}
