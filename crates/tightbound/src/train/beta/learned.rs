//! Learn β = sigmoid(ξ) with an optimiser of its own.
//!
//! The combined bound is C(β) = β ELBO + (1−β) L_K, so ∂C/∂β = ELBO − L_K, which Jensen's inequality
//! keeps at or below zero for every image and every draw. No data can tell a good β from a bad one
//! this way; the sign alone decides:
//!
//! - `maximise` climbs C. Its gradient never points up, so β falls towards 0: IWAE.
//! - `eq16` descends C, as Eq. 16 of the reproduction report prints it, so β rises towards 1: VAE.
//!
//! The report's code moves a raw scalar, which leaves [0, 1] and has no limit; through the
//! sigmoid β stays inside, and the closer it comes to its end the slower it moves.

use crate::engine::Adam;
use crate::run::LearnedState;
use crate::settings::BetaObjective;

/// The learning rate of ξ in the first stage; it falls down the same ladder as the networks'.
pub const BETA_RATE: f64 = 1e-3;

/// Adam's settings for ξ: the defaults of Kingma & Ba 2015, whatever the networks use.
const ADAM: Adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/// A β that is being learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnedBeta {
    state: LearnedState,
    /// +1 climbs the bound, −1 descends it.
    direction: f64,
}

impl LearnedBeta {
    /// Starts at `beta`, strictly between 0 and 1 (at the ends the sigmoid is flat and β could
    /// never move). `None` where the objective is not to learn β.
    pub fn start(objective: BetaObjective, beta: f64) -> Option<Self> {
        let xi = libm::log(beta / (1.0 - beta));
        Self::restore(
            objective,
            LearnedState { xi, first_moment: 0.0, second_moment: 0.0, step: 0 },
        )
    }

    /// Goes on from a checkpoint's state. `None` where the objective is not to learn β.
    pub fn restore(objective: BetaObjective, state: LearnedState) -> Option<Self> {
        let direction = match objective {
            BetaObjective::Maximise => 1.0,
            BetaObjective::Eq16 => -1.0,
            BetaObjective::Fixed | BetaObjective::Snr | BetaObjective::Validation => return None,
        };
        Some(Self { state, direction })
    }

    /// What a checkpoint keeps.
    pub fn state(&self) -> LearnedState {
        self.state
    }

    /// β now, in [0, 1].
    pub fn value(&self) -> f64 {
        1.0 / (1.0 + libm::exp(-self.state.xi))
    }

    /// Makes one step of Adam, given ∂bound/∂β and the ladder's decay (1 in the first stage).
    pub fn step(&mut self, d_beta: f64, decay: f64) {
        let beta = self.value();
        let gradient = self.direction * d_beta * beta * (1.0 - beta);
        let s = &mut self.state;
        s.step += 1;
        s.first_moment = ADAM.beta1 * s.first_moment + (1.0 - ADAM.beta1) * gradient;
        s.second_moment = ADAM.beta2 * s.second_moment + (1.0 - ADAM.beta2) * gradient * gradient;
        let first = s.first_moment / (1.0 - libm::pow(ADAM.beta1, s.step as f64));
        let second = s.second_moment / (1.0 - libm::pow(ADAM.beta2, s.step as f64));
        s.xi += BETA_RATE * decay * first / (libm::sqrt(second) + ADAM.epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps with gradients as Jensen's inequality allows them: never above zero.
    fn after(objective: BetaObjective, start: f64, steps: u32) -> LearnedBeta {
        let mut beta = LearnedBeta::start(objective, start).unwrap();
        for i in 0..steps {
            beta.step(-f64::from(i % 7), 1.0);
        }
        beta
    }

    #[test]
    fn maximising_ends_at_zero_and_equation_16_at_one() {
        for start in [0.05, 0.5, 0.95] {
            let mut last = start;
            for steps in [1000, 5000, 20_000] {
                let beta = after(BetaObjective::Maximise, start, steps).value();
                assert!((0.0..last).contains(&beta), "{start}: {last} → {beta}");
                last = beta;
            }
            assert!(last < 0.01);
            let beta = after(BetaObjective::Eq16, start, 20_000).value();
            assert!(beta > 0.99 && beta <= 1.0, "{start} → {beta}");
        }
    }

    #[test]
    fn the_two_objectives_mirror_each_other() {
        let up = after(BetaObjective::Eq16, 0.3, 100);
        let down = after(BetaObjective::Maximise, 0.7, 100);
        assert!((up.value() + down.value() - 1.0).abs() < 1e-12);
    }

    /// Adam's first step is the rate against the gradient's sign, whatever its size (ε apart).
    #[test]
    fn the_first_step_moves_xi_by_the_rate() {
        let mut beta = LearnedBeta::start(BetaObjective::Maximise, 0.5).unwrap();
        beta.step(-4.0, 0.25);
        // ε is 1e-8 beside a gradient of 1.
        assert!((beta.state().xi + 0.25 * BETA_RATE).abs() < 1e-11);
        assert_eq!(LearnedBeta::start(BetaObjective::Fixed, 0.5), None);
    }

    #[test]
    fn a_restored_beta_goes_on_bit_for_bit() {
        let whole = after(BetaObjective::Eq16, 0.2, 50);
        let state = serde_json::to_string(&whole.state()).unwrap();
        let state = serde_json::from_str(&state).unwrap();
        assert_eq!(LearnedBeta::restore(BetaObjective::Eq16, state), Some(whole));
    }

    #[test]
    fn it_stays_within_bounds_for_ever() {
        for xi in [-800.0, 800.0] {
            let state = LearnedState { xi, first_moment: 0.0, second_moment: 0.0, step: 9 };
            let mut beta = LearnedBeta::restore(BetaObjective::Eq16, state).unwrap();
            beta.step(-1e9, 1.0);
            assert!((0.0..=1.0).contains(&beta.value()) && beta.state().xi.is_finite());
        }
    }
}
