"""What a metric is: a named function of an evaluation, with its direction, unit and source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from g2g_core.data.pairs import EvaluationPairs
from g2g_core.metrics.networks import WEIGHTS, absent
from g2g_core.passes.evaluation import Evaluation

Need: TypeAlias = Literal[
    "truth", "factors", "reference", "classifier", "lite0", "face_resnet", "face_landmarks"
]
"""What a metric asks for: exact mixed images, labelled content factors, a set of real images of the
same classes; the classifier of the evaluation classes; a network whose weights are installed
apart."""


class MetricError(ValueError):
    """A metric that this data set or installation cannot give; the message says what is missing."""


@dataclass(frozen=True)
class Metric:
    """One measure of a generator on the evaluation pairs.

    Attributes:
        name: recorded as `metric/<name>`.
        function: the measure; a pure function of the evaluation.
        better: `lower`, `higher`, or None where neither end is good.
        unit: unit and range of the value.
        description: what it is, as a formula where that is shortest.
        cannot: what it cannot tell.
        source: equation, paper or library it follows; empty: our own.
        needs: what it asks of the data.
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
    """Why these pairs cannot give the metric, in words; None when they can."""
    if "truth" in metric.needs and pairs.truth is None:
        return "the true mixed images of this data set are not known"
    if "factors" in metric.needs and not pairs.factors:
        return "this data set has no labelled content factors"
    for network in sorted(metric.needs & set(WEIGHTS)):
        if reason := absent(network):
            return reason
    return None
