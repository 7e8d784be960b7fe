//! Test experiments, plans and folders without training anything.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::evaluate::Estimate;
use crate::settings::Assignment;

const TEXT: &str = r#"
title = "Four by two"
seeds = 2
[settings]
data.name = "glyphs"
train.epochs = 121
[score]
k = 700
on = ["glyphs", "mnist"]
[[axis]]
values = [{}, { model.latents = 20 }]
[[axis]]
values = [
    { estimator.name = "vae" },
    { estimator.name = "ciwae", estimator.beta = 0.25 },
]
"#;

fn parse(text: &str) -> Result<Experiment, ExperimentError> {
    Experiment::parse(text, Path::new("e.toml"))
}

fn plan_of(text: &str, choices: &Choices) -> Result<Plan, ExperimentError> {
    Plan::new(&parse(text)?, Path::new("e.toml"), choices)
}

fn plan(choices: &Choices) -> Plan {
    plan_of(TEXT, choices).unwrap()
}

/// What is said when `from` in the experiment is `to`.
fn refused(from: &str, to: &str) -> String {
    assert_eq!(TEXT.matches(from).count(), 1, "{from}");
    plan_of(&TEXT.replace(from, to), &Choices::default()).unwrap_err().to_string()
}

#[test]
fn every_mistake_is_named_with_its_line() {
    for (from, to, said) in [
        (
            "seeds = 2",
            "seed = 2",
            "e.toml, line 3, column 1: there is no `seed`; an experiment has",
        ),
        ("seeds = 2", "seeds = 0", "line 3, column 1: seeds must be a whole number, 1 or more"),
        ("seeds = 2", "seeds = \"two\"", "line 3, column 1: seeds must be"),
        ("k = 700", "K = 700", "line 8, column 1: there is no `score.K`; [score] has: k, images"),
        ("k = 700", "k = -7", "line 8, column 1: score.k must be"),
        ("[\"glyphs\", \"mnist\"]", "\"mnist\"", "line 9, column 1: score.on must be a list"),
        ("[score]", "score = 3\n[other]", "there is no"),
        (
            "train.epochs",
            "train.epoch",
            "e.toml, line 6, column 7: there is no setting `train.epoch`",
        ),
        ("estimator.beta", "estimator.betta", "there is no setting `estimator.betta`"),
        ("{}, {", "3, {", "line 11, column 1: axis.values must be a list of tables"),
        ("values = [{}", "value = [{}", "line 11, column 1: there is no `axis.value`"),
        ("title = \"Four by two\"", "", "e.toml: `title`, which heads all tables, is missing"),
        ("title = \"Four by two\"", "title = 4", "line 2, column 1: title must be text"),
        ("title = \"Four by two\"", "title = = 4", "line 2, column 9: not readable as TOML"),
        ("{ model.latents = 20 }", "{ model.latents = 50 }", "an axis has a value twice"),
    ] {
        let error = refused(from, to);
        assert!(error.contains(said), "{error}");
    }
    let line = refused("estimator.beta = 0.25", "estimator.beta = 25");
    assert!(line.starts_with("e.toml, line 15, column 43: β must lie in [0, 1], not 25"), "{line}");
}

#[test]
fn the_last_axis_changes_fastest_and_seeds_faster_still() {
    let plan = plan(&Choices::default());
    let what = |cell: &Cell| {
        let Cell { settings, .. } = cell;
        (settings.model.latents, settings.estimator.name.clone(), settings.seed)
    };
    let found: Vec<_> = plan.cells.iter().map(what).collect();
    let of = |latents, name: &str, seed| (latents, name.to_owned(), seed);
    assert_eq!(found[..3], [of(50, "vae", 1), of(50, "vae", 2), of(50, "ciwae", 1)]);
    assert_eq!((found.len(), &found[7]), (8, &of(20, "ciwae", 2)));
    assert_eq!(plan.truncation(), None);
    assert_eq!(plan.scored_on(&plan.cells[0]), ["glyphs", "mnist"]);
    let back: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(back, plan);
}

/// So that more epochs continue a cell, and nothing else does.
#[test]
fn a_cell_is_named_by_all_its_settings_but_the_epochs() {
    let cell = |set: &str| {
        let set = vec![Assignment::parse(set).unwrap()];
        plan(&Choices { set, ..Choices::default() }).cells[0].id.clone()
    };
    let usual = cell("train.epochs=121");
    assert!(usual.starts_with("glyphs-vae-64x1-50l-seed1-"), "{usual}");
    assert_eq!(cell("train.epochs=4"), usual);
    let others = [
        "train.batch=21",
        "train.rate=0.002",
        "data.limit=30",
        "seed=3",
        "adam.epsilon=1e-7",
        "model.decoder=[9]",
        "model.encoder=[9]",
        "train.eval_every=3",
    ];
    let ids: BTreeSet<String> = others.map(cell).into_iter().chain([usual]).collect();
    assert_eq!(ids.len(), others.len() + 1);
    let dashed = cell("data.name=-x.npy");
    assert!(dashed.starts_with("x-vae-64x1-"), "{dashed}");
}

#[test]
fn a_budget_says_what_it_cuts() {
    let smoke = plan(&Choices { budget: Budget::Smoke, seeds: Some(1), ..Choices::default() });
    let cell = &smoke.cells[0].settings;
    assert_eq!((cell.train.epochs, cell.data.limit), (1, Some(500)));
    assert_eq!((smoke.score.k, smoke.score.images), (256, Some(100)));
    assert_eq!(
        smoke.truncation().unwrap(),
        "Not the whole experiment: 1 of 121 epochs, 1 of 2 seeds, 500 training images, 100 test images, \
         K = 256 instead of 700."
    );
    let only = vec!["vae".to_owned(), "20l".to_owned()];
    let some = plan(&Choices { only, epochs: Some(13), ..Choices::default() });
    assert_eq!(some.cells.len(), 2);
    assert_eq!(
        some.truncation().unwrap(),
        "Not the whole experiment: 13 of 121 epochs, 2 of 8 cells."
    );
    let none = Choices { only: vec!["iwae-9".into()], ..Choices::default() };
    assert!(plan_of(TEXT, &none).unwrap_err().to_string().contains("`iwae-9`"));
    // One data set instead of an axis of two is no value twice.
    let data = TEXT.replace("{ model.latents = 20 }", "{ data.name = \"mnist\" }");
    let data = plan_of(&data, &Choices { data: Some("glyphs".into()), ..Choices::default() });
    assert_eq!(data.unwrap().cells.len(), 4);
}

/// Seeds of the command line count as those of the file do.
#[test]
fn too_many_seeds_are_refused_before_cells_are_made() {
    let many = Choices { seeds: Some(30_000), ..Choices::default() };
    let error = plan_of(TEXT, &many).unwrap_err();
    assert!(matches!(error, ExperimentError::TooMany { .. }), "{error}");
}

#[test]
fn what_is_affordable_ends_where_a_stage_does() {
    let plan = plan(&Choices::default());
    let seconds =
        |plan: &Plan| plan.cells.iter().map(|cell| cell.settings.train.epochs as f64).sum::<f64>();
    for (limit, epochs) in [(8.0 * 13.0, 13), (8.0 * 40.0 - 1.0, 13), (8.0 * 40.0, 40), (1e9, 121)]
    {
        let cut = plan.affordable(limit, seconds);
        assert!(cut.cells.iter().all(|cell| cell.settings.train.epochs == epochs), "{limit}");
    }
    assert_eq!(plan.affordable(0.5, seconds).cells[0].settings.train.epochs, 1, "one at least");
    assert_eq!(plan.affordable(1e9, seconds).truncation(), None);
}

fn result(cell: &Cell, plan: &Plan) -> CellResult {
    let estimate = |value| Estimate { value, se: 0.25 };
    CellResult {
        id: cell.id.clone(),
        epochs: cell.settings.train.epochs,
        steps: 7,
        skipped: 0,
        digest: "d".into(),
        score: plan.score.clone(),
        scores: vec![DataScores {
            data: "mnist, all".into(),
            hash: "h".into(),
            images: 9,
            log_p_hat: estimate(-90.5),
            iwae_64: None,
            minus_kl: None,
            kl_q_p: estimate(3.0),
            active_units: 5,
            ssim: Vec::new(),
        }],
    }
}

#[test]
fn a_result_counts_only_for_the_plan_it_was_made_for() {
    let folder = TempDir::new().unwrap();
    let folder = SweepFolder::new(&folder.path().join("s"));
    let plan = plan(&Choices::default());
    assert!(matches!(folder.read_plan(), Err(SweepError::NotASweep(_))));
    folder.write_plan(&plan).unwrap();
    assert_eq!(folder.read_plan().unwrap(), plan);
    let (first, last) = (&plan.cells[0], &plan.cells[7]);
    assert_eq!(folder.state(&plan, first).unwrap(), State::Waiting);

    folder.fail(last, "it diverged".into()).unwrap();
    assert!(
        matches!(folder.state(&plan, last).unwrap(), State::Failed(f) if f.message == "it diverged")
    );
    folder.forgive(last).unwrap();
    folder.forgive(last).unwrap();
    assert_eq!(folder.state(&plan, last).unwrap(), State::Waiting);

    let done = result(first, &plan);
    folder.finish(first, &done).unwrap();
    folder.finish(last, &result(last, &plan)).unwrap();
    assert_eq!(folder.state(&plan, first).unwrap(), State::Done(Box::new(done)));
    let longer = Choices { epochs: Some(364), ..Choices::default() };
    let longer = plan_of(TEXT, &longer).unwrap();
    assert_eq!(longer.cells[0].id, first.id);
    assert_eq!(folder.state(&longer, &longer.cells[0]).unwrap(), State::Waiting);
    let other = Plan { score: Scoring { k: 701, ..plan.score.clone() }, ..plan.clone() };
    assert_eq!(folder.state(&other, first).unwrap(), State::Waiting);

    let gathered = folder.gather(&plan).unwrap();
    assert_eq!(
        gathered.iter().map(|(cell, _)| &cell.id).collect::<Vec<_>>(),
        [&first.id, &last.id]
    );
    let csv = std::fs::read_to_string(folder.path().join("results.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    let start =
        format!("{},glyphs,vae,64,1,,1,121,d,\"mnist, all\",9,700,-90.5,0.25,,,3.0,5", first.id);
    assert_eq!(lines[1], start);
}

#[test]
fn a_sweep_is_run_by_one_at_a_time() {
    let folder = TempDir::new().unwrap();
    let folder = SweepFolder::new(folder.path());
    let held = folder.lock().unwrap();
    assert!(matches!(folder.lock(), Err(SweepError::Locked(_))));
    drop(held);
    folder.lock().unwrap();
}
