"""How near generated images are to what they should be.

The metrics cover short and full reconstructions, mixed images, and the two ways of copying an
input. A span is a pair of stacks to compare: images, and what they should be.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeAlias

from torch import Tensor

from g2g_core.metrics.images import l1, psnr, ssim
from g2g_core.metrics.metric import Metric
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation

Span: TypeAlias = Callable[[Evaluation], tuple[Tensor, Tensor]]
Distance: TypeAlias = Callable[[Tensor, Tensor], float]


def short(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    """Return short reconstructions and originals."""
    return evaluation.self_recon, evaluation.real


def long(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    """Return full reconstructions and originals."""
    return evaluation.full_recon, evaluation.real


def mixed(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    """Return mixed images and their exact truth."""
    return evaluation.mixed, evaluation.truth


def copy_content(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    """Return the content images in place of the mixed ones, and the truth."""
    return swap(evaluation.real), evaluation.truth


def copy_class(evaluation: Evaluation) -> tuple[Tensor, Tensor]:
    """Return the class images in place of the mixed ones, and the truth."""
    return evaluation.real, evaluation.truth


def compared(span: Span, distance: Distance, evaluation: Evaluation) -> float:
    """Return the distance between the two stacks of a span."""
    return distance(*span(evaluation))


def swap_score(evaluation: Evaluation) -> float:
    """Return 1 - mixed_l1 / (the smaller of copy_content_l1 and copy_class_l1)."""
    copies = min(compared(copy_content, l1, evaluation), compared(copy_class, l1, evaluation))
    return 1 - compared(mixed, l1, evaluation) / copies


SPANS: tuple[tuple[Span, str, str], ...] = (
    (
        short,
        "short reconstructions G(x, x) against the originals x",
        "a generator that copies its input is perfect",
    ),
    (
        long,
        "full reconstructions against the originals",
        "mixed images may hide what brings the original back",
    ),
    (mixed, "mixed images against their exact truth", "why they differ"),
    (
        copy_content,
        "content images against the truth of mixed ones",
        "nothing of the generator: it is a yardstick",
    ),
    (
        copy_class,
        "class images against the truth of mixed ones",
        "nothing of the generator: it is a yardstick",
    ),
)
DISTANCES: tuple[tuple[Distance, Literal["lower", "higher"], str, str, str], ...] = (
    (l1, "lower", "image range is 2", "mean absolute difference", "`long_recon` as a measure"),
    (
        psnr,
        "higher",
        "dB, cut at 100",
        "peak signal-to-noise ratio, mean over images",
        "as torchmetrics",
    ),
    (ssim, "higher", "-1 to 1", "structural similarity", "Wang et al. 2004, as torchmetrics"),
)


def _metric(
    span: Span,
    of: str,
    cannot: str,
    row: tuple[Distance, Literal["lower", "higher"], str, str, str],
) -> Metric:
    """Return the metric of a span and a distance.

    Args:
        span: the two stacks.
        of: description of the span.
        cannot: what the span does not show.
        row: an entry of `DISTANCES`.
    """
    distance, better, unit, what, source = row
    return Metric(
        name=f"{span.__name__}_{distance.__name__}",
        function=partial(compared, span, distance),
        better=None if span in (copy_content, copy_class) else better,
        unit=unit,
        description=f"{what} of {of}",
        cannot=cannot,
        source=source,
        needs=frozenset() if span in (short, long) else frozenset({"truth"}),
    )


RECONSTRUCTION = (
    *(_metric(*span, row) for span in SPANS for row in DISTANCES),
    Metric(
        "swap_score",
        swap_score,
        "higher",
        "1 is the truth, 0 the nearer of the two copies, below 0 is worse than copying",
        "1 - mixed_l1 / min(copy_content_l1, copy_class_l1)",
        "which of content and class is wrong: see content_effect and class_effect",
        needs=frozenset({"truth"}),
    ),
)
