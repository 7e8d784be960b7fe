//! Check that words stay words, and that the page asks nobody for anything.

use tightbound_report::page::{Explorer, Nonlinearity, Page};

use crate::fixture::{explorer, page_of};

/// Ends elements and attributes, begins scripts, entities and the template's own expressions.
pub const HOSTILE: &str = r#"</script><script>window.seized = true</script></title><!--"'><img onerror=alert(1)>&lt;{{ 7*7 }}{% if %}{# #}\"#;

/// The same as HTML.
const IN_HTML: &str = "&lt;&#x2f;script&gt;&lt;script&gt;window.seized = true&lt;&#x2f;script&gt;\
    &lt;&#x2f;title&gt;&lt;!--&quot;&#x27;&gt;&lt;img onerror=alert(1)&gt;&amp;lt;\
    {{ 7*7 }}{% if %}{# #}\\";

/// The same in JSON without `<`.
const IN_JSON: &str = r#"\u003c/script>\u003cscript>window.seized = true\u003c/script>\u003c/title>\u003c!--\"'>\u003cimg onerror=alert(1)>&lt;{{ 7*7 }}{% if %}{# #}\\"#;

/// The reference model of Burda et al. 2016.
fn reference() -> Explorer {
    explorer("model", &[50, 200, 200, 784], Nonlinearity::Tanh)
}

/// But for the words themselves, a page of hostile words is the page of harmless ones.
#[test]
fn words_from_outside_change_no_markup() {
    let small = || vec![explorer("small", &[3, 4, 6], Nonlinearity::Relu)];
    let hostile = page_of(HOSTILE, small()).to_html();
    let harmless = page_of("harmless", small()).to_html();
    assert_eq!(hostile.replace(IN_HTML, "harmless").replace(IN_JSON, "harmless"), harmless);
}

#[test]
fn nothing_is_fetched() {
    let html = page_of("word", vec![reference()]).to_html();
    for reference in ["http://", "https://", "url(", "@import", "<svg", "<iframe"] {
        assert!(!html.contains(reference), "{reference}");
    }
    let (src, data) = (html.matches("src=").count(), html.matches(r#"src="data:image/"#).count());
    assert_eq!((src, data), (1, 1), "the figure's picture is the only one, and inside");
    for link in html.split("href=\"").skip(1) {
        assert!(link.starts_with('#') || link.starts_with("data:"), "{}", &link[..40]);
    }
    assert!(html.contains(r#"content="default-src 'none'; style-src 'unsafe-inline';"#));
}

/// Three reference models, 0.83 MB of weights each, stay well below what mail and browsers bear.
#[test]
fn three_models_fit_in_five_megabytes() {
    let html = page_of("word", vec![reference(), reference(), reference()]).to_html();
    assert!(html.len() < 5_000_000, "{}", html.len());
}

#[test]
fn what_is_not_there_has_no_heading() {
    let html = Page { title: "Alone".into(), ..Page::default() }.to_html();
    for part in ["<h2", "explorer-data", "class Decoder", "<footer"] {
        assert!(!html.contains(part), "{part}");
    }
    assert!(html.contains("<h1>Alone</h1>"));
}
