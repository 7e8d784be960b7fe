//! Certify one estimator, and read the certificate.

use crate::support::Folder;

#[test]
fn an_estimator_is_certified() {
    let text = Folder::new().run("certify --estimator iwae").succeeds();
    for words in [
        "log p(x) − ELBO, ⅔ the variance of q, nats   0.4565  0.4565 ± 5e-5  holds",
        "iwae: θ under every rule, largest relative error",
        "iwae-stl: φ, declared biased, is off by",
        "iwae-dreg: largest |t| over θ and φ",
        "iwae-vimco: the same mean, largest |t|",
        "iwae-dreg (1, 64): φ variance relative to plain",
        "iwae-ovis (γ = 0.5)  1, 8 ",
        "lines hold: the estimators do what they declare.",
    ] {
        assert!(text.contains(words), "no `{words}` in: {text}");
    }
    assert!(!text.contains("FAIL") && !text.contains("miwae"), "{text}");
}

#[test]
fn a_certificate_can_be_read_by_programs() {
    let folder = Folder::new();
    let json = folder.run("certify --estimator ciwae --exact-only --json").json();
    assert_eq!((&json["holds"], json["spreads"].as_array().map(Vec::len)), (&true.into(), Some(0)));
    let lines = json["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["holds"] == true && line["figure"].is_f64()), "{json}");
    let slope =
        lines.iter().find(|line| line["name"] == "ciwae: ∂bound/∂β, relative error").unwrap();
    assert_eq!((&slope["part"], &slope["bar"]["at-most"]), (&"exact".into(), &1e-7.into()));
    folder.run("certify --estimator wae").fails(2, &["--estimator", "miwae"]);
}
