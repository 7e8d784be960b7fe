"""Compare a peer's bounds and gradients with exact ones, before it is timed.

The file holds parameters, pixels and noise, and the gradients that an f64 engine gets from them
(`LABEL/reference/NAME` by tightbound's reference engine, `LABEL/gradient/NAME` by PyTorch in f64).
"""

import json

import numpy as np
from safetensors import safe_open

# Relative L2 error of a whole gradient in f32: log-weights of some hundred nats are rounded by 1e-5 nats,
# and the weights exp(log w) by as much of themselves. A wrong formula is off by 1e-2 and more.
GRADIENT = 5e-5
# Relative error of a bound: sums of 784 terms in f32.
BOUND = 1e-5


def read(path):
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["case"]), {n: file.get_tensor(n) for n in file.keys()}


def distance(pairs):
    """Relative L2 distance of (value, truth) pairs taken as one vector."""
    error = sum(float(((np.asarray(v, np.float64) - t) ** 2).sum()) for v, t in pairs)
    return (error / sum(float((t**2).sum()) for _, t in pairs)) ** 0.5


def compare(peer, path):
    """Errors per bound; refuses what no rounding explains. Bounds the peer lacks are left out."""
    case, tensors = read(path)
    names = [n.removeprefix("parameter/") for n in tensors if n.startswith("parameter/")]
    source = "reference" if any("/reference/" in n for n in tensors) else "gradient"
    results = {}
    for system in case["systems"]:
        label = system["label"]
        settings = {"work": "step", "label": label, "estimator": system["estimator"], "architecture": case["architecture"]}
        if not peer.supports(settings):
            continue
        bound, gradient = peer.check(settings, tensors)
        truth = {n: tensors[f"{label}/{source}/{n}"] for n in names}
        exact = tensors[f"{label}/reference/bound" if source == "reference" else f"{label}/bound"][0]
        result = {
            "bound_error": 0.0 if bound is None else abs(float(bound) - exact) / abs(float(exact)),
            "gradient_norm": sum(float((np.asarray(gradient[n]) ** 2).sum()) for n in names) ** 0.5,
            "exact_gradient_norm": sum(float((t**2).sum()) for t in truth.values()) ** 0.5,
            "gradient_error": distance([(gradient[n], truth[n]) for n in names]),
        }
        if not (result["bound_error"] < BOUND and result["gradient_error"] < GRADIENT):
            raise ValueError(f"{label} is wrong: {result}")
        results[label] = result
    return results
