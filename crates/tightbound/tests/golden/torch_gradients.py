# /// script
# requires-python = ">=3.11"
# dependencies = ["torch==2.8.0", "numpy==2.4.6", "safetensors==0.8.0"]
# ///
"""Differentiate every bound with PyTorch autograd, as the oracle of the engines' gradients.

    python torch_gradients.py golden
        rewrites the golden files beside this script (inputs by the Rust example `gradients`)
    python torch_gradients.py errors [--sigma exp|softplus] init [MODEL ...]
        prints, for the reference model at its start and for trained `model.safetensors` files, the
        error of the cpu engine's f32 gradients and of PyTorch's own, both against PyTorch in f64;
        on the way every MODEL must pass `load_state_dict(strict=True)`

Inputs and outputs share one safetensors file. The header's one entry `case` is JSON; tensors:

    parameter/NAME    f32            the model, under its state_dict names
    pixels            u8  [B, D]     0 or 1
    noise             f32 [B, S, L]  epsilon, z = mu + sigma * epsilon
    log_weights       f64 [B, S]     log p(x, z) - log q(z|x)
    LABEL/bound       f64 [3]        mean over images: the bound of theta, of phi, and d bound/d beta
    LABEL/gradient/NAME   f64        gradient of the mean bound (ascent)
"""

import argparse
import json
import math
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributions import Normal
from torch.nn import functional as F

HERE = Path(__file__).resolve().parent


def softplus():
    # The default threshold of 20 would cut off e^-20 = 2e-9.
    return nn.Softplus(threshold=100)


ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "softplus": softplus}
SIGMAS = {"exp": torch.exp, "softplus": lambda x: F.softplus(x, threshold=100)}


class Vae(nn.Module):
    """MLP encoder and decoder, q(z|x) = N(mu, sigma^2), prior N(0, I), Bernoulli pixels."""

    def __init__(self, architecture):
        super().__init__()
        activation = ACTIVATIONS[architecture["activation"]]
        self.to_sd = SIGMAS[architecture["sigma"]]
        pixels, latents = architecture["pixels"], architecture["latents"]

        def hidden(widths):
            pairs = zip(widths, widths[1:])
            return [module for i, o in pairs for module in (nn.Linear(i, o), activation())]

        encoder = [pixels, *architecture["encoder"]]
        decoder = [latents, *architecture["decoder"]]
        self.encoder = nn.Sequential(*hidden(encoder))
        self.mu = nn.Linear(encoder[-1], latents)
        self.sigma = nn.Linear(encoder[-1], latents)
        self.decoder = nn.Sequential(*hidden(decoder), nn.Linear(decoder[-1], pixels))

    def log_weights(self, pixels, noise):
        """log w [B, S] of pixels [B, D] and noise [B, S, L], reparametrised."""
        h = self.encoder(pixels)
        mean, sd = self.mu(h).unsqueeze(1), self.to_sd(self.sigma(h)).unsqueeze(1)
        z = mean + sd * noise
        logits = self.decoder(z)
        target = pixels.unsqueeze(1).expand_as(logits)
        log_likelihood = -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
        return log_likelihood + (Normal(0.0, 1.0).log_prob(z) - Normal(mean, sd).log_prob(z)).sum(-1)


def grouped(log_weights, m, k):
    """L_{M,K}: mean over images and M groups of log (1/K) sum_k w, with s = m*K + k."""
    groups = log_weights.reshape(-1, m, k)
    return (groups.logsumexp(-1) - math.log(k)).mean()


def objectives(estimator, log_weights, beta):
    """The mean bounds that theta and phi climb."""
    m, k = estimator["m"], estimator["k"]
    match estimator["name"]:
        case "vae":
            bound = log_weights.mean()
        case "iwae":
            bound = grouped(log_weights, 1, k)
        case "miwae":
            bound = grouped(log_weights, m, k)
        case "piwae":
            return grouped(log_weights, 1, m * k), grouped(log_weights, m, k)
        case "ciwae":
            bound = beta * log_weights.mean() + (1 - beta) * grouped(log_weights, 1, k)
        case name:
            raise SystemExit(f"no formula for the estimator `{name}`")
    return bound, bound


def differentiate(case, tensors, dtype):
    """All outputs of one case, computed in `dtype`."""
    model = Vae(case["architecture"])
    parameters = {n.removeprefix("parameter/"): t for n, t in tensors.items() if n.startswith("parameter/")}
    model.load_state_dict(parameters, strict=True)
    model = model.to(dtype)
    encoder = [(n, p) for n, p in model.named_parameters() if not n.startswith("decoder.")]
    decoder = [(n, p) for n, p in model.named_parameters() if n.startswith("decoder.")]
    log_weights = model.log_weights(tensors["pixels"].to(dtype), tensors["noise"].to(dtype))
    outputs = {"log_weights": log_weights.detach()}
    for system in case["systems"]:
        label, estimator = system["label"], system["estimator"]
        beta = torch.tensor(estimator.get("beta") or 0.0, dtype=dtype, requires_grad=True)
        theta, phi = objectives(estimator, log_weights, beta)
        for objective, network in ((theta, decoder), (phi, encoder)):
            gradients = torch.autograd.grad(objective, [p for _, p in network], retain_graph=True)
            outputs |= {f"{label}/gradient/{n}": g for (n, _), g in zip(network, gradients)}
        (d_beta,) = torch.autograd.grad(theta, beta, allow_unused=True, materialize_grads=True, retain_graph=True)
        outputs[f"{label}/bound"] = torch.stack([theta.detach(), phi.detach(), d_beta])
    return outputs


def read(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["case"]), {name: file.get_tensor(name) for name in file.keys()}


def run_example(*arguments):
    command = ["cargo", "run", "--release", "--package", "tightbound", "--example", "gradients", "--"]
    subprocess.run([*command, *map(str, arguments)], cwd=HERE, check=True)


def golden():
    """Writes the inputs with the Rust example and adds the outputs in f64."""
    run_example("golden", HERE)
    for path in sorted(HERE.glob("*.safetensors")):
        case, tensors = read(path)
        outputs = differentiate(case, tensors, torch.float64)
        metadata = {"case": json.dumps(case, ensure_ascii=False)}
        save_file(tensors | outputs, path, metadata=metadata)
        print(f"{path.name}: {path.stat().st_size} bytes")


def relative(value, truth):
    """L2 norm of the error over that of the truth."""
    return ((value.double() - truth).norm() / truth.norm()).item()


def errors(title, case, tensors):
    """Prints one table: tensors down, systems across, each cell cpu / PyTorch f32 = ratio."""
    truth = differentiate(case, tensors, torch.float64)
    single = differentiate(case, tensors, torch.float32)
    names = [n.removeprefix("parameter/") for n in tensors if n.startswith("parameter/")]
    names.sort(key=lambda n: (n.startswith("decoder"), n))
    labels = [system["label"] for system in case["systems"]]
    batch, samples, _ = tensors["noise"].shape
    print(f"\n### {title}: B = {batch}, S = {samples}, relative L2 error against f64\n")
    print("Each cell: cpu / PyTorch f32 = ratio.\n")
    print("| tensor | " + " | ".join(labels) + " |")
    print("|---" * (len(labels) + 1) + "|")
    cells = {}
    for name in names:
        for label in labels:
            exact = truth[f"{label}/gradient/{name}"]
            cpu = relative(tensors[f"{label}/cpu/{name}"], exact)
            cells[name, label] = cpu, relative(single[f"{label}/gradient/{name}"], exact)
        row = [f"{c:.1e} / {t:.1e} = {c / t:.2f}" for c, t in (cells[name, label] for label in labels)]
        print(f"| {name} | " + " | ".join(row) + " |")
    keys = [(name, label) for name in names for label in labels]
    largest = max(keys, key=lambda key: cells[key][0])
    steepest = max(keys, key=lambda key: cells[key][0] / cells[key][1])
    reference = max(relative(tensors[f"{l}/reference/{n}"], truth[f"{l}/gradient/{n}"]) for n, l in keys)
    bound = max((tensors[f"{l}/cpu/bound"] - truth[f"{l}/bound"]).abs().max().item() for l in labels)
    print(f"\n- largest cpu error: {cells[largest][0]:.2e} ({' of '.join(largest)}); bar 2e-5")
    print(f"- largest ratio: {cells[steepest][0] / cells[steepest][1]:.2f} ({' of '.join(steepest)}); bar 1.5")
    print(f"- largest error of a bound: cpu {bound:.1e} nats")
    print(f"- largest difference of the reference engine from PyTorch f64: {reference:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    modes.add_parser("golden")
    mode = modes.add_parser("errors")
    mode.add_argument("--sigma", choices=SIGMAS, default="exp")
    mode.add_argument("states", nargs="+", metavar="init|MODEL")
    arguments = parser.parse_args()
    if arguments.mode == "golden":
        return golden()
    with tempfile.TemporaryDirectory() as folder:
        for state in arguments.states:
            model = state if state == "init" else Path(state).resolve()
            path = Path(folder) / "batch.safetensors"
            run_example("batch", model, arguments.sigma, path)
            case, tensors = read(path)
            if state != "init":
                Vae(case["architecture"]).load_state_dict(load_file(model), strict=True)
            errors(state, case, tensors)


if __name__ == "__main__":
    main()
