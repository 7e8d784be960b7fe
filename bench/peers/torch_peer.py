"""Train and score with PyTorch, eager or compiled, as a good practitioner would.

The whole batch is one matrix [B·S, ...]; log q and log p are written out, so that no distribution
objects are made; Adam is PyTorch's fused one. PIWAE takes one forward pass and two backward passes,
each of which computes only the gradients of its own network (`autograd.grad` with `inputs`); compiled,
both targets stand in one graph with detached copies, whose common forward pass the compiler merges.
"""

import argparse
import math

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

import worker

IMAGES = 10_000
RATE, EPSILON = 1e-3, 1e-4
# Rows of one matrix product in scoring. 5,000 rows of logits are 16 MB; more is slower.
SCORE_ROWS = 5000


class Vae(nn.Module):
    """MLP encoder and decoder, q(z|x) = N(mu, sigma^2), prior N(0, I), Bernoulli pixels."""

    def __init__(self, architecture):
        super().__init__()

        def hidden(widths):
            pairs = zip(widths, widths[1:])
            return [module for i, o in pairs for module in (nn.Linear(i, o), nn.Tanh())]

        encoder = [architecture["pixels"], *architecture["encoder"]]
        decoder = [architecture["latents"], *architecture["decoder"]]
        self.encoder = nn.Sequential(*hidden(encoder))
        self.mu = nn.Linear(encoder[-1], decoder[0])
        self.sigma = nn.Linear(encoder[-1], decoder[0])
        self.decoder = nn.Sequential(*hidden(decoder), nn.Linear(decoder[-1], encoder[0]))

    def encode(self, x):
        """mu and log sigma, [B, L]."""
        h = self.encoder(x)
        return self.mu(h), self.sigma(h)

    def sample(self, x, noise):
        """z [B, S, L] and log p(z) - log q(z|x) [B, S]."""
        mean, log_sd = self.encode(x)
        z = mean.unsqueeze(1) + log_sd.exp().unsqueeze(1) * noise
        return z, prior_minus_posterior(z, noise, log_sd)

    def log_likelihood(self, x, z):
        """log p(x|z) [B, S]."""
        return log_likelihood(self.decoder(z.flatten(0, 1)), x, z.shape[1])

    def forward(self, x, noise):
        """log w [B, S]."""
        z, ratio = self.sample(x, noise)
        return self.log_likelihood(x, z) + ratio


def prior_minus_posterior(z, noise, log_sd):
    return 0.5 * (noise.square() - z.square()).sum(-1) + log_sd.sum(-1, keepdim=True)


def log_likelihood(logits, x, samples):
    logits = logits.unflatten(0, (-1, samples))
    target = x.unsqueeze(1).expand_as(logits)
    return -F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)


def grouped(log_weights, m, k):
    """L_{M,K}, mean over images."""
    return (log_weights.unflatten(1, (m, k)).logsumexp(-1) - math.log(k)).mean()


def bounds(estimator, log_weights):
    """The mean bounds that theta and phi climb."""
    m, k, beta = estimator["m"], estimator["k"], estimator.get("beta")
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
    return bound, bound


class TorchPeer:
    def __init__(self, compiled, threads):
        torch.set_num_threads(threads)
        self.compiled = compiled

    def versions(self):
        return {"torch": torch.__version__, "threads": torch.get_num_threads()}

    def supports(self, settings):
        return True

    def _make(self, settings):
        torch.manual_seed(1)
        self.estimator = settings["estimator"]
        self.model = Vae(settings["architecture"])
        named = list(self.model.named_parameters())
        self.phi = [p for n, p in named if not n.startswith("decoder.")]
        self.theta = [p for n, p in named if n.startswith("decoder.")]
        self._log_weights, self._both = self.model, self._both_targets
        if self.compiled:
            torch._dynamo.reset()
            self._log_weights = torch.compile(self.model)
            self._objective = torch.compile(self._one_target)
            self._both = torch.compile(self._both_targets)
        else:
            self._objective = self._one_target

    def _one_target(self, x, noise):
        return bounds(self.estimator, self.model(x, noise))[0]

    def _both_targets(self, x, noise):
        """The sum of both bounds, each with the other network's parameters held fast; and theta's."""
        z, ratio = self.model.sample(x, noise)
        fixed = {n: p.detach() for n, p in self.model.decoder.named_parameters()}
        for_theta = self.model.log_likelihood(x, z.detach()) + ratio.detach()
        logits = functional_call(self.model.decoder, fixed, z.flatten(0, 1))
        for_phi = log_likelihood(logits, x, z.shape[1]) + ratio
        theta = bounds(self.estimator, for_theta)[0]
        return theta + bounds(self.estimator, for_phi)[1], theta

    def _gradients(self, x, noise):
        """Fills every `.grad` with the gradient of the negative bound; returns theta's bound."""
        if self.estimator["name"] != "piwae":
            bound = self._objective(x, noise)
            (-bound).backward()
            return bound
        if self.compiled:
            total, theta = self._both(x, noise)
            (-total).backward()
            return theta
        theta, phi = bounds(self.estimator, self.model(x, noise))
        gradients = torch.autograd.grad(-theta, self.theta, retain_graph=True)
        gradients += torch.autograd.grad(-phi, self.phi)
        for parameter, gradient in zip(self.theta + self.phi, gradients):
            parameter.grad = gradient
        return theta

    def check(self, settings, tensors):
        self._load(settings, tensors)
        bound = self._gradients(torch.from_numpy(tensors["pixels"]).float(), torch.from_numpy(tensors["noise"]))
        return bound.item(), self._ascent()

    def _load(self, settings, tensors):
        """Makes the model with the parameters among `tensors`."""
        self._make(settings)
        parameters = {n: t for n, t in tensors.items() if n.startswith("parameter/")}
        state = {n.removeprefix("parameter/"): torch.from_numpy(t) for n, t in parameters.items()}
        self.model.load_state_dict(state, strict=True)

    def _ascent(self):
        return {n: -p.grad.numpy() for n, p in self.model.named_parameters()}

    def prepare(self, settings):
        self._make(settings)
        self.batch = settings["batch"]
        architecture = settings["architecture"]
        self.latents = architecture["latents"]
        self.samples = self.estimator["m"] * self.estimator["k"]
        self.grey = torch.from_numpy(worker.grey_images(IMAGES, architecture["pixels"]))
        self.adam = torch.optim.Adam(self.model.parameters(), lr=RATE, eps=EPSILON, fused=True)
        self.order = torch.randperm(IMAGES)
        self.position = 0
        self.once, self.units = (self._score, self.batch) if settings["work"] == "score" else (self._step, 1)
        for _ in range(3):
            self.once()

    def _images(self):
        if self.position + self.batch > IMAGES:
            self.order, self.position = torch.randperm(IMAGES), 0
        chosen = self.order[self.position : self.position + self.batch]
        self.position += self.batch
        return torch.bernoulli(self.grey[chosen])

    def _step(self):
        x = self._images()
        noise = torch.randn(self.batch, self.samples, self.latents)
        self.adam.zero_grad(set_to_none=True)
        self._gradients(x, noise)
        self.adam.step()

    @torch.no_grad()
    def _score(self):
        x = self._images()
        piece = max(1, SCORE_ROWS // self.batch)
        log_weights = [
            self._log_weights(x, torch.randn(self.batch, piece, self.latents))
            for _ in range(0, self.samples, piece)
        ]
        return torch.cat(log_weights, 1).logsumexp(1) - math.log(self.samples)

    def run(self, seconds):
        calls, elapsed = worker.repeat(self.once, seconds)
        return calls * self.units, elapsed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    worker.serve(TorchPeer(arguments.compile, arguments.threads))


if __name__ == "__main__":
    main()
