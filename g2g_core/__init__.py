"""Image disentanglement by cross-training (G2G).

The package holds the models, losses, metrics, datasets, and the training loop.
"""

from g2g_core.config import TrialConfig
from g2g_core.record import Diverged, Record

__all__ = ["Diverged", "Record", "TrialConfig", "train"]


def __getattr__(name: str) -> object:
    """Return `train`, imported on first use, so that importing a config alone stays fast."""
    if name == "train":
        from g2g_core.training.loop import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
