//! Run sweeps through stand-ins of `hq` and `sbatch` that keep every call and run the cells themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Folder, Run, npy};

/// Three cells that train in a moment. The path of their images is relative, so they have to start where
/// the sweep was run.
const EXPERIMENT: &str = r#"
title = "Three bounds"

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
    { estimator.name = "iwae", estimator.k = 5 },
    { estimator.name = "miwae", estimator.m = 2, estimator.k = 3 },
]
"#;

/// Both keep the arguments of their n-th call in `call.n`, one per line. What has `$LOSE` in it is killed
/// in the first `$LOSSES` calls. The files of what the cells print are there as soon as a cell begins.
const BOTH: &str = r#"#!/bin/sh
here=$(dirname "$0")
call=1
while [ -e "$here/call.$call" ]; do call=$((call + 1)); done
for argument; do printf '%s\n' "$argument"; done > "$here/call.$call"
echo "Submitted job $call"
lost() {
    [ -n "$LOSE" ] && [ "$call" -le "$LOSSES" ] && case $1 in *$LOSE*) ;; *) false ;; esac
}
failed=0
"#;

/// One process per line, with the line in a variable.
const HQ: &str = r#"
while [ "$1" != -- ]; do
    case $1 in
        --each-line) cp "$2" "$here/lines.$call" && lines=$here/lines.$call ;;
        --stdout) out=$2 ;;
    esac
    shift
done
shift
task=0
while read -r HQ_ENTRY; do
    export HQ_ENTRY
    log=$(printf %s "$out" | sed "s/%{JOB_ID}/$call/; s/%{TASK_ID}/$task/")
    if lost "$HQ_ENTRY"; then
        sh -c 'kill -KILL $$' > "$log" || failed=1
    else
        "$@" < /dev/null > "$log" 2>&1 || failed=1
    fi
    task=$((task + 1))
done < "$lines"
exit $failed
"#;

/// One process per index of the array, each with the same script.
const SBATCH: &str = r#"
while [ $# -gt 1 ]; do
    case $1 in
        --array) last=${2#0-} ;;
        --output) out=$2 ;;
    esac
    shift
done
cp "$1" "$here/script.$call"
SLURM_ARRAY_TASK_ID=0
while [ "$SLURM_ARRAY_TASK_ID" -le "$last" ]; do
    export SLURM_ARRAY_TASK_ID
    log=$(printf %s "$out" | sed "s/%A/$call/; s/%a/$SLURM_ARRAY_TASK_ID/")
    if lost "task $SLURM_ARRAY_TASK_ID"; then
        sh -c 'kill -KILL $$' > "$log" || failed=1
    else
        sh "$here/script.$call" > "$log" 2>&1 || failed=1
    fi
    SLURM_ARRAY_TASK_ID=$((SLURM_ARRAY_TASK_ID + 1))
done
exit $failed
"#;

/// A folder with the experiment and with `bin`, where the stand-ins are.
struct Site(Folder);

impl Site {
    fn new() -> Self {
        let site = Self(Folder::new());
        fs::write(site.path("three.toml"), EXPERIMENT).unwrap();
        fs::write(site.path("images.npy"), npy(&[50, 6, 5])).unwrap();
        fs::create_dir(site.path("bin")).unwrap();
        site.install("hq", &format!("{BOTH}{HQ}"));
        site.install("sbatch", &format!("{BOTH}{SBATCH}"));
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path as the program says it, without symbolic links.
    fn full(&self, name: &str) -> String {
        let path = self.path(name).canonicalize().unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn install(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Plans the experiment in the folder `out`, and gives the names of the cells.
    fn plan(&self, out: &str, more: &str) -> Vec<String> {
        let mut command = self.0.tightbound("sweep plan three.toml --budget smoke --epochs 2");
        command.args(["--set", "data.limit=40", "--out", out]).args(more.split_whitespace());
        Run::of(&mut command).succeeds().lines().map(str::to_owned).collect()
    }

    /// `tightbound sweep run` of the folder `out`, with the stand-ins before everything on the PATH.
    fn sweep(&self, out: &str, words: &str) -> Command {
        let mut command = self.0.tightbound("sweep run");
        command.arg(out).args(words.split_whitespace());
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command
    }

    /// The arguments of call `n`.
    fn call(&self, n: usize) -> Vec<String> {
        self.lines(&format!("bin/call.{n}"))
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn assert_calls(&self, count: usize) {
        let calls = (1..).take_while(|n| self.path(&format!("bin/call.{n}")).exists()).count();
        assert_eq!(calls, count);
    }

    /// Asserts that two sweeps have the same results, byte for byte.
    #[track_caller]
    fn assert_same(&self, one: &str, other: &str) {
        for name in ["results.json", "results.csv"] {
            let read = |out: &str| fs::read_to_string(self.path(out).join(name)).unwrap();
            assert_eq!(read(one), read(other), "{name}");
        }
    }
}

/// Makes the process lose what has `word` in it, in so many calls.
fn lose<'a>(command: &'a mut Command, word: &str, losses: u32) -> &'a mut Command {
    command.env("LOSE", word).env("LOSSES", losses.to_string())
}

/// Which of the words are in the text.
fn which_in(text: &str, words: &[String]) -> Vec<bool> {
    words.iter().map(|word| text.contains(word.as_str())).collect()
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_tightbound");

#[test]
fn hyperqueue_gets_every_cell_and_a_lost_one_once_more() {
    let site = Site::new();
    let cells = site.plan("here", "");
    assert_eq!(site.plan("there", ""), cells);
    let printed = Run::of(&mut site.sweep("here", "")).succeeds();
    let run = Run::of(lose(&mut site.sweep("there", "--on hyperqueue"), "-iwae-", 1));
    for words in ["submitting 3 cells through hq", "submitting 1 cell once more through hq"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    // What the engine says belongs to standard error.
    assert!(run.stderr.contains("Submitted job 2"), "{}", run.stderr);
    assert_eq!(run.succeeds(), printed);
    site.assert_same("here", "there");

    site.assert_calls(2);
    let there = site.full("there");
    let expected = format!(
        "submit|--each-line|{there}/pending.txt|--name|tightbound|--wait|--cpus|1|\
         --stdout|{there}/logs/%{{JOB_ID}}.%{{TASK_ID}}.out|\
         --stderr|{there}/logs/%{{JOB_ID}}.%{{TASK_ID}}.err|\
         --|sh|-c|exec \"$0\" sweep cell \"$@\" \"$HQ_ENTRY\"|\
         {PROGRAM}|{there}|--threads|1"
    );
    assert_eq!(site.call(1).join("|"), expected);
    assert_eq!(site.call(2).join("|"), expected);
    assert_eq!(site.lines("bin/lines.1"), cells);
    assert_eq!(site.lines("bin/lines.2"), [cells[1].clone()]);

    Run::of(&mut site.sweep("there", "--on hyperqueue")).succeeds();
    site.assert_calls(2);
}

#[test]
fn slurm_runs_several_cells_in_a_task_whatever_the_folder_is_called() {
    let site = Site::new();
    let (here, there) = ("here", "it's a $HOME");
    let cells = site.plan(here, "");
    site.plan(there, "");
    let printed = Run::of(&mut site.sweep(here, "")).succeeds();
    let mut command = site.sweep(there, "--on slurm --per-task 2");
    assert_eq!(Run::of(lose(&mut command, "task 0", 1)).succeeds(), printed);
    site.assert_same(here, there);

    site.assert_calls(2);
    let folder = site.full(there);
    let expected = |last| {
        format!(
            "--wait|--job-name|tightbound|--array|0-{last}|--cpus-per-task|1|\
             --output|{folder}/logs/%A.%a.out|{folder}/sweep.sbatch"
        )
    };
    assert_eq!(site.call(1).join("|"), expected(1));
    assert_eq!(site.call(2).join("|"), expected(0));
    let script = fs::read_to_string(site.path("bin/script.2")).unwrap();
    assert_eq!(which_in(&script, &cells), [true, true, false]);
}

#[test]
fn what_is_said_of_cores_data_and_engine_reaches_the_call() {
    let site = Site::new();
    site.plan("sweep", "");
    fs::create_dir(site.path("data")).unwrap();
    let (sweep, data) = (site.full("sweep"), site.full("data"));
    // What is asked for is not done here, so the program ends with 1.
    let call = |on: &str, n| {
        let words = "--attempts 1 --threads 2 --kernels portable --data-dir data \
                     --submit-arg=--partition=long --submit-arg --mem=1G";
        let mut command = site.sweep("sweep", &format!("--on {on} {words}"));
        assert_eq!(Run::of(&mut command).code, Some(1));
        site.call(n).join("|")
    };
    site.install("sbatch", BOTH);
    let expected = format!(
        "--wait|--job-name|tightbound|--array|0-2|--cpus-per-task|2|\
         --output|{sweep}/logs/%A.%a.out|--partition=long|--mem=1G|{sweep}/sweep.sbatch"
    );
    assert_eq!(call("slurm", 1), expected);
    let script = fs::read_to_string(site.path("sweep/sweep.sbatch")).unwrap();
    let line = format!("{sweep} --threads 2 --kernels portable --data-dir {data} \"$cell\"");
    assert!(script.contains(&line), "{script}");

    site.install("hq", BOTH);
    let call = call("hyperqueue", 2);
    assert!(call.contains("|--cpus|2|"), "{call}");
    assert!(call.contains(".err|--partition=long|--mem=1G|--|sh|"), "{call}");
    let end = format!("|{sweep}|--threads|2|--kernels|portable|--data-dir|{data}");
    assert!(call.ends_with(&end), "{call}");
}

#[test]
fn an_engine_that_is_not_there_is_named() {
    let site = Site::new();
    site.plan("sweep", "");
    for (on, name) in [("hyperqueue", "hq"), ("slurm", "sbatch")] {
        let mut command = site.sweep("sweep", &format!("--on {on}"));
        let words = format!("`{name}` was not found: put it on the PATH");
        Run::of(command.env("PATH", site.path("nowhere"))).fails(1, &[&words, "--on local"]);
    }
}

#[test]
fn a_folder_that_an_engine_cannot_take_is_named() {
    let site = Site::new();
    for (on, name, out) in [("hyperqueue", "hq", "at 9:30"), ("slurm", "sbatch", "9%")] {
        site.plan(out, "");
        let words = format!("`{name}` cannot take a folder with `");
        Run::of(&mut site.sweep(out, &format!("--on {on}"))).fails(1, &[&words, &site.full(out)]);
    }
    site.assert_calls(0);
}

#[test]
fn a_job_that_is_refused_is_submitted_once() {
    let site = Site::new();
    site.plan("sweep", "");
    for (on, name, call) in [("hyperqueue", "hq", 1), ("slurm", "sbatch", 2)] {
        site.install(name, &format!("{BOTH}\necho 'no server' >&2; exit 1"));
        let words = format!("`{name}` began no cell (exit status: 1)");
        Run::of(&mut site.sweep("sweep", &format!("--on {on}"))).fails(1, &["no server", &words]);
        site.assert_calls(call);
    }
}

#[test]
fn a_cell_that_is_lost_every_time_is_reported_after_so_many_attempts() {
    let site = Site::new();
    let cells = site.plan("sweep", "");
    let mut command = site.sweep("sweep", "--on hyperqueue --attempts 2");
    let run = Run::of(lose(&mut command, "-iwae-", 9));
    site.assert_calls(2);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let logs = Path::new("sweep").join("logs");
    for words in [
        format!("{} is not done after 2 attempts: what it said is in {}", cells[1], logs.display()),
        "2 of 3 cells are in sweep".to_owned(),
        "not done: 1 cell; to go on:\n  tightbound sweep run sweep".to_owned(),
    ] {
        assert!(run.stderr.contains(&words), "no `{words}` in: {}", run.stderr);
    }
    assert_eq!(which_in(&run.stdout, &cells), [true, false, true]);
}

/// It would end the same way anywhere.
#[test]
fn a_cell_that_diverges_is_not_submitted_again() {
    let site = Site::new();
    site.plan("sweep", "--set train.rate=1e38");
    for (more, calls) in [("--per-task 3", 1), ("", 1), ("--retry-failed", 2)] {
        let run = Run::of(&mut site.sweep("sweep", &format!("--on slurm {more}")));
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains("failed: 3 cells; to try again"), "{}", run.stderr);
        site.assert_calls(calls);
    }
}

#[test]
fn whoever_waits_for_the_engine_can_be_told_to_stop() {
    let site = Site::new();
    site.plan("sweep", "");
    // The call is complete when the process id, written after it, is there.
    site.install("hq", &format!("{BOTH}\necho $$ > \"$here/pid\"\nexec sleep 600"));
    let mut command = site.sweep("sweep", "--on hyperqueue");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now();
    let pid = loop {
        let written = fs::read_to_string(site.path("bin/pid")).unwrap_or_default();
        if let Some(pid) = written.strip_suffix('\n') {
            break pid.to_owned();
        }
        assert!(patience.elapsed() < Duration::from_secs(60), "nothing is submitted");
        assert!(child.try_wait().unwrap().is_none(), "the sweep has ended");
        sleep(Duration::from_millis(5));
    };
    let signal = |name: &str, pid: &str| {
        Command::new("kill").args([name, pid]).stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(signal("-TERM", &child.id().to_string()));
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(143), "{}", run.stderr);
    assert!(run.stderr.contains("what was submitted goes on"), "{}", run.stderr);
    assert!(patience.elapsed() < Duration::from_secs(120), "{:?}", patience.elapsed());
    assert!(!signal("-0", &pid), "the command still waits");
}
