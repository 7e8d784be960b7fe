"""Train and score with JAX: jit around a scan over steps, so that no step pays for a dispatch.

PIWAE takes one forward pass; the two pullbacks of `jax.vjp` stand in one compiled function, which
drops what either does not need. The random numbers are of the kind `rbg`, faster than the default.
"""

import argparse
import math
import os

import numpy as np

import worker

IMAGES = 10_000
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-4
# Steps of one scan.
STEPS = 10
# Rows of one matrix product in scoring.
SCORE_ROWS = 5000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    threads = parser.parse_args().threads
    # XLA takes as many threads as the process has cores; this must be said before JAX is loaded.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    worker.serve(JaxPeer(threads))


class JaxPeer:
    def __init__(self, threads):
        import jax

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_default_prng_impl", "rbg")
        self.jax, self.threads = jax, threads

    def versions(self):
        return {"jax": self.jax.__version__, "threads": self.threads}

    def supports(self, settings):
        return True

    def check(self, settings, tensors):
        functions = Functions(self.jax, settings)
        theta, phi = {}, {}
        for name, tensor in tensors.items():
            if name.startswith("parameter/"):
                name = name.removeprefix("parameter/")
                (theta if name.startswith("decoder.") else phi)[name] = tensor
        x = tensors["pixels"].astype(np.float32)
        bound, gradients = self.jax.jit(functions.gradient)((theta, phi), x, tensors["noise"])
        return float(bound), gradients[0] | gradients[1]

    def prepare(self, settings):
        jax, jnp = self.jax, self.jax.numpy
        functions = Functions(jax, settings)
        batch = settings["batch"]
        samples, latents = functions.samples, settings["architecture"]["latents"]
        grey = jnp.asarray(worker.grey_images(IMAGES, settings["architecture"]["pixels"]))

        def images(key):
            chosen, pixels = jax.random.split(key)
            grey_batch = grey[jax.random.randint(chosen, (batch,), 0, IMAGES)]
            return jax.random.bernoulli(pixels, grey_batch).astype(jnp.float32)

        def step(state, _):
            parameters, first, second, t, key = state
            key, pixel_key, noise_key = jax.random.split(key, 3)
            noise = jax.random.normal(noise_key, (batch, samples, latents))
            bound, gradient = functions.gradient(parameters, images(pixel_key), noise)
            t = t + 1
            each = jax.tree_util.tree_map
            first = each(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
            second = each(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
            rate, root = RATE / (1 - BETA1**t), 1 / jnp.sqrt(1 - BETA2**t)
            parameters = each(
                lambda p, m, v: p + rate * m / (jnp.sqrt(v) * root + EPSILON), parameters, first, second
            )
            return (parameters, first, second, t, key), bound

        def score(state, _):
            parameters, key = state
            key, pixel_key, noise_key = jax.random.split(key, 3)
            x, piece = images(pixel_key), max(1, SCORE_ROWS // batch)

            def part(key):
                noise = jax.random.normal(key, (batch, piece, latents))
                return functions.log_weights(parameters, x, noise)

            parts = jax.lax.map(part, jax.random.split(noise_key, math.ceil(samples / piece)))
            bound = jax.nn.logsumexp(parts, axis=(0, 2)) - math.log(samples)
            return (parameters, key), bound.mean()

        parameters = initial(jnp, settings["architecture"])
        key = jax.random.key(1)
        if settings["work"] == "score":
            body, length, self.units = score, 1, batch
            self.state = parameters, key
        else:
            body, length, self.units = step, STEPS, STEPS
            zeros = jax.tree_util.tree_map(jnp.zeros_like, parameters)
            self.state = parameters, zeros, zeros, jnp.float32(0), key
        self.scan = jax.jit(lambda state: jax.lax.scan(body, state, length=length))
        self._once()

    def _once(self):
        self.state, bounds = self.scan(self.state)
        bounds.block_until_ready()

    def run(self, seconds):
        calls, elapsed = worker.repeat(self._once, seconds)
        return calls * self.units, elapsed


def initial(jnp, architecture):
    """(theta, phi), drawn uniformly as Glorot and Bengio do, in the layout of torch.nn."""
    generator = np.random.default_rng(1)

    def layers(prefix, widths):
        names = [f"{prefix}{2 * i}" for i in range(len(widths) - 1)] if prefix.endswith(".") else [prefix]
        tensors = {}
        for name, i, o in zip(names, widths, widths[1:]):
            limit = math.sqrt(6 / (i + o))
            tensors[f"{name}.weight"] = jnp.asarray(generator.uniform(-limit, limit, (o, i)), jnp.float32)
            tensors[f"{name}.bias"] = jnp.zeros(o, jnp.float32)
        return tensors

    pixels, latents = architecture["pixels"], architecture["latents"]
    last = [pixels, *architecture["encoder"]][-1]
    phi = layers("encoder.", [pixels, *architecture["encoder"]])
    phi |= layers("mu", [last, latents]) | layers("sigma", [last, latents])
    return layers("decoder.", [latents, *architecture["decoder"], pixels]), phi


class Functions:
    """The bound and its gradient as functions of ((theta, phi), x [B, D], noise [B, S, L])."""

    def __init__(self, jax, settings):
        self.jax, self.estimator = jax, settings["estimator"]
        self.hidden = [len(settings["architecture"][side]) for side in ("encoder", "decoder")]
        self.samples = self.estimator["m"] * self.estimator["k"]

    def log_weights(self, parameters, x, noise):
        jnp = self.jax.numpy
        theta, phi = parameters

        def affine(tensors, name, h):
            return h @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

        h = x
        for i in range(self.hidden[0]):
            h = jnp.tanh(affine(phi, f"encoder.{2 * i}", h))
        mean, log_sd = affine(phi, "mu", h), affine(phi, "sigma", h)
        z = mean[:, None] + jnp.exp(log_sd)[:, None] * noise
        ratio = 0.5 * (noise**2 - z**2).sum(-1) + log_sd.sum(-1, keepdims=True)
        batch, samples, latents = noise.shape
        h = z.reshape(batch * samples, latents)
        for i in range(self.hidden[1]):
            h = jnp.tanh(affine(theta, f"decoder.{2 * i}", h))
        logits = affine(theta, f"decoder.{2 * self.hidden[1]}", h).reshape(batch, samples, -1)
        return (x[:, None] * logits - self.jax.nn.softplus(logits)).sum(-1) + ratio

    def bounds(self, log_weights):
        """The mean bounds that theta and phi climb."""
        m, k, beta = self.estimator["m"], self.estimator["k"], self.estimator.get("beta")

        def grouped(m, k):
            groups = log_weights.reshape(-1, m, k)
            return (self.jax.nn.logsumexp(groups, axis=-1) - math.log(k)).mean()

        match self.estimator["name"]:
            case "vae":
                bound = log_weights.mean()
            case "iwae":
                bound = grouped(1, k)
            case "miwae":
                bound = grouped(m, k)
            case "piwae":
                return grouped(1, m * k), grouped(m, k)
            case "ciwae":
                bound = beta * log_weights.mean() + (1 - beta) * grouped(1, k)
        return bound, bound

    def gradient(self, parameters, x, noise):
        """theta's bound, and the gradients of both networks (ascent)."""
        if self.estimator["name"] != "piwae":
            objective = lambda p: self.bounds(self.log_weights(p, x, noise))[0]
            return self.jax.value_and_grad(objective)(parameters)
        log_weights, pull = self.jax.vjp(lambda p: self.log_weights(p, x, noise), parameters)
        theta, for_theta = self.jax.value_and_grad(lambda w: self.bounds(w)[0])(log_weights)
        for_phi = self.jax.grad(lambda w: self.bounds(w)[1])(log_weights)
        return theta, (pull(for_theta)[0][0], pull(for_phi)[0][1])


if __name__ == "__main__":
    main()
