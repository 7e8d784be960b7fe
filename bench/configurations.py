"""List what is measured: models, bounds, batches."""

from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

SAMPLES = 64
SCORE_SAMPLES = 5000
SCORE_BATCH = 20

# Widths as in tightbound's settings: Burda et al. 2016, and a later reproduction's larger model.
MODELS = {
    "reference": {"pixels": 784, "encoder": [200, 200], "latents": 50, "decoder": [200, 200]},
    "larger": {"pixels": 784, "encoder": [400, 400], "latents": 20, "decoder": [400, 400]},
}

# name: (estimator, M, K, beta)
BOUNDS = {
    "iwae": ("iwae", 1, SAMPLES, None),
    "piwae": ("piwae", 8, 8, None),
    "ciwae": ("ciwae", 1, SAMPLES, 0.5),
    "vae": ("vae", SAMPLES, 1, None),
}


@dataclass(frozen=True)
class Configuration:
    """One thing to measure: training steps (`work` = "step") or scoring (`work` = "score")."""

    work: str
    bound: str
    batch: int
    model: str

    @property
    def name(self):
        if self.work == "score":
            return f"score-{SCORE_SAMPLES}/{self.model}"
        _, m, k, _ = BOUNDS[self.bound]
        return f"{self.bound}-{m}x{k}/B{self.batch}/{self.model}"

    @property
    def prunes(self):
        """Whether any sample's weight can vanish: VAE and CIWAE give each 1/S and beta/S at least."""
        return self.work == "step" and self.bound in ("iwae", "piwae")

    @property
    def unit(self):
        return "images/s" if self.work == "score" else "steps/s"

    def settings(self):
        """Everything a peer must know, as JSON."""
        estimator, m, k, beta = BOUNDS[self.bound]
        if self.work == "score":
            m, k = 1, SCORE_SAMPLES
        return asdict(self) | {
            "architecture": MODELS[self.model] | {"activation": "tanh", "sigma": "exp"},
            "estimator": {"name": estimator, "m": m, "k": k, "beta": beta},
        }


def iwae_step(samples, batch):
    """Settings of one step of IWAE on the reference model."""
    return {
        "work": "step",
        "batch": batch,
        "estimator": {"name": "iwae", "m": 1, "k": samples, "beta": None},
        "architecture": MODELS["reference"],
    }


def all_configurations():
    steps = [
        Configuration("step", bound, batch, model)
        for model in MODELS
        for bound in BOUNDS
        for batch in (20, 100)
    ]
    return steps + [Configuration("score", "iwae", SCORE_BATCH, model) for model in MODELS]


def select(patterns):
    """The configurations whose names begin with one of `patterns` (with * and ?), or all."""
    named = lambda c: any(fnmatchcase(c.name, f"{p}*") for p in patterns)
    return [c for c in all_configurations() if not patterns or named(c)]
