"""The menu of metrics."""

from functools import cache

from g2g_base.plugins import Group, with_plugins
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

GROUP = Group(
    "g2g_ablate.metrics",
    "a Metric whose name is that of the entry point",
    lambda name, metric: isinstance(metric, Metric) and metric.name == name,
)
"""Entry points that add metrics to the menu."""


@cache
def all_metrics() -> dict[str, Metric]:
    """Return the built-in metrics, then those of installed packages, by name.

    Raises:
        PluginError: an installed package adds a metric that can't be used.
    """
    return with_plugins(METRICS, GROUP)


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
