//! Say how fast to learn in each epoch, and after which epochs to score.

use crate::settings::TrainSettings;

/// The ladder of learning rates of Burda et al. 2016.
///
/// ```text
/// stage i = 0, …, n−1 lasts 3^i epochs at the rate  first · 10^(−i/(n−1))
/// ```
///
/// With the eight stages of the papers: 1, 3, 9, …, 2187 epochs, 3280 in all, the rate falling from
/// 10⁻³ to 10⁻⁴. A training of fewer epochs is the beginning of a longer one; epochs beyond the
/// last stage keep its rate. Epochs are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ladder {
    first: f64,
    stages: usize,
}

impl Ladder {
    /// The ladder of the settings.
    pub fn new(settings: &TrainSettings) -> Self {
        Self { first: settings.rate, stages: settings.stages.max(1) }
    }

    /// The learning rate of an epoch.
    pub fn rate_at(&self, epoch: usize) -> f64 {
        self.first * self.decay_at(epoch)
    }

    /// The rate's ratio to the first stage's: 10^(−i/(n−1)).
    pub fn decay_at(&self, epoch: usize) -> f64 {
        match self.stage_of(epoch) {
            0 => 1.0,
            stage => libm::pow(10.0, -(stage as f64) / (self.stages - 1) as f64),
        }
    }

    /// The last epochs of the stages: 1, 4, 13, 40, 121, 364, 1093, 3280.
    pub fn stage_ends(&self) -> impl Iterator<Item = usize> + use<> {
        let mut length = 1usize;
        let mut end = 0usize;
        (0..self.stages).map(move |_| {
            end = end.saturating_add(length);
            length = length.saturating_mul(3);
            end
        })
    }

    /// The stage, from 0, that `epoch` belongs to.
    fn stage_of(&self, epoch: usize) -> usize {
        self.stage_ends().position(|end| epoch <= end).unwrap_or(self.stages - 1)
    }

    /// Whether the model is scored after `epoch`: every `eval_every` epochs, or (0) after epochs
    /// 1, 2, 4, 8, … and at the ends of stages; after the last epoch always.
    pub fn is_evaluation_due(&self, epoch: usize, settings: &TrainSettings) -> bool {
        let scheduled = match settings.eval_every {
            0 => epoch.is_power_of_two() || self.stage_ends().any(|end| end == epoch),
            every => epoch.is_multiple_of(every),
        };
        scheduled || epoch == settings.epochs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing::description;

    fn papers() -> (Ladder, TrainSettings) {
        let settings = TrainSettings { epochs: 3280, ..description().settings.train };
        (Ladder::new(&settings), settings)
    }

    #[test]
    fn stages_end_where_the_papers_say() {
        let ends: Vec<usize> = papers().0.stage_ends().collect();
        assert_eq!(ends, [1, 4, 13, 40, 121, 364, 1093, 3280]);
    }

    #[test]
    fn rates_fall_from_a_thousandth_to_a_tenth_of_it() {
        let (ladder, _) = papers();
        let mut begin = 1;
        for (i, end) in ladder.stage_ends().enumerate() {
            // Decimal logarithms: a path to the same number that shares no code.
            let expected = -3.0 - i as f64 / 7.0;
            for epoch in [begin, end] {
                let rate = ladder.rate_at(epoch);
                assert!((rate.log10() - expected).abs() < 1e-14, "epoch {epoch}: {rate}");
            }
            begin = end + 1;
        }
        assert_eq!(ladder.rate_at(1), 1e-3);
        assert!((ladder.rate_at(3280) - 1e-4).abs() < 1e-19);
        assert_eq!(ladder.rate_at(3281), ladder.rate_at(3280));
        assert_eq!(ladder.rate_at(usize::MAX), ladder.rate_at(3280));
    }

    #[test]
    fn one_stage_is_a_constant_rate_and_many_stages_do_not_overflow() {
        let mut settings = papers().1;
        settings.stages = 1;
        let ladder = Ladder::new(&settings);
        assert_eq!((ladder.rate_at(1), ladder.rate_at(500)), (1e-3, 1e-3));
        settings.stages = 100;
        assert_eq!(Ladder::new(&settings).stage_ends().last(), Some(usize::MAX));
    }

    #[test]
    fn scores_come_at_powers_of_two_stage_ends_and_the_end() {
        let (ladder, mut settings) = papers();
        let due = |settings: &TrainSettings| -> Vec<usize> {
            (1..=settings.epochs).filter(|&e| ladder.is_evaluation_due(e, settings)).collect()
        };
        settings.epochs = 50;
        assert_eq!(due(&settings), [1, 2, 4, 8, 13, 16, 32, 40, 50]);
        settings.eval_every = 20;
        assert_eq!(due(&settings), [20, 40, 50]);
    }
}
