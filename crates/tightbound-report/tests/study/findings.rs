//! Let sentences claim what seeds or images tell apart, and nothing else.

use tightbound::settings::Settings;

use super::fixture::{Runs, scored, seeded, settings};

/// log p̂ of four images about `mean`.
fn about(mean: f64) -> [f64; 4] {
    [3.0, -1.0, -4.0, 2.0].map(|image| mean + image)
}

/// What is said of IWAE and VAE whose seeds have these means.
fn findings(iwae: &[f64], vae: &[f64]) -> Vec<String> {
    let runs = Runs::new();
    for (settings, means) in [(iwae_settings(), iwae), (settings("vae", 64, 1), vae)] {
        for (seed, &mean) in (1..).zip(means) {
            runs.add_scored(&settings, seed, &about(mean));
        }
    }
    runs.report().findings
}

fn iwae_settings() -> Settings {
    settings("iwae", 1, 64)
}

#[track_caller]
fn says(findings: &[String], words: &[&str]) {
    let said = findings.iter().any(|finding| words.iter().all(|&word| finding.contains(word)));
    assert!(said, "no {words:?} in {findings:#?}");
}

#[track_caller]
fn is_silent_on(findings: &[String], word: &str) {
    assert!(!findings.iter().any(|finding| finding.contains(word)), "{word}: {findings:#?}");
}

#[test]
fn seeds_far_apart_are_a_clear_difference() {
    let better = [-90.0, -90.5, -90.0, -90.5];
    let worse = [-95.0, -95.5, -95.2, -95.1, -95.2];
    let apart = findings(&better, &worse);
    says(&apart, &["IWAE has the highest log p̂, -90.25 ± 0.29 nats", "VAE the next, -95.20"]);
    says(&apart, &["over seeds the difference is clear (Games–Howell test, p < 0.001)"]);
    let turned = findings(&worse, &better);
    says(&turned, &["VAE has the highest log p̂", "the difference is clear"]);
    let less_far = findings(&better, &[-91.0, -90.5, -91.5, -91.0]);
    says(&less_far, &["over seeds the difference is clear (Games–Howell test, p = 0.02"]);
}

#[test]
fn seeds_that_overlap_are_not_told_apart() {
    let findings = findings(&[-90.0, -94.0, -92.0, -92.0], &[-91.0, -95.0, -93.0, -93.0]);
    says(&findings, &["IWAE has the highest log p̂", "over seeds the two are not told apart"]);
    is_silent_on(&findings, "clear");
}

/// However far they lie apart.
#[test]
fn three_seeds_are_not_tested() {
    let three = [-90.0, -90.5, -90.0];
    for others in [&[-95.0, -95.5, -95.2][..], &[-95.0, -95.5, -95.2, -95.1]] {
        let findings = findings(&three, others);
        says(
            &findings,
            &["whether seeds would tell the two apart is not known: a test needs 4 of each"],
        );
        is_silent_on(&findings, "clear");
    }
    is_silent_on(&on_other_data(&[0.5, 0.502, 0.501], &[0.54, 0.542, 0.541]), "reconstructs");
}

/// p = .02 of two methods is more than .05 of the same two among three, if the third has seeds enough.
#[test]
fn all_pairs_of_methods_count() {
    let with_a_third = |seeds: usize| {
        let runs = Runs::new();
        let thirds = [-99.0, -98.0, -99.5, -98.5];
        for (settings, means) in [
            (iwae_settings(), &[-90.0, -90.5, -90.0, -90.5][..]),
            (settings("vae", 64, 1), &[-91.0, -90.5, -91.5, -91.0]),
            (settings("miwae", 8, 8), &thirds[..seeds]),
        ] {
            for (seed, &mean) in (1..).zip(means) {
                runs.add_scored(&settings, seed, &about(mean));
            }
        }
        runs.report().findings
    };
    says(&with_a_third(3), &["IWAE has the highest", "clear (Games–Howell test, p = 0.02"]);
    says(&with_a_third(4), &["IWAE has the highest", "not told apart (Games–Howell test, p = 0.0"]);
}

/// Nothing varies, so that no test says anything; there are seeds enough.
#[test]
fn seeds_without_spread_are_not_tested() {
    let findings = findings(&[-90.0; 4], &[-95.0; 4]);
    says(&findings, &["whether seeds would tell the two apart is not known."]);
    is_silent_on(&findings, "needs");
}

/// What is said of one run each, IWAE's images being better by `differences`.
fn singles(differences: [f64; 4]) -> Vec<String> {
    let runs = Runs::new();
    let vae = about(-91.0);
    let iwae = std::array::from_fn::<f64, 4, _>(|image| vae[image] + differences[image]);
    runs.add_scored(&iwae_settings(), 1, &iwae);
    runs.add_scored(&settings("vae", 64, 1), 1, &vae);
    runs.report().findings
}

/// The images' own spread, of three nats, hides neither.
#[test]
fn single_runs_are_compared_image_by_image() {
    let apart = singles([1.0, 1.25, 0.75, 1.0]);
    says(&apart, &["IWAE has the highest", "on the same images these two models differ (1.000 ["]);
    says(&apart, &["what another seed would give is not known"]);
    let alike = singles([1.0, -1.25, 1.75, -0.5]);
    says(&alike, &["even on the same images these two models are not told apart (0.250 ["]);
    is_silent_on(&alike, "models differ");
}

/// The best by its mean may have a worse first run: pairs of first runs would say the contrary.
#[test]
fn one_seed_against_several_tells_nothing() {
    let findings = findings(&[-93.0, -80.0], &[-91.0]);
    says(
        &findings,
        &["IWAE has the highest", "; whether seeds would tell the two apart is not known"],
    );
    is_silent_on(&findings, "told apart (");
    is_silent_on(&findings, "models differ");
}

/// More samples make log p̂ higher, whatever the model.
#[test]
fn nothing_follows_from_scores_that_were_not_made_alike() {
    let runs = Runs::new();
    for (settings, k, mean) in [(iwae_settings(), 100, -90.0), (settings("vae", 64, 1), 70, -95.0)]
    {
        for seed in [1, 2] {
            let run = format!("{}-{seed}", settings.estimator.name);
            runs.add(&run, &seeded(&settings, seed));
            let mut scores = scored(&about(mean - 0.25 * seed as f64));
            scores.k = k;
            scores.gaps = vec![f64::from(k) / 10.0 + 0.25 * seed as f64; 4];
            runs.score(&run, &scores);
        }
    }
    let findings = runs.report().findings;
    says(&findings, &["not all were scored alike, so that nothing follows"]);
    is_silent_on(&findings, "clear");
    is_silent_on(&findings, "closer");
}

/// What is said of one run each whose encoders miss the posterior by these nats, image by image.
fn encoders(iwae: [f64; 4], vae: [f64; 4]) -> Vec<String> {
    let runs = Runs::new();
    for (settings, gaps) in [(iwae_settings(), iwae), (settings("vae", 64, 1), vae)] {
        let run = runs.add_scored(&settings, 1, &about(-90.0));
        let mut scores = scored(&about(-90.0));
        scores.gaps = gaps.to_vec();
        runs.score(&run, &scores);
    }
    runs.report().findings
}

#[test]
fn the_closest_encoder_is_named_where_images_tell() {
    let apart = encoders([7.0, 9.0, 8.0, 4.0], [2.0, 4.0, 3.5, -0.5]);
    says(&apart, &["the encoder of VAE is closer to its posterior, KL(q‖p) at least 2.25 nats"]);
    says(&apart, &["than that of IWAE, at least 7.00 (one run each; seeds may differ)"]);
    let alike = encoders([7.0, 9.0, 2.0, 4.0], [8.0, 3.0, 3.5, 7.0]);
    is_silent_on(&alike, "closer");
}

/// What is said of two models' SSIM on other data over 100 images.
fn on_other_data(iwae: &[f64], vae: &[f64]) -> Vec<String> {
    let runs = Runs::new();
    for (settings, means) in [(iwae_settings(), iwae), (settings("vae", 64, 1), vae)] {
        for (seed, &mean) in (1..).zip(means) {
            let run = runs.add_scored(&settings, seed, &about(-90.0));
            let mut other = scored(&[-150.0; 100]);
            other.on.0 = "omniglot (derived)";
            other.ssim = Some((mean, 0.1));
            runs.score(&run, &other);
        }
    }
    runs.report().findings
}

/// Two means of 100 images with a spread of 0.1 have a difference that is known to 0.014.
#[test]
fn the_best_reconstructions_are_named_where_images_or_seeds_tell() {
    let words =
        "shown omniglot (derived), VAE reconstructs better (SSIM 0.540, zero-padded) than IWAE";
    says(&on_other_data(&[0.5], &[0.54]), &[words, "(0.500) (one run each"]);
    is_silent_on(&on_other_data(&[0.5], &[0.52]), "reconstructs");
    says(
        &on_other_data(&[0.5, 0.502, 0.5, 0.502], &[0.54, 0.542, 0.54, 0.542]),
        &["VAE reconstructs better", "(0.501) (Games–Howell test"],
    );
    is_silent_on(&on_other_data(&[0.5, 0.6, 0.5, 0.6], &[0.54, 0.64, 0.54, 0.64]), "reconstructs");
    is_silent_on(&on_other_data(&[0.5, 0.501], &[0.54]), "reconstructs");
}

/// One of four images has a heavy tail: 0.6 is above 1 − 1/log₁₀ 100.
#[test]
fn weights_that_cannot_be_relied_on_are_told() {
    says(&findings(&[-90.0], &[-91.0]), &["log p̂ may be far too low for 25 % of the test images"]);
}

#[test]
fn one_method_alone_is_not_ranked() {
    let runs = Runs::new();
    runs.add_scored(&iwae_settings(), 1, &about(-90.0));
    let findings = runs.report().findings;
    is_silent_on(&findings, "highest");
    is_silent_on(&findings, "closer");
}
