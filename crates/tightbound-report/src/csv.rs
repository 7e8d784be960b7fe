//! Write fields and lines of comma-separated values.

/// A field as RFC 4180 wants it: in quotes where it holds a comma, a quote or the end of a line.
pub(crate) fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_break_a_line_is_quoted() {
        assert_eq!(field("iwae 64"), "iwae 64");
        assert_eq!(field("MIWAE(8, 8)"), "\"MIWAE(8, 8)\"");
        assert_eq!(field("the \"tight\" one"), "\"the \"\"tight\"\" one\"");
        assert_eq!(field("a\nb"), "\"a\nb\"");
    }
}
