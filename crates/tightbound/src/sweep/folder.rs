//! Hold a sweep's folder: its plan, its cells, what came of them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::plan::{Cell, Plan};
use super::result::{CellResult, Failure, results_csv};
use crate::run::{Disk, RunError, RunFolder, make_folder, try_lock, write_atomic};

const PLAN: &str = "sweep.json";
const LOCK: &str = ".sweep.lock";

/// A folder in which a sweep is made. Several machines may work on its cells at once: every cell's run
/// folder has a lock of its own, and results replace files as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepFolder(PathBuf);

/// Where a cell stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing was done.
    Waiting,
    /// Somebody is at it, or was; so many epochs are complete.
    Begun {
        /// Complete epochs.
        epochs: usize,
    },
    /// It was trained for longer than the plan says, so its model is another one.
    Beyond {
        /// Epochs, the last one perhaps in part.
        epochs: usize,
    },
    /// It is trained and scored.
    Done(Box<CellResult>),
    /// It cannot go on.
    Failed(Failure),
}

/// What stands in a sweep's way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The folder holds no plan.
    #[error(
        "{} holds no sweep (there is no {PLAN}): plan one with `tightbound sweep plan EXPERIMENT --out {}`",
        .0.display(), .0.display()
    )]
    NotASweep(PathBuf),
    /// Another process runs the sweep.
    #[error(
        "another process is running the sweep in {}: wait until it has ended, or stop it first",
        .0.display()
    )]
    Locked(PathBuf),
    /// A file of the sweep is not what it should be.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl SweepFolder {
    /// The folder at `path`, which need not be there.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether a plan was written.
    pub fn is_planned(&self) -> bool {
        self.0.join(PLAN).exists()
    }

    /// Makes the folder if need be, and writes the plan into it.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), SweepError> {
        for folder in ["cells", "results", "failures"] {
            self.make(folder)?;
        }
        self.write(&self.0.join(PLAN), plan)
    }

    /// Reads the plan.
    pub fn read_plan(&self) -> Result<Plan, SweepError> {
        let path = self.0.join(PLAN);
        let plan: Plan = self.read(&path)?.ok_or_else(|| SweepError::NotASweep(self.0.clone()))?;
        match plan.cells.iter().find(|cell| !cell.is_named_plainly()) {
            Some(Cell { id, .. }) => {
                let reason = format!("{id:?} is no name of a cell: plan again in another folder");
                Err(SweepError::Damaged { path, reason })
            }
            None => Ok(plan),
        }
    }

    /// Takes the right to run the sweep; it ends with the value or the process, however it ends.
    pub fn lock(&self) -> Result<File, SweepError> {
        let held = try_lock(&Disk, &self.0.join(LOCK))?;
        held.ok_or_else(|| SweepError::Locked(self.0.clone()))
    }

    /// The run folder of `cell`.
    pub fn run(&self, cell: &Cell) -> PathBuf {
        self.0.join("cells").join(&cell.id)
    }

    /// Where `cell` stands under `plan`.
    pub fn state(&self, plan: &Plan, cell: &Cell) -> Result<State, SweepError> {
        if let Some(result) = self.result(plan, cell)? {
            return Ok(State::Done(Box::new(result)));
        }
        if let Some(failure) = self.read(&self.failure_file(cell))? {
            return Ok(State::Failed(failure));
        }
        let run = self.run(cell);
        if !RunFolder::exists(&run) {
            return Ok(State::Waiting);
        }
        // A damaged checkpoint is the training's business.
        let position = RunFolder::position(&run).unwrap_or_default();
        Ok(match position.is_beyond(cell.settings.train.epochs) {
            true => State::Beyond { epochs: position.epoch + usize::from(position.batch > 0) },
            false => State::Begun { epochs: position.epoch },
        })
    }

    /// What came of `cell`, if all that `plan` asks of it is done.
    fn result(&self, plan: &Plan, cell: &Cell) -> Result<Option<CellResult>, SweepError> {
        let result: Option<CellResult> = self.read(&self.result_file(cell))?;
        Ok(result.filter(|result| result.answers(cell, &plan.score)))
    }

    /// Keeps what came of `cell`.
    pub fn finish(&self, cell: &Cell, result: &CellResult) -> Result<(), SweepError> {
        self.write(&self.result_file(cell), result)
    }

    /// Keeps why `cell` cannot go on.
    pub fn fail(&self, cell: &Cell, message: String) -> Result<(), SweepError> {
        self.write(&self.failure_file(cell), &Failure { id: cell.id.clone(), message })
    }

    /// Forgets that `cell` could not go on.
    pub fn forgive(&self, cell: &Cell) -> Result<(), SweepError> {
        let path = self.failure_file(cell);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RunError::storage("remove", &path)(error).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes `results.json` and `results.csv` of all cells that are done, in the plan's order, and
    /// returns the cells' results.
    pub fn gather<'a>(&self, plan: &'a Plan) -> Result<Vec<(&'a Cell, CellResult)>, SweepError> {
        let mut results = Vec::new();
        for cell in &plan.cells {
            if let Some(result) = self.result(plan, cell)? {
                results.push((cell, result));
            }
        }
        let all: Vec<&CellResult> = results.iter().map(|(_, result)| result).collect();
        self.write(&self.0.join("results.json"), &all)?;
        let pairs: Vec<_> = results.iter().map(|(cell, result)| (*cell, result)).collect();
        write_atomic(&Disk, &self.0.join("results.csv"), &results_csv(&pairs))?;
        Ok(results)
    }

    /// A folder of the sweep for other files, made if need be.
    pub fn make(&self, name: &str) -> Result<PathBuf, SweepError> {
        let path = self.0.join(name);
        make_folder(&Disk, &path)?;
        Ok(path)
    }

    fn result_file(&self, cell: &Cell) -> PathBuf {
        self.0.join("results").join(format!("{}.json", cell.id))
    }

    fn failure_file(&self, cell: &Cell) -> PathBuf {
        self.0.join("failures").join(format!("{}.json", cell.id))
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), SweepError> {
        let text = serde_json::to_string_pretty(value).expect("plain structures") + "\n";
        Ok(write_atomic(&Disk, path, text.as_bytes())?)
    }

    /// Reads a file of the sweep; none if it is not there.
    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>, SweepError> {
        match fs::read(path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(SweepError::Damaged {
                    path: path.to_owned(),
                    reason: format!("it cannot be understood ({error}): remove it, and run again"),
                }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(RunError::storage("read", path)(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::run::testing::{checkpoint, description};
    use crate::run::{CHECKPOINT, Position};
    use crate::sweep::{Budget, Scoring};

    /// A sweep with one cell of four epochs, whose training stands at `epoch` and `batch`.
    fn begun(epoch: usize, batch: usize) -> (TempDir, SweepFolder, Plan) {
        let home = tempdir().unwrap();
        let folder = SweepFolder::new(home.path());
        let plan = Plan {
            version: crate::VERSION.to_owned(),
            title: "One cell".into(),
            budget: Budget::Full,
            full_epochs: 4,
            full_cells: 1,
            seeds: 1,
            full_seeds: 1,
            score: Scoring::default(),
            full_score: Scoring::default(),
            cells: vec![Cell::new(description().settings)],
        };
        folder.write_plan(&plan).unwrap();
        let mut run = RunFolder::create(&folder.run(&plan.cells[0]), description()).unwrap();
        let mut checkpoint = checkpoint(run.description());
        checkpoint.position = Position { epoch, batch, ..Position::default() };
        run.save_checkpoint(&checkpoint).unwrap();
        (home, folder, plan)
    }

    /// A training that is killed leaves no model, only its checkpoints.
    #[test]
    fn checkpoints_tell_how_far_a_killed_training_came() {
        for (at, epochs, state) in [
            ((3, 0), 4, State::Begun { epochs: 3 }),
            ((3, 2), 4, State::Begun { epochs: 3 }),
            ((4, 0), 4, State::Begun { epochs: 4 }),
            ((3, 0), 3, State::Begun { epochs: 3 }),
            ((3, 2), 3, State::Beyond { epochs: 4 }),
            ((3, 0), 2, State::Beyond { epochs: 3 }),
        ] {
            let (_home, folder, mut plan) = begun(at.0, at.1);
            plan.cells[0].settings.train.epochs = epochs;
            assert_eq!(folder.state(&plan, &plan.cells[0]).unwrap(), state, "{at:?} of {epochs}");
        }
    }

    #[test]
    fn a_damaged_checkpoint_leaves_the_cell_begun() {
        let (_home, folder, plan) = begun(3, 0);
        fs::write(folder.run(&plan.cells[0]).join(CHECKPOINT), "torn").unwrap();
        let state = folder.state(&plan, &plan.cells[0]).unwrap();
        assert_eq!(state, State::Begun { epochs: 0 });
    }

    /// A name with a slash would lead out of the folder.
    #[test]
    fn cells_with_the_names_of_other_folders_are_refused() {
        let (_home, folder, mut plan) = begun(3, 0);
        assert_eq!(folder.read_plan().unwrap(), plan);
        for name in ["../../elsewhere", "/tmp/elsewhere", "..", "a\\b", "a\nCELLS", "$(id)", ""] {
            plan.cells[0].id = name.into();
            folder.write_plan(&plan).unwrap();
            let error = folder.read_plan().unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?} is no name of a cell")), "{error}");
        }
    }

    #[test]
    fn damaged_files_of_a_sweep_are_named() {
        let (_home, folder, plan) = begun(3, 0);
        let cell = &plan.cells[0];
        for path in [folder.failure_file(cell), folder.result_file(cell)] {
            fs::write(&path, "{\"id\": 3}").unwrap();
            let error = folder.state(&plan, cell).unwrap_err().to_string();
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            assert!(
                error.contains("cannot be understood") && error.contains("remove it"),
                "{error}"
            );
        }
    }
}
