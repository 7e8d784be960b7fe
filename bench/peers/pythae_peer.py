"""Train with pythae's own IWAE and CIWAE models, the most used VAE library.

Its VAE draws one sample, its PIWAE and MIWAE normalise over the other axis than the papers, and it
has no scoring of this kind, so these are left out.
"""

import argparse

import torch
from pythae.models import CIWAE, IWAE, CIWAEConfig, IWAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn

import torch_peer
import worker


class Encoder(BaseEncoder):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        mean, log_sd = self.model.encode(x)
        return ModelOutput(embedding=mean, log_covariance=2 * log_sd)


class Decoder(BaseDecoder):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, z):
        return ModelOutput(reconstruction=torch.sigmoid(self.layers(z)))


class PythaePeer(torch_peer.TorchPeer):
    def versions(self):
        from importlib.metadata import version

        return super().versions() | {"pythae": version("pythae")}

    def supports(self, settings):
        named = settings["estimator"]["name"] in ("iwae", "ciwae")
        return named and settings["work"] == "step" and settings["architecture"]["sigma"] == "exp"

    def _make(self, settings):
        super()._make(settings)
        architecture, estimator = settings["architecture"], settings["estimator"]
        common = {
            "input_dim": (architecture["pixels"],),
            "latent_dim": architecture["latents"],
            "number_samples": estimator["k"],
            "reconstruction_loss": "bce",
        }
        encoder_model = torch_peer.Vae(architecture)
        decoder = encoder_model.decoder
        encoder_model.decoder = nn.Identity()
        if estimator["name"] == "ciwae":
            config, kind = CIWAEConfig(beta=estimator["beta"], **common), CIWAE
        else:
            config, kind = IWAEConfig(**common), IWAE
        self.pythae = kind(config, encoder=Encoder(encoder_model), decoder=Decoder(decoder))
        self.model = _Named(encoder_model, decoder)

    def _gradients(self, x, noise):
        self.pythae._sample_gauss = lambda mean, sd: (mean + noise.to(mean) * sd, noise)
        self.pythae({"data": x}).loss.backward()

    def check(self, settings, tensors):
        """Without the bound: pythae's loss has the bound's gradient, but not its value."""
        self._load(settings, tensors)
        self._gradients(torch.from_numpy(tensors["pixels"]).float(), torch.from_numpy(tensors["noise"]))
        return None, self._ascent()


class _Named(nn.Module):
    """The parameters of both networks under the names of the state_dict."""

    def __init__(self, encoder_model, decoder):
        super().__init__()
        self.encoder, self.mu, self.sigma = encoder_model.encoder, encoder_model.mu, encoder_model.sigma
        self.decoder = decoder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    worker.serve(PythaePeer(False, parser.parse_args().threads))


if __name__ == "__main__":
    main()
