"""The definition of a metric: a function of an evaluation with a name, direction, and unit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from g2g_core.data.pairs import EvaluationPairs
from g2g_core.metrics.networks import WEIGHTS, absent
from g2g_core.passes.evaluation import Evaluation

Need: TypeAlias = Literal[
    "truth", "factors", "reference", "classifier", "lite0", "face_resnet", "face_landmarks"
]
"""Something that a metric needs besides the pairs.

`truth`: exact mixed images. `factors`: labeled content factors. `reference`: a set of real images
of the same classes. `classifier`: the classifier of the evaluation classes. The others are
networks whose weights are installed separately.
"""


class MetricError(ValueError):
    """A metric that this dataset or installation does not support.

    The message says what the metric lacks.
    """


@dataclass(frozen=True)
class Metric:
    """One metric of a generator on the evaluation pairs.

    Attributes:
        name: recorded as `metric/<name>`.
        function: computes the value; a pure function of the evaluation.
        better: `lower`, `higher`, or None if neither direction is good.
        unit: unit and range of the value.
        description: meaning of the value, as a formula if that is shortest.
        cannot: what the value does not show.
        source: equation, paper, or library that the metric follows; empty if it is specific to
            G2G-Ablate.
        needs: what the metric needs besides the pairs.
    """

    name: str
    function: Callable[[Evaluation], float]
    better: Literal["lower", "higher"] | None
    unit: str
    description: str
    cannot: str
    source: str = ""
    needs: frozenset[Need] = frozenset()


def missing(metric: Metric, pairs: EvaluationPairs) -> str | None:
    """Return why these pairs do not allow the metric, or None if they do."""
    if "truth" in metric.needs and pairs.truth is None:
        return "the true mixed images of this data set are not known"
    if "factors" in metric.needs and not pairs.factors:
        return "this data set has no labelled content factors"

    for network in sorted(metric.needs & set(WEIGHTS)):
        if reason := absent(network):
            return reason
    return None
