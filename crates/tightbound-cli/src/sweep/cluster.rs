//! Hand the cells of a sweep to an engine that has more machines: HyperQueue or Slurm.
//!
//! All of them see the sweep's folder. The engine decides where and when; this side writes which cells
//! are left, submits them as one job, waits until it has ended, and looks again: what a lost machine
//! or a killed process left undone is submitted once more. A cell that cannot go on is not.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, bail};
use tightbound::sweep::{Cell, Plan, State};
use tightbound_report::shell_word;

use super::cell::Worker;
use super::local::Tally;
use crate::output::{counted, quoted, talk, write_file};
use crate::signals::Signals;

/// How often the engine's command is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// Who hands cells to machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// HyperQueue, by its command `hq`.
    HyperQueue,
    /// Slurm, by its command `sbatch`.
    Slurm,
}

/// How cells are submitted.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// To whom.
    pub manager: Manager,
    /// Cores, and threads, of every cell.
    pub cores: u64,
    /// How often a cell is submitted at most.
    pub attempts: u32,
    /// Cells of one task of a Slurm job array.
    pub per_task: usize,
    /// Further arguments of `hq submit` or `sbatch`.
    pub arguments: Vec<String>,
}

/// Everything that a submission names.
struct Submission {
    /// This program.
    program: PathBuf,
    /// The sweep's folder.
    folder: PathBuf,
    /// Names of the cells that are left.
    cells: Vec<String>,
    /// Folder of what the cells print.
    logs: PathBuf,
    /// `--data-dir …` and the like, for every cell.
    options: Vec<String>,
}

impl Cluster {
    /// Does what is left of all cells.
    ///
    /// # Errors
    /// If the engine's command cannot be run or refuses the job, or the folder cannot be read.
    pub fn run(&self, worker: Worker<'_>) -> anyhow::Result<Tally> {
        for attempt in 1..=self.attempts {
            let before = Traces::read(worker)?;
            let left = before.left(worker.plan);
            if left.is_empty() {
                break;
            }
            let again = if attempt == 1 { "" } else { " once more" };
            let cells = counted(left.len(), "cell");
            talk!("submitting {cells}{again} through {}", self.manager.command());
            let submission = self.prepare(worker, &left)?;
            let status = self.submit(&submission, worker.signals)?;
            if worker.signals.stop().is_some() {
                talk!(
                    "no longer waiting; what was submitted goes on. Look with `tightbound sweep status {}`",
                    quoted(worker.folder.path())
                );
                break;
            }
            // Both engines report failed tasks by the same codes as a job that they refuse.
            if !status.success() && Traces::read(worker)? == before {
                let name = self.manager.command();
                bail!("`{name}` began no cell ({status}): what it said is above");
            }
        }
        let mut tally = Tally { interrupted: worker.signals.stop(), ..Tally::default() };
        for cell in &worker.plan.cells {
            match worker.folder.state(worker.plan, cell)? {
                State::Done(_) => {}
                State::Failed(failure) => {
                    talk!("{}: failed: {}", cell.id, failure.message);
                    tally.failed.push(failure.message);
                }
                _ if tally.interrupted.is_some() => {}
                _ => {
                    let logs = worker.folder.path().join("logs");
                    let message = format!(
                        "{} is not done after {} attempts: what it said is in {}",
                        cell.id,
                        self.attempts,
                        logs.display()
                    );
                    talk!("{message}");
                    tally.hindered.push(message);
                }
            }
        }
        Ok(tally)
    }

    /// Writes which cells are left, and names everything in full: machines may start elsewhere.
    fn prepare(&self, worker: Worker<'_>, left: &[&Cell]) -> anyhow::Result<Submission> {
        let folder = fs_err::canonicalize(worker.folder.path())?;
        let special = self.manager.special();
        if folder.to_string_lossy().contains(special) {
            let (name, folder) = (self.manager.command(), folder.display());
            bail!("`{name}` cannot take a folder with `{special}` in its path: {folder}");
        }
        let logs = fs_err::canonicalize(worker.folder.make("logs")?)?;
        let cells = left.iter().map(|cell| cell.id.clone()).collect();
        let mut options = vec!["--threads".to_owned(), self.cores.to_string()];
        if let Some(kernels) = worker.threads.kernels {
            options.extend(["--kernels".to_owned(), kernels.name().to_owned()]);
        }
        let data = worker.data.data_dir.clone();
        let data = data.or_else(|| std::env::var_os("TIGHTBOUND_DATA").map(PathBuf::from));
        if let Some(data) = data {
            let data = fs_err::canonicalize(data)?;
            options.extend(["--data-dir".to_owned(), data.display().to_string()]);
        }
        let program = std::env::current_exe().context("cannot tell where this program is")?;
        Ok(Submission { program, folder, cells, logs, options })
    }

    /// Submits, and waits until the job has ended or a signal asks to stop.
    fn submit(&self, submission: &Submission, signals: &Signals) -> anyhow::Result<ExitStatus> {
        let mut command = match self.manager {
            Manager::HyperQueue => self.hyperqueue(submission)?,
            Manager::Slurm => self.slurm(submission)?,
        };
        let name = self.manager.command();
        // Standard output is for the table of results.
        let mut child = match command.stdout(std::io::stderr()).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                "`{name}` was not found: put it on the PATH, or run the cells on this machine with \
                 --on local"
            ),
            Err(error) => return Err(error).context(format!("cannot run `{name}`")),
        };
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if signals.stop().is_some() {
                // Only who waits is ended: the engine has the job.
                child.kill()?;
                return Ok(child.wait()?);
            }
            sleep(POLL);
        }
    }

    /// `hq submit` with one task for every line of a file.
    fn hyperqueue(&self, submission: &Submission) -> anyhow::Result<Command> {
        let Submission { program, folder, cells, logs, options } = submission;
        let pending = folder.join("pending.txt");
        write_file(&pending, lines(cells).as_bytes())?;
        let mut command = Command::new("hq");
        command.arg("submit").arg("--each-line").arg(pending);
        command.args(["--name", "tightbound", "--wait", "--cpus", &self.cores.to_string()]);
        command.arg("--stdout").arg(logs.join("%{JOB_ID}.%{TASK_ID}.out"));
        command.arg("--stderr").arg(logs.join("%{JOB_ID}.%{TASK_ID}.err"));
        command.args(&self.arguments).arg("--");
        // The engine names the line in a variable, which only a shell can turn into an argument.
        command.args(["sh", "-c", r#"exec "$0" sweep cell "$@" "$HQ_ENTRY""#]);
        command.arg(program).arg(folder).args(options);
        Ok(command)
    }

    /// `sbatch` with a script that runs several lines in each task of an array.
    fn slurm(&self, submission: &Submission) -> anyhow::Result<Command> {
        let Submission { folder, cells, logs, .. } = submission;
        let script = folder.join("sweep.sbatch");
        write_file(&script, self.script(submission).as_bytes())?;
        let last = cells.len().div_ceil(self.per_task) - 1;
        let mut command = Command::new("sbatch");
        command.args(["--wait", "--job-name", "tightbound"]);
        command.args(["--array", &format!("0-{last}")]);
        command.args(["--cpus-per-task", &self.cores.to_string()]);
        command.arg("--output").arg(logs.join("%A.%a.out"));
        command.args(&self.arguments).arg(script);
        Ok(command)
    }

    /// The script of one task. It holds the cells, so that a later submission cannot change what a task
    /// of this one does.
    fn script(&self, submission: &Submission) -> String {
        let Submission { program, folder, cells, options, .. } = submission;
        let word = |path: &Path| shell_word(&path.display().to_string());
        let mut call = format!("{} sweep cell {}", word(program), word(folder));
        for option in options {
            let _ = write!(call, " {}", shell_word(option));
        }
        format!(
            "#!/bin/sh\n\
             # Runs {per} cells of the sweep, one after the other; one that fails does not stop the rest.\n\
             first=$((SLURM_ARRAY_TASK_ID * {per} + 1))\n\
             last=$((first + {per} - 1))\n\
             cells=$(sed -n \"${{first}},${{last}}p\" <<'CELLS'\n\
             {lines}\
             CELLS\n\
             )\n\
             failed=0\n\
             for cell in $cells; do\n\
             \x20   {call} \"$cell\" || failed=1\n\
             done\n\
             exit \"$failed\"\n",
            per = self.per_task,
            lines = lines(cells),
        )
    }
}

impl Manager {
    /// The program that submits.
    fn command(self) -> &'static str {
        match self {
            Self::HyperQueue => "hq",
            Self::Slurm => "sbatch",
        }
    }

    /// What the engine does not read as part of the path of a log.
    fn special(self) -> char {
        match self {
            Self::HyperQueue => ':',
            Self::Slurm => '%',
        }
    }
}

/// What cells leave behind as soon as they are begun.
#[derive(PartialEq)]
struct Traces {
    /// Files of what they print.
    logs: usize,
    /// Where each of them stands.
    states: Vec<State>,
}

impl Traces {
    fn read(worker: Worker<'_>) -> anyhow::Result<Self> {
        let states = worker.plan.cells.iter().map(|cell| worker.folder.state(worker.plan, cell));
        let states = states.collect::<Result<_, _>>()?;
        Ok(Self { logs: fs_err::read_dir(worker.folder.make("logs")?)?.count(), states })
    }

    /// The cells that are neither done nor failed.
    fn left<'a>(&self, plan: &'a Plan) -> Vec<&'a Cell> {
        let is_left = |state: &State| !matches!(state, State::Done(_) | State::Failed(_));
        let cells = plan.cells.iter().zip(&self.states);
        cells.filter(|(_, state)| is_left(state)).map(|(cell, _)| cell).collect()
    }
}

/// One cell per line.
fn lines(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("{cell}\n")).collect()
}
