//! Hold the β of a training, whatever moves it.

use super::learned::LearnedBeta;
use crate::run::BetaState;
use crate::settings::BetaObjective;

/// A β that does not stay where the settings put it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::train) enum MovingBeta {
    /// A step of Adam for every step of the networks.
    Learned(LearnedBeta),
    /// Chosen before an epoch, and kept until the next choice.
    Chosen(f64),
}

impl MovingBeta {
    /// Starts at `beta`. `None` under [`BetaObjective::Fixed`].
    pub(in crate::train) fn start(objective: BetaObjective, beta: f64) -> Option<Self> {
        match objective {
            BetaObjective::Fixed => None,
            BetaObjective::Snr | BetaObjective::Validation => Some(Self::Chosen(beta)),
            _ => LearnedBeta::start(objective, beta).map(Self::Learned),
        }
    }

    /// Goes on from a checkpoint's state. `None` if it belongs to another objective.
    pub(in crate::train) fn restore(objective: BetaObjective, state: BetaState) -> Option<Self> {
        match (objective, state) {
            (_, BetaState::Learned(state)) => {
                LearnedBeta::restore(objective, state).map(Self::Learned)
            }
            (BetaObjective::Snr | BetaObjective::Validation, BetaState::Chosen(beta)) => {
                Some(Self::Chosen(beta))
            }
            _ => None,
        }
    }

    /// What a checkpoint keeps.
    pub(in crate::train) fn state(&self) -> BetaState {
        match self {
            Self::Learned(beta) => BetaState::Learned(beta.state()),
            Self::Chosen(beta) => BetaState::Chosen(*beta),
        }
    }

    /// β now, in [0, 1].
    pub(in crate::train) fn value(&self) -> f64 {
        match self {
            Self::Learned(beta) => beta.value(),
            Self::Chosen(beta) => *beta,
        }
    }

    /// Makes one step of a learned β, given ∂bound/∂β and the ladder's decay.
    pub(in crate::train) fn step(&mut self, d_beta: f64, decay: f64) {
        if let Self::Learned(beta) = self {
            beta.step(d_beta, decay);
        }
    }
}
