"""Models by name, with the options of their networks."""

from g2g_core.models.menu import MODELS, all_models
from g2g_core.models.networks import Model, Networks

__all__ = ["MODELS", "Model", "Networks", "all_models"]
