"""Models by name, with the options of their networks."""

from collections.abc import Callable

from g2g_core.config import TrialConfig
from g2g_core.models.cyclefunit import CycleFunitOptions, cyclefunit
from g2g_core.models.naive import NaiveOptions, naive
from g2g_core.models.networks import Networks, funit, funit2funit
from g2g_core.models.options import FunitOptions

__all__ = ["MODELS", "OPTIONS", "Networks"]

MODELS: dict[str, Callable[[TrialConfig, int], Networks]] = {
    make.__name__: make for make in (funit2funit, funit, cyclefunit, naive)
}
"""Name -> function that makes the networks from a config and the number of training classes.

The networks are float32 and on the CPU, with their initial weights.
"""

OPTIONS: dict[str, type] = {
    "funit2funit": FunitOptions,
    "funit": FunitOptions,
    "cyclefunit": CycleFunitOptions,
    "naive": NaiveOptions,
}
"""Name -> dataclass of the model's options, which are the keys of `network:` in a study file."""
