# /// script
# requires-python = ">=3.11"
# dependencies = ["arviz==0.23.4", "numpy==2.4.6", "scikit-image==0.26.0", "scipy==1.17.1"]
# ///
"""Write what other libraries make of images and of importance weights, as oracles of `evaluate`.

    pip install arviz==0.23.4 numpy==2.4.6 scikit-image==0.26.0 scipy==1.17.1
    python figures.py
        rewrites figures.json beside this script

The file holds two lists:

    images   pairs a, b of [height, width] bytes in hex, pixel = f32(byte / 255), and their structural
             similarity: `valid` by scikit-image, `zero_padded` by SciPy's convolution
    weights  log-weights by formula (`log_weights` below; the test has the same one), and `k`, the Pareto
             shape by ArviZ; null where that is infinite or NaN
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    import arviz

HERE = Path(__file__).resolve().parent


def zero_padded(a, b):
    """Structural similarity by five dense convolutions with an 11 x 11 window and zeros around."""
    distance = np.arange(-5, 6)
    window = np.exp(-(distance[:, None] ** 2 + distance[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def local(image):
        return convolve2d(image, window, mode="same", boundary="fill", fillvalue=0)

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    cov = local(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    return (top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean()


def valid(a, b):
    return structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1
    )


def images():
    """Binary images against the probabilities that a model might give, and harder ones."""
    rng = np.random.default_rng(5)

    def blob(height, width, y, x, radius):
        down, across = np.mgrid[:height, :width]
        return 1 / (1 + np.exp(np.hypot(down - y, across - x) - radius))

    def binary(probability):
        return (rng.random(probability.shape) < probability).astype(float)

    digit, wide = blob(28, 28, 13, 15, 7), blob(17, 23, 6, 15, 5)
    ramp = np.linspace(0, 1, 28 * 28).reshape(28, 28)
    pairs = {
        "binary and its probabilities": (binary(digit), digit),
        "binary and another's": (binary(digit), blob(28, 28, 16, 11, 5)),
        "not square": (binary(wide), wide),
        "smallest": (binary(wide)[:11, 4:15], wide[:11, 4:15]),
        "noise and a ramp": (rng.random((28, 28)), ramp),
        "negative": (ramp, 1 - ramp),
        "black and white": (np.zeros((12, 13)), np.ones((12, 13))),
    }
    for name, pair in pairs.items():
        pixels = [np.rint(255 * image).astype(np.uint8) for image in pair]
        a, b = ((image.astype(np.float32) / np.float32(255)).astype(float) for image in pixels)
        height, width = a.shape
        yield {
            "name": name,
            "height": height,
            "width": width,
            "a": pixels[0].tobytes().hex(),
            "b": pixels[1].tobytes().hex(),
            "valid": float(valid(a, b)),
            "zero_padded": float(zero_padded(a, b)),
        }


def log_weights(kind, scale, samples, seed, zeros):
    """One log-weight per draw of a 64-bit congruential generator (normal: per twelve).

    With `zeros` = n > 0 every n-th log-weight, from the first on, is -inf.
    """
    state = seed

    def uniform():
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return ((state >> 11) + 0.5) / 2**53

    match kind:
        case "pareto":  # tails of shape k = scale
            values = [-scale * math.log(uniform()) for _ in range(samples)]
        case "bounded":  # k = -scale
            values = [math.log1p(-(uniform() ** scale)) for _ in range(samples)]
        case "normal":
            values = [scale * (sum(uniform() for _ in range(12)) - 6) for _ in range(samples)]
        case "tied":  # 64 values only
            values = [scale * math.floor(64 * uniform()) for _ in range(samples)]
    return [-math.inf if zeros and i % zeros == 0 else l - 90 for i, l in enumerate(values)]


def weights():
    sizes = [30, 100, 5000, 12345]
    cases = [(kind, scale, samples, 0) for samples in sizes
             for kind, scale in [("pareto", 0.3), ("pareto", 0.8), ("pareto", 2.5), ("bounded", 0.5),
                                 ("normal", 1.0), ("normal", 8.0)]]
    cases += [("pareto", 0.8, 5000, 3), ("pareto", 0.8, 100, 1), ("normal", 1.0, 5000, 2)]
    # Tails that reach below the smallest weight; the last one leaves fewer than five above it.
    cases += [("pareto", 150.0, 5000, 0), ("pareto", 200.0, 5000, 2), ("pareto", 5000.0, 5000, 0)]
    cases += [("pareto", 0.8, samples, 0) for samples in (2, 20, 21, 25)]
    cases += [("tied", 0.1, 5000, 0), ("tied", 0.1, 12345, 0), ("tied", 0.0, 100, 0)]
    for seed, (kind, scale, samples, zeros) in enumerate(cases):
        l = np.array(log_weights(kind, scale, samples, seed, zeros))
        with np.errstate(all="ignore"):
            k = float(arviz.psislw(l)[1])
        yield {"kind": kind, "scale": scale, "samples": samples, "seed": seed, "zeros": zeros,
               "k": k if math.isfinite(k) else None}


def main():
    def lines(entries):
        return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]"

    path = HERE / "figures.json"
    path.write_text(f'{{"images": {lines(images())},\n"weights": {lines(weights())}}}\n')
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
