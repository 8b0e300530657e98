"""Pre-trained networks for loss terms and metrics, each in a module of its own name."""

from g2g_core.features.identity import IDENTITY, IdentityEncoder, identity_encoder
from g2g_core.features.options import FeatureOptions
from g2g_core.features.perceptual import PERCEPTUAL, PerceptualNetwork, perceptual_network
from g2g_core.features.weights import MissingWeights

__all__ = [
    "IDENTITY",
    "PERCEPTUAL",
    "FeatureOptions",
    "IdentityEncoder",
    "MissingWeights",
    "PerceptualNetwork",
    "identity_encoder",
    "perceptual_network",
]
