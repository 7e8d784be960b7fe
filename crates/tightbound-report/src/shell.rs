//! Write words so that a shell takes them as they are.

use std::path::Path;

/// `word` as one word of a shell's command line, for advice that can be copied.
///
/// ```
/// assert_eq!(tightbound_report::shell_word("runs/demo/piwae"), "runs/demo/piwae");
/// assert_eq!(tightbound_report::shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if word.chars().all(plain) && !word.is_empty() {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// `path` as one word of a shell's command line that no program takes for a flag.
pub fn shell_path(path: &Path) -> String {
    let path = path.display().to_string();
    shell_word(&if path.starts_with('-') { format!("./{path}") } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_a_flag() {
        for (path, quoted) in [("-x", "./-x"), ("runs/-x", "runs/-x"), ("-$x", "'./-$x'")] {
            assert_eq!(shell_path(Path::new(path)), quoted);
        }
    }

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        for (word, quoted) in [
            ("runs/demo/piwae", "runs/demo/piwae"),
            ("my runs/a", "'my runs/a'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
