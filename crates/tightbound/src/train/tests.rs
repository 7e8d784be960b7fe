//! Interrupt, break and resume trainings, and compare what remains.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::tempdir;

use super::TrainError;
use super::testing::{Remains, Script, ToyEngine, go, go_through, images};
use crate::run::testing::description;
use crate::run::{Log, METRICS, Record, RunDescription, RunFolder, read_log, verify};
use crate::settings::{BetaObjective, Binarisation, Monitor, NonFinite, Update};

/// One description per path through the step.
fn variants() -> Vec<RunDescription> {
    let mut all = Vec::new();
    for update in [Update::Joint, Update::EncoderFirst, Update::Random] {
        let mut variant = description();
        variant.settings.train.update = update;
        all.push(variant);
    }
    for objective in [
        BetaObjective::Maximise,
        BetaObjective::Eq16,
        BetaObjective::Snr,
        BetaObjective::Validation,
    ] {
        let mut variant = learning(objective);
        variant.settings.train.monitor = Monitor::Snr;
        // No β reaches it: the β of the largest ratio is chosen, which the other variants do not have.
        variant.settings.train.beta_target = 1e6;
        all.push(variant);
    }
    all
}

fn learning(objective: BetaObjective) -> RunDescription {
    let mut learned = description();
    let estimator = &mut learned.settings.estimator;
    (estimator.name, estimator.m, estimator.beta) = ("ciwae".into(), 1, Some(0.3));
    learned.settings.train.beta_objective = objective;
    learned
}

fn log_of(path: &Path) -> Log {
    read_log(&path.join(METRICS)).unwrap()
}

#[test]
fn a_run_stopped_at_any_step_and_resumed_equals_one_that_was_not() {
    let folder = tempdir().unwrap();
    for (v, description) in variants().iter().enumerate() {
        let whole = folder.path().join(format!("{v}-whole"));
        assert!(go_through(&whole, description).complete);
        let expected = Remains::of(&whole);
        // Seven images in minibatches of three, four epochs: twelve steps.
        for stop in 1..=12 {
            let path = folder.path().join(format!("{v}-{stop}"));
            let mut engine = ToyEngine::new(description.architecture());
            let mut script = Script { stop_at: Some(stop), ..Script::default() };
            let outcome = go(&path, description, &mut engine, &mut script).unwrap();
            assert!(!outcome.complete);
            assert_eq!(outcome.step, stop);
            assert!(verify(&path).unwrap().whole);
            assert!(go_through(&path, description).complete);
            assert_eq!(Remains::of(&path), expected, "variant {v}, stopped at step {stop}");
        }
    }
}

#[test]
fn a_run_stopped_after_every_single_step_and_every_first_scoring_ends_the_same() {
    let folder = tempdir().unwrap();
    for objective in [BetaObjective::Eq16, BetaObjective::Validation] {
        let description = learning(objective);
        let whole = folder.path().join(format!("{objective:?}-whole"));
        go_through(&whole, &description);
        let path = folder.path().join(format!("{objective:?}-pieces"));
        let mut sessions = 0;
        loop {
            let mut engine = ToyEngine::new(description.architecture());
            let interrupt_scoring = sessions % 2 == 0;
            // In the middle of a trial, at another place each time.
            let interrupt_trial = (sessions % 3 == 1).then_some(sessions);
            let mut script = Script {
                stop_at: Some(1),
                interrupt_scoring,
                interrupt_trial,
                ..Script::default()
            };
            sessions += 1;
            if go(&path, &description, &mut engine, &mut script).unwrap().complete {
                break;
            }
            assert!(sessions < 100);
        }
        assert!(sessions > 12);
        assert_eq!(Remains::of(&path), Remains::of(&whole), "{objective:?}");
    }
}

#[test]
fn choices_of_beta_are_logged_with_their_evidence() {
    let folder = tempdir().unwrap();
    let choices = |objective, target| {
        let mut description = learning(objective);
        description.settings.train.beta_target = target;
        let path = folder.path().join(format!("{objective:?}{target}"));
        go_through(&path, &description);
        let records = log_of(&path).records.into_iter();
        let choice = |record| if let Record::Beta(choice) = record { Some(choice) } else { None };
        records.filter_map(choice).collect::<Vec<_>>()
    };
    let by_snr = choices(BetaObjective::Snr, 1e-6);
    assert_eq!(by_snr.iter().map(|c| c.epoch).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for choice in &by_snr {
        let own = choice.evidence.iter().find(|e| e.beta == choice.beta).unwrap().value.unwrap();
        assert!(choice.reached && own >= 1e-6, "{choice:?}");
    }
    let out_of_reach = choices(BetaObjective::Snr, 1e6);
    for choice in &out_of_reach {
        let own = choice.evidence.iter().find(|e| e.beta == choice.beta).unwrap().value;
        let largest = choice.evidence.iter().map(|e| e.value.unwrap()).reduce(f64::max);
        assert!(!choice.reached && own == largest, "{choice:?}");
    }
    let by_validation = choices(BetaObjective::Validation, 0.5);
    assert_eq!(by_validation.iter().map(|c| c.epoch).collect::<Vec<_>>(), [1, 2, 4]);
    for choice in &by_validation {
        let values: Vec<f64> = choice.evidence.iter().map(|e| e.value.unwrap()).collect();
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = values.iter().position(|&v| v == best).unwrap();
        assert_eq!((values.len(), choice.evidence[first].beta), (7, choice.beta), "{choice:?}");
        assert!(values.iter().any(|&v| v < best), "the trials differ: {choice:?}");
    }
}

#[test]
fn a_choice_that_fails_is_left_out_where_steps_are() {
    let folder = tempdir().unwrap();
    for objective in [BetaObjective::Snr, BetaObjective::Validation] {
        let mut description = learning(objective);
        description.settings.train.non_finite = NonFinite::Skip;
        let path = folder.path().join(format!("{objective:?}"));
        let mut engine = ToyEngine::new(description.architecture());
        // The first gradients alone: of the first draw, or of the first trial.
        engine.broken = 1..3;
        assert!(go(&path, &description, &mut engine, &mut Script::default()).unwrap().complete);
        let log = log_of(&path);
        let left_out = log.records.iter().filter(|r| matches!(r, Record::Skip(s) if s.batch == 0));
        let chosen = log.records.iter().filter(|r| matches!(r, Record::Beta(_)));
        match objective {
            BetaObjective::Snr => assert_eq!((left_out.count(), chosen.count()), (1, 3)),
            _ => assert_eq!((left_out.count(), chosen.count()), (0, 3)),
        }
    }
}

#[test]
fn a_beta_without_evidence_stops_the_training_and_names_the_cause() {
    let folder = tempdir().unwrap();
    for objective in [BetaObjective::Snr, BetaObjective::Validation] {
        let description = learning(objective);
        let path = folder.path().join(format!("{objective:?}"));
        let mut engine = ToyEngine::new(description.architecture());
        engine.broken = 1..1000;
        let error = go(&path, &description, &mut engine, &mut Script::default()).unwrap_err();
        assert!(matches!(error, TrainError::Beta { epoch: 1, .. }), "{error}");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("decoder.0.weight") || cause.contains("draw 0"), "{cause}");
        engine.broken = 0..0;
        assert!(go(&path, &description, &mut engine, &mut Script::default()).unwrap().complete);
    }
}

#[test]
fn looking_at_signal_and_noise_changes_nothing() {
    let folder = tempdir().unwrap();
    let run = |name: &str, monitor| {
        let mut description = description();
        description.settings.train.monitor = monitor;
        let path = folder.path().join(name);
        let digest = go_through(&path, &description).digest;
        let records = log_of(&path).records.into_iter();
        let looks = |record| if let Record::Snr(look) = record { Some(look) } else { None };
        (digest, records.filter_map(looks).collect::<Vec<_>>())
    };
    let (plain, nothing) = run("off", Monitor::Off);
    let (watched, looks) = run("snr", Monitor::Snr);
    assert_eq!((plain, nothing.len()), (watched, 0));
    assert_eq!(
        looks.iter().map(|l| (l.epoch, l.step)).collect::<Vec<_>>(),
        [(1, 3), (2, 6), (3, 9), (4, 12)]
    );
    for look in looks {
        let figures = look.figures.unwrap();
        assert!(figures.encoder.value() > 0.0 && figures.effective_samples >= 1.0, "{figures:?}");
    }
}

#[test]
fn the_variants_differ_from_each_other() {
    let folder = tempdir().unwrap();
    let digests: BTreeSet<String> = (variants().iter().enumerate())
        .map(|(v, description)| go_through(&folder.path().join(v.to_string()), description).digest)
        .collect();
    assert_eq!(digests.len(), variants().len());
}

#[test]
fn an_asked_for_checkpoint_changes_nothing() {
    let folder = tempdir().unwrap();
    let description = description();
    go_through(&folder.path().join("plain"), &description);
    let path = folder.path().join("saved");
    let mut script = Script { save_at: Some(5), ..Script::default() };
    go(&path, &description, &mut ToyEngine::new(description.architecture()), &mut script).unwrap();
    assert_eq!(script.steps.len(), 12);
    assert_eq!(Remains::of(&path), Remains::of(&folder.path().join("plain")));
}

#[test]
fn resuming_a_complete_run_does_nothing_and_more_epochs_continue_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    let mut description = description();
    let first = go_through(&path, &description);
    let before = Remains::of(&path);
    let again = go_through(&path, &description);
    assert!(again.was_complete && again.complete && !first.was_complete);
    assert_eq!(again.digest, first.digest);
    assert_eq!(Remains::of(&path), before);

    description.settings.train.epochs = 6;
    let more = go_through(&path, &description);
    let at_once = go_through(&folder.path().join("six"), &description);
    assert_eq!((more.epoch, more.digest), (6, at_once.digest));

    description.settings.train.epochs = 5;
    let mut engine = ToyEngine::new(description.architecture());
    let error = go(&path, &description, &mut engine, &mut Script::default()).unwrap_err();
    assert!(error.to_string().contains("train.epochs: was 6, now 5"), "{error}");
}

#[test]
fn a_weight_file_lost_after_the_last_checkpoint_is_written_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    go_through(&path, &description());
    let before = Remains::of(&path);
    std::fs::remove_file(path.join("model.safetensors")).unwrap();
    go_through(&path, &description());
    assert_eq!(Remains::of(&path), before);
}

#[test]
fn numbers_that_are_not_finite_stop_the_run_by_name_and_leave_the_last_checkpoint() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    let description = description();
    let mut engine = ToyEngine::new(description.architecture());
    engine.broken = 5..6;
    let error = go(&path, &description, &mut engine, &mut Script::default()).unwrap_err();
    let TrainError::NonFinite { step: 5, epoch: 2, batch: 2, ref source, largest, ref tensor } =
        error
    else {
        panic!("{error:?}");
    };
    assert!(
        largest.is_finite() && error.to_string().contains(&format!("in `{tensor}`")),
        "{error}"
    );
    assert!(source.to_string().contains("decoder.0.weight"));
    let latest = RunFolder::open(&path).unwrap().latest().unwrap().unwrap();
    assert_eq!((latest.checkpoint.position.epoch, latest.checkpoint.position.step), (1, 3));
    go_through(&path, &description);
    go_through(&folder.path().join("sound"), &description);
    assert_eq!(Remains::of(&path), Remains::of(&folder.path().join("sound")));
}

#[test]
fn skipped_steps_are_counted_logged_and_make_no_update() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    let mut description = description();
    description.settings.train.non_finite = NonFinite::Skip;
    let mut engine = ToyEngine::new(description.architecture());
    engine.broken = 4..7;
    let outcome = go(&path, &description, &mut engine, &mut Script::default()).unwrap();
    assert_eq!((outcome.step, outcome.skipped, outcome.complete), (9, 3, true));
    let log = log_of(&path);
    let skips: Vec<_> = (log.records.iter())
        .filter_map(|r| match r {
            Record::Skip(skip) => Some((skip.epoch, skip.batch)),
            _ => None,
        })
        .collect();
    assert_eq!(skips, [(2, 1), (2, 2), (2, 3)]);
    let second = log.records.iter().find_map(|r| match r {
        Record::Epoch(epoch) if epoch.epoch == 2 => Some(epoch),
        _ => None,
    });
    let second = second.unwrap();
    assert_eq!((second.bound, second.skipped, second.step), (None, 3, 3));
}

/// A step of two passes is left out whole, whichever pass breaks.
#[test]
fn a_broken_second_pass_takes_the_first_networks_update_back() {
    let folder = tempdir().unwrap();
    for update in [Update::EncoderFirst, Update::Random] {
        let remains = [3, 4].map(|call| {
            let path = folder.path().join(format!("{update:?}-{call}"));
            let mut description = description();
            description.settings.train.non_finite = NonFinite::Skip;
            description.settings.train.update = update;
            let mut engine = ToyEngine::new(description.architecture());
            engine.broken = call..call + 1;
            let outcome = go(&path, &description, &mut engine, &mut Script::default()).unwrap();
            assert_eq!((outcome.skipped, outcome.complete), (1, true));
            Remains::of(&path)
        });
        assert_eq!(remains[0], remains[1], "{update:?}");
    }
}

#[test]
fn a_rate_that_diverges_is_named_before_it_reaches_a_checkpoint() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    let mut description = description();
    description.settings.train.rate = 1e300;
    let mut engine = ToyEngine::new(description.architecture());
    let error = go(&path, &description, &mut engine, &mut Script::default()).unwrap_err();
    let TrainError::Diverged { epoch: 1, ref tensor, .. } = error else { panic!("{error:?}") };
    assert_eq!(tensor, "encoder.0.weight");
    let latest = RunFolder::open(&path).unwrap().latest().unwrap().unwrap();
    assert!(latest.checkpoint.parameters.iter().all(|p| p.is_finite()));
}

#[test]
fn the_log_has_every_epoch_once_with_means_over_all_images() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("run");
    let mut description = description();
    description.settings.train.epochs = 6;
    let mut engine = ToyEngine::new(description.architecture());
    let mut script = Script::default();
    go(&path, &description, &mut engine, &mut script).unwrap();
    assert_eq!(script.scored, [1, 2, 4, 6]);
    let records = log_of(&path).records;
    let epochs: Vec<_> = (records.iter())
        .filter_map(|r| if let Record::Epoch(e) = r { Some(e) } else { None })
        .collect();
    assert_eq!(epochs.iter().map(|e| e.epoch).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    for epoch in epochs {
        let last = script.steps.iter().rfind(|p| p.epoch == epoch.epoch).unwrap();
        assert_eq!((last.batch, last.batches, last.images), (3, 3, 1));
        assert_eq!(epoch.bound, last.bound);
        assert_eq!(epoch.kept, Some(0.75));
        assert_eq!(epoch.step, last.step);
    }
}

#[test]
fn fixed_pixels_do_not_change_with_the_epoch_and_dynamic_ones_do() {
    let images = images();
    let mut settings = description().settings;
    let table = crate::model::ParameterTable::new(&description().architecture());
    let mut draw = |binarisation, epoch| {
        settings.data.binarisation = binarisation;
        let mut stepper = super::step::Stepper::new(&settings, &images, &table);
        stepper.draw(&[6, 0, 3, 1], epoch);
        assert_eq!(stepper.drawn().ids, [16, 10, 13, 11]);
        stepper.drawn().pixels.to_vec()
    };
    assert_eq!(draw(Binarisation::Fixed, 1), draw(Binarisation::Fixed, 2));
    assert_ne!(draw(Binarisation::Dynamic, 1), draw(Binarisation::Dynamic, 2));
}

#[test]
fn bad_settings_are_refused_by_key() {
    let folder = tempdir().unwrap();
    let mut tried = 0;
    let mut refused = |change: &dyn Fn(&mut RunDescription), words: &str| {
        let mut description = learning(BetaObjective::Maximise);
        change(&mut description);
        let path = folder.path().join(format!("{tried}"));
        tried += 1;
        let mut engine = ToyEngine::new(description.architecture());
        let error = go(&path, &description, &mut engine, &mut Script::default()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(&|d| d.settings.train.epochs = 0, "train.epochs");
    refused(&|d| d.settings.train.batch = 0, "train.batch");
    refused(&|d| d.settings.estimator.beta = Some(0.0), "estimator.beta");
    refused(&|d| d.settings.estimator.beta = Some(1.0), "estimator.beta");
    refused(
        &|d| {
            (d.settings.estimator.name, d.settings.estimator.beta) = ("iwae".into(), None);
            d.settings.train.beta_objective = BetaObjective::Snr;
        },
        "train.beta_objective",
    );
    refused(
        &|d| (d.settings.estimator.name, d.settings.estimator.beta) = ("iwae".into(), None),
        "train.beta_objective",
    );
}
