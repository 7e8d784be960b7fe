//! Plan, run, kill and gather sweeps of tiny trainings.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::support::{Folder, Random, Run, npy, send, start, wait_until};

/// Two bounds on 45 images of 36 pixels.
const EXPERIMENT: &str = r#"
title = "Two bounds"

[settings]
data.name = "images.npy"
model.encoder = [8]
model.decoder = [8]
model.latents = 2

[score]
k = 70

[[axis]]
values = [
    { estimator.name = "vae", estimator.m = 3 },
    { estimator.name = "miwae", estimator.m = 2, estimator.k = 3 },
]
"#;

/// A plan without the measurement of the machine.
const PLAN: &str = "sweep plan two.toml --budget smoke --set data.limit=45";

/// A folder with images and the experiment.
fn site() -> Folder {
    let site = Folder::new();
    fs::write(site.path().join("images.npy"), npy(&[60, 6, 6])).unwrap();
    fs::write(site.path().join("two.toml"), EXPERIMENT).unwrap();
    site
}

/// Plans into `out` with `more`, and gives the cells' names.
fn plan(site: &Folder, out: &str, more: &str) -> Vec<String> {
    let names = site.run(&format!("{PLAN} --out {out} {more}")).succeeds();
    names.lines().map(str::to_owned).collect()
}

/// Everything that a sweep's results consist of.
fn results(sweep: &Path, cells: &[String]) -> Vec<(PathBuf, Vec<u8>)> {
    let files = ["results.json", "results.csv"].map(PathBuf::from).into_iter();
    let models = cells.iter().flat_map(|cell| {
        let file = |name: &str| Path::new("cells").join(cell).join(name);
        [file("model.safetensors"), file("evaluation.json"), file("evaluation.csv")]
    });
    let read = |file: PathBuf| (file.clone(), fs::read(sweep.join(file)).unwrap());
    files.chain(models).map(read).collect()
}

/// The numbers of the epochs in a cell's log.
fn epochs(sweep: &Path, cell: &str) -> Vec<u64> {
    let log = fs::read_to_string(sweep.join("cells").join(cell).join("metrics.jsonl"));
    let records = log.unwrap_or_default();
    let records = records.lines().filter_map(|line| serde_json::from_str(line).ok());
    let epoch = |record: serde_json::Value| {
        let is_epoch = record["kind"] == "epoch";
        if is_epoch { record["epoch"].as_u64() } else { None }
    };
    records.filter_map(epoch).collect()
}

/// Four kills; as many as `TIGHTBOUND_KILLS` says, if it says so.
#[test]
fn a_sweep_that_is_killed_again_and_again_ends_in_the_same_bytes() {
    let site = site();
    let long = "--epochs 300 --seeds 2";
    let cells = plan(&site, "calm", long);
    assert_eq!(cells.len(), 4);
    assert_eq!(plan(&site, "killed", long), cells);
    let begin = Instant::now();
    site.run("sweep run calm --jobs 2 --threads 2").succeeds();
    let calm = begin.elapsed();
    let kills = std::env::var("TIGHTBOUND_KILLS").map_or(4, |n| n.parse().unwrap());
    let (mut hit, mut random) = (0, Random(1));
    while hit < kills {
        let fraction = random.below(1000);
        // On average half of the sweep is done when the last one hits it.
        let wait = calm.mul_f64(fraction as f64 / 1000.0 / f64::from(kills));
        let mut process = start(&mut site.tightbound("sweep run killed --jobs 1 --threads 3"));
        sleep(wait + Duration::from_millis(30));
        if process.try_wait().unwrap().is_some() {
            break;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        hit += 1;
    }
    assert!(hit > kills / 2, "{hit} of {kills} kills hit a process that ran");
    println!("{hit} kills of {} cells, which take {calm:.1?} undisturbed", cells.len());
    site.run("sweep run killed").succeeds();
    let (calm, killed) = (site.path().join("calm"), site.path().join("killed"));
    for (calm, killed) in results(&calm, &cells).iter().zip(results(&killed, &cells)) {
        assert!(calm.1 == killed.1, "{} differs", killed.0.display());
    }
    for cell in &cells {
        assert_eq!(epochs(&killed, cell), (1..=300).collect::<Vec<_>>(), "{cell}");
    }
}

/// The times of files, which are all that a clock leaves in a folder, mean nothing.
#[test]
fn a_clock_that_jumps_changes_nothing() {
    let site = site();
    let cells = plan(&site, "calm", "--epochs 40");
    plan(&site, "jumped", "--epochs 40");
    site.run("sweep run calm").succeeds();
    let jumped = site.path().join("jumped");
    for years in [-25, 14] {
        let mut process = start(&mut site.tightbound("sweep run jumped --jobs 1"));
        wait_until(|| cells.iter().any(|cell| epochs(&jumped, cell).len() > 2));
        process.kill().unwrap();
        process.wait().unwrap();
        let shift = Duration::from_secs(3600 * 24 * 365) * i32::abs(years) as u32;
        let now = SystemTime::now();
        let time = if years < 0 { now - shift } else { now + shift };
        for file in files_below(&jumped) {
            File::options().append(true).open(file).unwrap().set_modified(time).unwrap();
        }
    }
    site.run("sweep run jumped").succeeds();
    let calm = site.path().join("calm");
    assert!(results(&calm, &cells) == results(&jumped, &cells));
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn an_experiment_ends_in_a_page_that_says_what_was_cut() {
    let site = site();
    let line = "reproduce two.toml --budget smoke --set data.limit=45 --out two";
    let said = site.run(line).succeeds();
    let cut = "Not the whole experiment: 1 of 3280 epochs";
    assert!(said.contains("VAE") && said.contains(cut), "{said}");
    let page = fs::read_to_string(site.path().join("two/report.html")).unwrap();
    assert!(page.contains("Two bounds") && page.contains(cut));
    let table = fs::read_dir(site.path().join("two/report")).unwrap();
    let tables =
        table.map(|entry| entry.unwrap().path()).filter(|p| p.extension() == Some("md".as_ref()));
    for table in tables {
        assert!(fs::read_to_string(table).unwrap().contains(cut));
    }
    let json = fs::read(site.path().join("two/results.json")).unwrap();
    assert_eq!(site.run(line).succeeds(), said, "all was done already");
    assert_eq!(fs::read(site.path().join("two/results.json")).unwrap(), json);
}

#[test]
fn more_epochs_make_the_same_cells_go_on_and_fewer_are_refused() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 3");
    site.run("sweep run s").succeeds();
    assert_eq!(plan(&site, "s", "--epochs 5"), cells);
    let folder = site.path().join("s");
    let status = |word: &str| site.run("sweep status s").succeeds().matches(word).count();
    assert_eq!((status("begun"), status("3/5")), (2, 2));
    site.run("sweep run s").succeeds();
    assert_eq!(epochs(&folder, &cells[0]), [1, 2, 3, 4, 5]);
    let continued = results(&folder, &cells);
    plan(&site, "straight", "--epochs 5");
    site.run("sweep run straight").succeeds();
    assert!(continued == results(&site.path().join("straight"), &cells));

    plan(&site, "s", "--epochs 4");
    let run = site.run("sweep run s");
    assert_eq!(run.code, Some(1));
    let said = "was trained for 5 epochs already, and the plan says 4";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(status("beyond the plan"), 2);
}

#[test]
fn status_says_where_cells_stand() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 2 --seeds 2");
    let states = || {
        let lines = site.run("sweep status s --json").json();
        let states = lines.as_array().unwrap().iter();
        states.map(|line| line["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(), ["waiting"; 4]);
    let text = site.run("sweep status s").succeeds();
    assert!(text.contains(&cells[3]) && text.ends_with("0 of 4 cells are done\n"), "{text}");
    site.run(&format!("sweep cell s {}", cells[1])).succeeds();
    assert_eq!(states(), ["waiting", "done", "waiting", "waiting"]);
    site.run("sweep cell s nothing").fails(2, &["no cell `nothing` among its 4"]);
    site.run("sweep run s").succeeds();
    assert_eq!(states(), ["done"; 4]);
}

/// The other cell is done, and the failed one is not tried again before somebody asks for it.
#[test]
fn a_cell_that_diverges_is_reported_and_the_others_go_on() {
    let site = site();
    let wild = "values = [\n    { estimator.name = \"vae\", estimator.m = 3, train.rate = 1e38 },";
    let text =
        EXPERIMENT.replace("values = [\n    { estimator.name = \"vae\", estimator.m = 3 },", wild);
    fs::write(site.path().join("two.toml"), text).unwrap();
    let cells = plan(&site, "s", "--epochs 2");
    let run = site.run("sweep run s --jobs 1");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let failed = format!("{}: failed: stopped", cells[0]);
    for words in [&*failed, "step", "1 failed", "failed: 1 cell; to try again", "--retry-failed"] {
        assert!(run.stderr.contains(words), "no `{words}` in: {}", run.stderr);
    }
    assert!(run.stdout.contains(&cells[1]) && !run.stdout.contains(&cells[0]));
    let status = site.run("sweep status s").succeeds();
    assert!(status.contains("1 of 2 cells are done, 1 failed"), "{status}");

    let again = site.run("sweep run s");
    assert_eq!(again.code, Some(1));
    assert!(!again.stderr.contains(&failed), "it was not run: {}", again.stderr);
    let retried = site.run("sweep run s --retry-failed");
    assert_eq!(retried.code, Some(1));
    assert!(retried.stderr.contains(&failed), "it was run: {}", retried.stderr);
}

#[test]
fn two_sweeps_on_one_folder_are_refused_until_the_first_is_gone() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 2000");
    let folder = site.path().join("s");
    let mut first = start(&mut site.tightbound("sweep run s --jobs 1"));
    wait_until(|| !epochs(&folder, &cells[0]).is_empty());
    site.run("sweep run s").fails(1, &["another process is running the sweep in s"]);
    site.run(&format!("{PLAN} --out s --epochs 9")).fails(1, &["another process is running"]);
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock has gone with its process.
    plan(&site, "s", "--epochs 2000");
    let mut command = site.tightbound("sweep run s --jobs 2");
    let process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let grown = epochs(&folder, &cells[0]).len();
    wait_until(|| epochs(&folder, &cells[0]).len() > grown);
    assert!(send("TERM", &process));
    let ended = Run::from(process.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("saved; to go on:\n  tightbound sweep run s"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_folder_that_disappears_is_an_error_and_no_panic() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 2000");
    let folder = site.path().join("s");
    let mut command = site.tightbound("sweep run s");
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| cells.iter().all(|cell| !epochs(&folder, cell).is_empty()));
    fs::rename(&folder, site.path().join("away")).unwrap();
    let ended = Run::from(process.wait_with_output().unwrap());
    ended.fails(1, &["error: cannot", "s/"]);
    fs::rename(site.path().join("away"), &folder).unwrap();
    let status = site.run("sweep status s").succeeds();
    assert!(status.contains("begun"), "{status}");
}

#[test]
fn what_cannot_be_planned_is_refused_with_its_place() {
    let site = site();
    let planned = |from: &str, to: &str| {
        assert!(EXPERIMENT.contains(from));
        fs::write(site.path().join("two.toml"), EXPERIMENT.replace(from, to)).unwrap();
        site.run(&format!("{PLAN} --out s"))
    };
    planned("model.latents", "model.latent").fails(2, &["two.toml, line 8", "`model.latent`"]);
    planned("[score]", "[scores]").fails(2, &["two.toml, line 10", "`scores`", "[score]"]);
    planned("estimator.m = 2", "estimator.n = 2").fails(2, &["two.toml, line 16", "`estimator.n`"]);
    planned("k = 70", "k = 0").fails(2, &["two.toml, line 11", "score.k must be"]);
    planned("title", "titel").fails(2, &["two.toml, line 2", "`titel`"]);
    assert!(!site.path().join("s").exists(), "nothing was written");

    fs::write(site.path().join("two.toml"), EXPERIMENT).unwrap();
    plan(&site, "s", "");
    let other = site.run(&format!("{PLAN} --out s --set train.batch=9"));
    other.fails(1, &["s holds `Two bounds` (2 cells, budget smoke)", "another folder with --out"]);
    site.run(&format!("{PLAN} --out t --only nothing")).fails(2, &["no cell has `nothing`"]);
    site.run("sweep run nowhere").fails(1, &["nowhere holds no sweep", "tightbound sweep plan"]);
    let known = &["no experiment `table9`", "table1", "beta-study"];
    site.run("reproduce table9").fails(2, known);
    fs::write(site.path().join("s/sweep.json"), "{").unwrap();
    site.run("sweep status s").fails(1, &["s/sweep.json", "cannot be understood"]);
}

/// The beginning of a long training is a short one, wherever the long one was killed.
#[test]
fn fewer_epochs_end_a_training_that_has_not_come_so_far() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 100000");
    let folder = site.path().join("s");
    let mut process = start(&mut site.tightbound("sweep run s --jobs 1"));
    wait_until(|| epochs(&folder, &cells[0]).len() > 5);
    process.kill().unwrap();
    process.wait().unwrap();
    let came = epochs(&folder, &cells[0]).len();
    let status = site.run("sweep status s --json").json();
    let told = status[0]["epochs"].as_u64().unwrap() as usize;
    // The log is written before the checkpoint.
    assert!(came - told <= 1, "{told} of {came}");

    let short = format!("--epochs {}", came + 5);
    plan(&site, "s", &short);
    site.run("sweep run s").succeeds();
    plan(&site, "straight", &short);
    site.run("sweep run straight").succeeds();
    assert!(results(&folder, &cells) == results(&site.path().join("straight"), &cells));
}

/// Cells that are begun after the loss are made in a new folder.
#[test]
fn cells_that_disappear_are_begun_again_by_the_next_run() {
    let site = site();
    let cells = plan(&site, "s", "--epochs 150");
    let folder = site.path().join("s");
    let mut command = site.tightbound("sweep run s --jobs 1");
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| !epochs(&folder, &cells[0]).is_empty());
    fs::rename(folder.join("cells"), site.path().join("away")).unwrap();
    let ended = Run::from(process.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lost = format!("{}: cannot", cells[0]);
    for words in [&*lost, "not done: 1 cell; to go on:\n  tightbound sweep run s"] {
        assert!(ended.stderr.contains(words), "no `{words}` in: {}", ended.stderr);
    }
    assert!(ended.stdout.contains(&cells[1]), "{}", ended.stdout);
    site.run("sweep run s").succeeds();
    plan(&site, "calm", "--epochs 150");
    site.run("sweep run calm").succeeds();
    assert!(results(&folder, &cells) == results(&site.path().join("calm"), &cells));
}

/// Who asks to stop does not wait for a page, and the same command makes it later.
#[test]
fn an_interrupted_experiment_is_finished_by_the_same_command() {
    let site = site();
    let line = |out| {
        format!("reproduce two.toml --budget smoke --set data.limit=45 --epochs 300 --out {out}")
    };
    let folder = site.path().join("s");
    let mut command = site.tightbound(&format!("{} --jobs 1", line("s")));
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let names = || fs::read_dir(folder.join("cells")).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    wait_until(|| names().map(name).any(|cell| !epochs(&folder, &cell).is_empty()));
    assert!(send("INT", &process));
    let ended = Run::from(process.wait_with_output().unwrap());
    ended.fails(130, &["saved; to go on:"]);
    assert!(!folder.join("report.html").exists());

    site.run(&line("s")).succeeds();
    assert!(folder.join("report.html").exists());
    site.run(&line("calm")).succeeds();
    let cells: Vec<String> = names().map(name).collect();
    assert!(results(&folder, &cells) == results(&site.path().join("calm"), &cells));
}
