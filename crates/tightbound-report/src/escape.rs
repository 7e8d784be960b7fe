//! Keep words from being read as markup.

/// The text as itself between the tags and in the attributes of HTML and SVG, on one line.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(visible(c)),
        }
    }
    escaped
}

/// The character, or a space in place of one that XML does not have: one of them in a picture, and no
/// browser shows it.
pub(crate) fn visible(c: char) -> char {
    if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_ends_a_word_early() {
        assert_eq!(escape("a<b> & \"c\"\n'p̂'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;p̂&#39;");
        assert_eq!(escape("a\u{fffe}b\u{ffff}\u{1b}c"), "a b  c");
    }
}
