"""The menu of metrics."""

from functools import cache

from g2g_core import plugins
from g2g_core.metrics.faces import FACES
from g2g_core.metrics.metric import Metric
from g2g_core.metrics.probes import PROBES
from g2g_core.metrics.reconstruction import RECONSTRUCTION
from g2g_core.metrics.response import RESPONSE
from g2g_core.metrics.sets import SETS
from g2g_core.metrics.translation import TRANSLATION

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (*RECONSTRUCTION, *RESPONSE, *PROBES, *TRANSLATION, *SETS, *FACES)
}
"""Metric by name, in the order of reports."""


@cache
def all_metrics() -> dict[str, Metric]:
    """Return the built-in metrics, then those of installed packages, by name.

    Packages register their metrics in the entry-point group `g2g_ablate.metrics`.

    Raises:
        PluginError: an installed package uses a name that is taken, or its metric can't be loaded.
    """
    return plugins.with_plugins(METRICS, plugins.METRICS)


DEFAULT = frozenset(
    {
        "short_l1",
        "short_ssim",
        "long_l1",
        "long_ssim",
        "mixed_l1",
        "mixed_psnr",
        "mixed_ssim",
        "copy_content_l1",
        "copy_class_l1",
        "swap_score",
        "mixed_diversity",
        "content_effect",
        "class_effect",
        "content_distance_edges",
    }
)
"""Metrics that a run records if its config names none: cheap, from the pairs alone."""
