//! Show that neither threads nor instructions change a bit.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::{Engine, Objective, Prune};
use tightbound::model::{Activation, Sigma};

use super::support::{Case, Unrelated, small};

/// Images and samples: several images in a group; one in a group, several groups in a wave and several
/// waves, whose number depends on the threads; one that goes forward twice.
const SHAPES: [(usize, usize); 3] = [(11, 9), (7, 130), (2, 1600)];

#[test]
fn threads_and_paths_do_not_change_a_bit() {
    for (images, samples) in SHAPES {
        let case = Case::new(small(Activation::Softplus, Sigma::Softplus), images, 15);
        let (estimator, noise) = (Unrelated(samples), case.noise);
        let objective = Objective { estimator: &estimator, noise, prune: Prune::Lossless };
        let mut expected: Option<(Vec<f32>, Vec<f64>)> = None;
        for path in KernelPath::available() {
            for threads in [1, 2, 3, 5, 8] {
                let mut engine = case.cpu(path, threads);
                let mut gradient = vec![0.0; case.parameters.len()];
                engine.gradient(&case.parameters, case.batch(), objective, &mut gradient).unwrap();
                let mut out = vec![0.0; images * 300];
                engine.log_weights(&case.parameters, case.batch(), noise, 50..350, &mut out);
                let result = (gradient, out);
                let expected = expected.get_or_insert_with(|| result.clone());
                assert!(*expected == result, "S = {samples}: {path} with {threads} threads");
            }
        }
    }
}
