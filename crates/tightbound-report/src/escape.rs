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
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_ends_a_word_early() {
        assert_eq!(escape("a<b> & \"c\"\n'p̂'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;p̂&#39;");
    }
}
