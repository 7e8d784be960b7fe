//! Show that neither threads nor instructions change a bit.

use tightbound::engine::cpu::KernelPath;
use tightbound::engine::{Engine, Objective, Prune, Threshold};
use tightbound::model::{Activation, Sigma};

use super::support::{Case, Unrelated, small};

/// Images and samples: several images in a group; one in a group, several groups in a wave and several
/// waves, whose number depends on the threads; one that goes forward twice.
const SHAPES: [(usize, usize); 3] = [(11, 9), (7, 130), (2, 1600)];

fn bits(gradient: &[f32]) -> Vec<u32> {
    gradient.iter().map(|g| g.to_bits()).collect()
}

fn roulette(tau: f64) -> Prune {
    Prune::Roulette(Threshold::new(tau).expect("positive"))
}

#[test]
fn threads_and_paths_do_not_change_a_bit() {
    for ((images, samples), prune) in SHAPES
        .into_iter()
        .flat_map(|shape| [Prune::Lossless, roulette(0.6)].map(|prune| (shape, prune)))
    {
        let case = Case::new(small(Activation::Softplus, Sigma::Softplus), images, 15);
        let (estimator, noise) = (Unrelated(samples), case.noise);
        let objective = Objective { estimator: &estimator, noise, prune };
        let mut expected = None;
        for path in KernelPath::available() {
            for threads in [1, 2, 3, 5, 8] {
                let mut engine = case.cpu(path, threads);
                let mut gradient = vec![0.0; case.parameters.len()];
                let report = engine
                    .gradient(&case.parameters, case.batch(), objective, &mut gradient)
                    .expect("finite");
                // The roulette leaves gaps between the rows that stay.
                assert!((report.kept_fraction < 0.7) == (prune != Prune::Lossless));
                let mut out = vec![0.0; images * 300];
                engine.log_weights(&case.parameters, case.batch(), noise, 50..350, &mut out);
                let out: Vec<u64> = out.into_iter().map(f64::to_bits).collect();
                let result = (bits(&gradient), out);
                let expected = expected.get_or_insert_with(|| result.clone());
                assert!(*expected == result, "S = {samples}, {prune}: {path}, {threads} threads");
            }
        }
    }
}

/// Buffers are kept from call to call. Whatever came before, shapes, failures and samples that all
/// went included, an engine computes what a new one does.
#[test]
fn earlier_calls_do_not_change_a_bit() {
    let architecture = small(Activation::Tanh, Sigma::Exp);
    let cases = [11, 2, 1, 7, 3].map(|images| Case::new(architecture.clone(), images, 16));
    let mut broken = Case::new(architecture.clone(), 4, 16);
    broken.parameters.fill(f32::NAN);
    let [eleven, two, one, seven, three] = &cases;
    let calls = [
        (eleven, 9, Prune::Off),
        (two, 1600, Prune::Lossless),
        (one, 1, Prune::Off),
        (seven, 130, roulette(0.6)),
        (two, 1600, roulette(1e9)),
        (three, 40, roulette(1e9)),
        (&broken, 20, Prune::Off),
        (eleven, 9, Prune::Lossless),
    ];
    let mut old = eleven.cpu(KernelPath::fastest(), 2);
    for (case, samples, prune) in calls {
        let (estimator, noise) = (Unrelated(samples), case.noise);
        let objective = Objective { estimator: &estimator, noise, prune };
        let [after, alone] = [&mut old, &mut case.cpu(KernelPath::fastest(), 2)].map(|engine| {
            let mut gradient = vec![0.5; case.parameters.len()];
            let report = engine.gradient(&case.parameters, case.batch(), objective, &mut gradient);
            (bits(&gradient), report.map(|report| report.kept_fraction).ok())
        });
        assert!(after == alone, "S = {samples}, {prune}: {:?} kept", after.1);
        assert_eq!(alone.1.is_none(), case.parameters[0].is_nan());
    }
}
