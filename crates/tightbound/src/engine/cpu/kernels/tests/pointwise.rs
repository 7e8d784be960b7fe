//! Hold the nonlinearities and their derivatives against f64.

use super::support::{ROUNDING, assert_close, normals, on_all_paths, sigmoid, softplus};
use crate::engine::cpu::kernels::{
    ActivationBackward, ActivationForward, SigmaBackward, SigmaForward,
};
use crate::model::{Activation, Sigma};

/// A function is within 4 ulp, each at most two roundings; a slope computed from that value doubles
/// its error, and the product with the gradient rounds once.
const TOLERANCE: f64 = 18.0 * ROUNDING;

const ACTIVATIONS: [Activation; 3] = [Activation::Tanh, Activation::Relu, Activation::Softplus];

/// Arguments of ordinary size, some small and large ones, and zeros.
fn arguments() -> Vec<f32> {
    let mut x: Vec<f32> = normals(1, 160).iter().map(|x| 3.0 * x).collect();
    x[..8].copy_from_slice(&[0.0, -0.0, 30.0, -30.0, 80.0, -80.0, 1e-20, -1e-20]);
    x
}

#[test]
fn activations_and_their_slopes() {
    let (y, gradient) = (arguments(), normals(2, 160));
    for activation in ACTIVATIONS {
        let h = &on_all_paths(&y, |path, h| path.run(ActivationForward { activation, h }))[..];
        let d =
            on_all_paths(&gradient, |path, d| path.run(ActivationBackward { activation, h, d }));
        for (i, &y) in y.iter().enumerate() {
            let (x, g) = (f64::from(y), f64::from(gradient[i]));
            // The slope of tanh is a difference, 1 − h²: its error is relative to 1.
            let (value, slope, size) = match activation {
                Activation::Tanh => (x.tanh(), x.cosh().powi(-2), 1.0),
                Activation::Relu => (x.max(0.0), f64::from(x > 0.0), 0.0),
                Activation::Softplus => (softplus(x), sigmoid(x), sigmoid(x)),
            };
            let what = format!("{activation:?}({y:e})");
            assert_close(h[i], value, TOLERANCE * value.abs(), &what);
            assert_close(d[i], g * slope, TOLERANCE * g.abs() * size, &what);
        }
    }
}

#[test]
fn activations_do_not_hide_nan() {
    let mut y = [0.5; 32];
    y[17] = f32::NAN;
    for activation in ACTIVATIONS {
        let h = on_all_paths(&y, |path, h| path.run(ActivationForward { activation, h }));
        assert_eq!(h.iter().position(|h| h.is_nan()), Some(17), "{activation:?}");
    }
}

#[test]
fn sigma_and_its_slope() {
    let (raw, gradient) = (&arguments()[..], normals(2, 160));
    for sigma in [Sigma::Exp, Sigma::Softplus] {
        let sd = &on_all_paths(raw, |path, sd| path.run(SigmaForward { sigma, raw, sd }))[..];
        let d = on_all_paths(&gradient, |path, d| path.run(SigmaBackward { sigma, raw, sd, d }));
        for (i, &raw) in raw.iter().enumerate() {
            let (x, g) = (f64::from(raw), f64::from(gradient[i]));
            let (value, slope) = match sigma {
                Sigma::Exp => (x.exp(), x.exp()),
                Sigma::Softplus => (softplus(x), sigmoid(x)),
            };
            let what = format!("{sigma:?}({raw:e})");
            assert_close(sd[i], value, TOLERANCE * value, &what);
            assert_close(d[i], g * slope, TOLERANCE * (g * slope).abs(), &what);
        }
    }
}
