"""Mask-based content transfer: a thing is moved from one image to another, or removed.

Two domains, one with a thing (glasses) and one without. A common encoder keeps what both have, a
separate encoder what only one has; a decoder makes a mask, so that everything else stays as it is
(Mokady et al., arXiv 1906.06558). A judge distinguishes the domains by their common codes, and the
common encoder makes them alike.

Written from the published description and the authors' defaults; every number of three runs of
their code is reproduced by `tests/g2g_core/systems/test_fixtures_mokady.py`. Two things differ and
are options: `clip_judge` clips the judge's gradient, which the authors' code means to do but does
not, and `removal_code` gives the decoder without the thing a zero separate code, as in training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from g2g_core.data.order import Order
from g2g_core.data.pairs import EvaluationPairs, Rows, attribute_of, digest_of
from g2g_core.metrics.menu import METRICS
from g2g_core.metrics.metric import Metric
from g2g_core.metrics.references import References
from g2g_core.models.networks import Networks
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation, inference
from g2g_core.seeding import numpy_rng, seeded_init
from g2g_core.systems.config import SystemConfig, require
from g2g_core.systems.measuring import PairMeasure
from g2g_core.systems.mokady_networks import HALVINGS, MokadyJudge, MokadyTranslator
from g2g_core.systems.system import DTYPES, Measured, System, Values, minimize
from g2g_core.systems.trainer import SystemTrainer

REMOVED_FROM = 0.1
"""Value of the mask from which on a removal takes the decoder's pixels."""


@dataclass(frozen=True, kw_only=True)
class MokadyConfig(SystemConfig):
    """Options of mask-based content transfer; the defaults are the authors' for glasses.

    Attributes:
        with_class: the class whose images have the thing. The dataset must have two classes.
        widths: channels after the first five convolutions of the encoders.
        separate: channels of the separate code.
        hidden: units of the judge.
        recon1_with: weight of the error of images with the thing, laid over the decoder's base.
        recon1_without: weight of the error of images without it.
        recon2_with: weight of the error of images with the thing, laid over themselves.
        recon2_without: the same for images without it.
        cycle_common: weight of the distance between common codes after a transfer and before.
        cycle_separate: the same for separate codes.
        judge: weight of the judge's verdict; 0: there is no judge.
        learning_rate: of encoders and decoders.
        lr_judge: of the judge.
        clip: largest norm of the gradient of encoders and decoders; 0 clips nothing.
        clip_judge: whether the judge's gradient is clipped as well.
        removal_code: separate code that a removal decodes: `zero`, as in training, or `own`, as in
            the authors' code.
        flip: `image` mirrors half of the images, `none` mirrors none.
    """

    image_size: int = 128
    batch_size: int = 32
    eval_split: Literal["test", "train"] = "train"
    with_class: str = "with"
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    separate: int = 25
    hidden: int = 512
    recon1_with: float = 7.0
    recon1_without: float = 5.0
    recon2_with: float = 0.7
    recon2_without: float = 0.7
    cycle_common: float = 0.0
    cycle_separate: float = 0.001
    judge: float = 0.005
    learning_rate: float = 2e-4
    lr_judge: float = 2e-4
    clip: float = 5.0
    clip_judge: bool = False
    removal_code: Literal["zero", "own"] = "zero"
    flip: Literal["image", "none"] = "image"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, dict.fromkeys(("separate", "hidden"), 1))
        weights = ("recon1_with", "recon1_without", "recon2_with", "recon2_without")
        others = ("cycle_common", "cycle_separate", "judge", "learning_rate", "lr_judge", "clip")
        require(self, dict.fromkeys((*weights, *others), 0))
        if self.image_size % 2**HALVINGS:
            raise ValueError(f"image_size: {self.image_size} must be a multiple of {2**HALVINGS}")
        if len(self.widths) != 5 or min(self.widths) < 1:
            raise ValueError(f"widths: {list(self.widths)} must be five numbers above 0")
        if self.separate >= self.widths[-1]:
            raise ValueError(
                f"separate: {self.separate} must be below the last of widths, {self.widths[-1]}"
            )
        if self.eval_shots > 1:
            raise ValueError(
                "eval_shots: must be 1, because a transfer moves the thing of an image"
            )


class MokadySteps:
    """The two sub-steps of an iteration, in the authors' order, on the same images.

    Args:
        config: weights and learning rates.
    """

    def __init__(self, config: MokadyConfig) -> None:
        self.config = config
        self.translator = MokadyTranslator(config.image_size, config.widths, config.separate)
        self.judge = MokadyJudge(self.translator.common_size, config.hidden)

    def start(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the networks, and make their optimizers."""
        betas = (0.5, 0.999)
        self.translator.to(device, dtype)
        self.judge.to(device, dtype)
        rate, judge_rate = self.config.learning_rate, self.config.lr_judge
        self.optimizer = Adam(self.translator.parameters(), rate, betas)
        self.judge_optimizer = Adam(self.judge.parameters(), judge_rate, betas)

    def iterate(self, with_thing: Tensor, without: Tensor) -> Values:
        """Take an iteration; return its losses, unweighted, and norms.

        Args:
            with_thing: (B, 3, H, W) in [-1, 1].
            without: (B, 3, H, W) in [-1, 1].
        """
        self.translator.train()
        self.judge.train()
        values, total = self.losses(with_thing, without)
        norm = minimize(total, self.translator, self.optimizer, self.config.clip)
        values |= {"loss/total": total, "health/grad_norm_translator": norm}
        return values | (self._train_judge(with_thing, without) if self.config.judge else {})

    def losses(self, a: Tensor, b: Tensor) -> tuple[Values, Tensor]:
        """Return the unweighted terms and their weighted sum for images with and without.

        The order of the calls decides the running statistics.
        """
        config, nets = self.config, self.translator
        common_a, separate_a, common_b = nets.e1(a), nets.e2(a), nets.e1(b)
        first, _ = nets.laid_over(nets.without(common_a), common_a, separate_a)
        plain = nets.without(common_b)
        moved, mask = nets.laid_over(b, common_b, separate_a)
        same_b, _ = nets.laid_over(b, common_b)
        same_a, _ = nets.laid_over(a, common_a, separate_a)
        terms = {
            "recon1_with": (first - a).abs().mean(),
            "recon1_without": (plain - b).abs().mean(),
            "recon2_with": (same_a - a).abs().mean(),
            "recon2_without": (same_b - b).abs().mean(),
            "cycle_common": (nets.e1(moved) - common_b).square().mean(),
            "cycle_separate": (nets.e2(moved) - separate_a).square().mean(),
        }
        total = torch.stack([getattr(config, name) * term for name, term in terms.items()]).sum()
        if config.judge:
            # Both domains are to look like the one without, as in the authors' code.
            for name, code in (("with", common_a), ("without", common_b)):
                terms[f"judge_fooled_{name}"] = _judged(self.judge(code), 0.0)
                total = total + config.judge * terms[f"judge_fooled_{name}"]
        values = {f"loss/{name}": term for name, term in terms.items()}
        return {**values, "health/mask_mean": mask.detach().mean()}, total

    def _train_judge(self, a: Tensor, b: Tensor) -> Values:
        """Train the judge on codes of the updated common encoder, whose statistics move again."""
        with torch.no_grad():
            common_a, common_b = self.translator.e1(a), self.translator.e1(b)
        seen_a, seen_b = _judged(self.judge(common_a), 1.0), _judged(self.judge(common_b), 0.0)
        clip = self.config.clip if self.config.clip_judge else 0.0
        norm = minimize(seen_a + seen_b, self.judge, self.judge_optimizer, clip)
        return {
            "loss/judge_with": seen_a,
            "loss/judge_without": seen_b,
            "health/grad_norm_judge": norm,
        }


def _judged(probability: Tensor, label: float) -> Tensor:
    """Return the binary cross entropy of probabilities (B,) against one label."""
    if not torch.isfinite(probability).all():
        # torch refuses such values, but they mean that the run diverges.
        return probability.sum()
    return functional.binary_cross_entropy(probability, torch.full_like(probability, label))


class Mokady(System):
    """Mask-based content transfer in training.

    Args:
        config: the options.
        device: `cpu`, `cuda`, or `cuda:<n>`.

    Raises:
        ValueError: the dataset has other classes, or the evaluation pairs do.
    """

    def __init__(self, config: MokadyConfig, device: str = "cpu") -> None:
        self.config, self.device = config, torch.device(device)
        self.dtype = DTYPES[config.precision]
        self.data = config.make_data()
        domains = attribute_of(self.data, "class")
        assert isinstance(self.data, Rows)
        self.rows: Rows = self.data
        if len(domains.values) != 2 or config.with_class not in domains.values:
            raise ValueError(
                f"with_class: {config.with_class!r} must be one of two classes; the dataset has "
                f"{', '.join(domains.values[:5])}"
            )
        self.with_label = domains.values.index(config.with_class)
        has_thing = domains.numbers == self.with_label
        self.domains = np.flatnonzero(has_thing), np.flatnonzero(~has_thing)
        self.orders = [Order(len(one), config.batch_size, config.seed) for one in self.domains]

        with seeded_init(config.seed, "init/mokady"):
            self.steps = MokadySteps(config)
        self.steps.start(self.device, self.dtype)
        self.modules = {"translator": self.steps.translator, "judge": self.steps.judge}
        self.optimizers = {
            "translator": (self.steps.translator, self.steps.optimizer),
            "judge": (self.steps.judge, self.steps.judge_optimizer),
        }
        networks = Networks(self.steps.translator, None, None)
        self.measure = PairMeasure(config, self.data, networks, self._evaluation, own=self._own())
        if self.measure.pairs.split != "train":
            raise ValueError(
                "eval_split: pairs of new classes have no such thing; train is possible"
            )

    def step(self, step: int) -> Values:
        """Take an iteration; see `System.step`."""
        return self.steps.iterate(*self.batch(step))

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the images of a step with the thing, and those without."""
        batches = []
        for place, name in enumerate(("with", "without")):
            numbers = self.domains[place][self.orders[place].indices(f"mokady_{name}", step)]
            images = self.rows.images_at(numbers)
            if self.config.flip == "image":
                mirrored = numpy_rng(self.config.seed, f"mokady/flip_{name}", step).random(
                    len(numbers)
                )
                chosen = torch.from_numpy(mirrored < 0.5)[:, None, None, None]
                images = torch.where(chosen, images.flip(-1), images)
            batches.append(images.to(self.device, self.dtype))
        return batches[0], batches[1]

    def evaluate(self, step: int) -> Measured:  # noqa: ARG002
        """Return the metrics and images, with the mask as a row; see `System.evaluate`."""
        return Measured(*self.measure(), self.measure.not_applicable)

    def recorded(self) -> tuple[str, ...]:
        """Return the names of the metrics that a run records; see `System.recorded`."""
        return self.measure.names

    def digests(self) -> dict[str, str]:
        """Return digests of what a run starts from; see `System.digests`."""
        orders: list[NDArray[np.int64]] = [
            order.indices(f"mokady_{name}", step)
            for order, name in zip(self.orders, ("with", "without"), strict=True)
            for step in range(self.config.steps)
        ]
        return {
            "data": self.data.digest,
            "data_order": digest_of(orders),
            "eval_pairs": self.measure.pairs.digest,
        }

    def _evaluation(
        self, networks: Networks, pairs: EvaluationPairs, references: References
    ) -> Evaluation:
        """Return the evaluation of pairs: transfers in one direction, removals in the other."""
        own_code = self.config.removal_code == "own"
        return MokadyEvaluation(networks, pairs, references, self.with_label, own_code)

    def _own(self) -> Sequence[Metric]:
        """Return the metrics of this system that the dataset allows."""
        config = self.config
        pairs = self.data.evaluation_pairs(1, config.eval_split)
        return (
            MASK_METRICS if pairs.mask is not None and pairs.truth is not None else MASK_METRICS[:1]
        )


class MokadyEvaluation(Evaluation):
    """The evaluation of pairs of an image with a thing and one without.

    Args:
        networks: hold the translator.
        pairs: the evaluation pairs.
        references: judges and reference images.
        with_label: label of the images with the thing.
        own_code: whether a removal decodes the image's own separate code.
    """

    def __init__(
        self,
        networks: Networks,
        pairs: EvaluationPairs,
        references: References,
        with_label: int,
        own_code: bool,
    ) -> None:
        super().__init__(networks, "raw", pairs, references)
        self.has_thing = self.labels == with_label
        self.own_code = own_code

    @cached_property
    def _mixed_and_mask(self) -> tuple[Tensor, Tensor]:
        return self._mix(self.real, swap(self.real))

    @cached_property
    def mixed(self) -> Tensor:
        """The partner of each image, with its thing if it has one, or else without any."""
        return self._mixed_and_mask[0]

    @cached_property
    def mask(self) -> Tensor:
        """The mask of each mixed image, (2P, 1, H, W) in [0, 1]."""
        return self._mixed_and_mask[1]

    @cached_property
    def mask_row(self) -> Tensor:
        """The masks as gray images (2P, 3, H, W) in [-1, 1]."""
        return (2 * self.mask - 1).expand(-1, 3, -1, -1)

    @cached_property
    def self_recon(self) -> Tensor:
        """Each image with its own thing laid over itself."""
        nets = self._translator
        with inference(nets, self._device):
            images = self.real.to(self._dtype)
            separate = nets.e2(images) * self.has_thing[:, None]
            return nets.laid_over(images, nets.e1(images), separate)[0].float()

    @cached_property
    def content(self) -> Tensor:
        """The common codes of `real`."""
        return self._code(self._translator.e1, self.real)

    @cached_property
    def class_code(self) -> Tensor:
        """The separate codes of `real`."""
        return self._code(self._translator.e2, self.real)

    @cached_property
    def mixed_content(self) -> Tensor:
        """The common codes of `mixed`."""
        return self._code(self._translator.e1, self.mixed)

    @cached_property
    def mixed_class(self) -> Tensor:
        """The separate codes of `mixed`."""
        return self._code(self._translator.e2, self.mixed)

    @cached_property
    def full_recon(self) -> Tensor:
        """The mixed images mixed again."""
        return self._mix(self.mixed, swap(self.mixed))[0]

    @property
    def _translator(self) -> MokadyTranslator:
        assert isinstance(self.generator, MokadyTranslator)
        return self.generator

    def _code(self, encoder: torch.nn.Module, images: Tensor) -> Tensor:
        with inference(self._translator, self._device):
            code: Tensor = encoder(images.to(self._dtype))
            return code

    def _mix(self, own: Tensor, partner: Tensor) -> tuple[Tensor, Tensor]:
        """Return transfers where `own` has the thing and removals elsewhere, and the masks."""
        nets = self._translator
        with inference(nets, self._device):
            own, partner = own.to(self._dtype), partner.to(self._dtype)
            common = nets.e1(partner)
            moved, mask = nets.laid_over(partner, common, nets.e2(own))

            separate = nets.e2(partner)
            _, there = nets.laid_over(partner, common, separate)
            bare = nets.without(common, separate if self.own_code else None)
            removed = torch.where(there >= REMOVED_FROM, bare, partner)
            transfers = self.has_thing[:, None, None, None]
            images = torch.where(transfers, moved, removed)
            return images.float(), torch.where(transfers, mask, there).float()


def _of(evaluation: Evaluation) -> MokadyEvaluation:
    """Return the evaluation as that of this system.

    Raises:
        TypeError: it is of another system.
    """
    if not isinstance(evaluation, MokadyEvaluation):
        raise TypeError("masks are made by mask-based content transfer only")
    return evaluation


def mask_mean(evaluation: Evaluation) -> float:
    """Return the mean of the masks of transfers."""
    own = _of(evaluation)
    return float(own.mask[own.has_thing].mean())


def mask_iou(evaluation: Evaluation) -> float:
    """Return the overlap of the masks of transfers with the true ones, both cut at 0.5."""
    own = _of(evaluation)
    assert own.pairs.mask is not None
    true = own.pairs.mask.to(own.mask.device)[own.has_thing] >= 0.5
    made = own.mask[own.has_thing] >= 0.5
    return float((made & true).sum() / (made | true).sum().clamp(min=1))


def inside_l1(evaluation: Evaluation) -> float:
    """Return the error of mixed images inside the true mask."""
    return _masked_error(_of(evaluation), inside=True)


def outside_l1(evaluation: Evaluation) -> float:
    """Return the error of mixed images outside the true mask."""
    return _masked_error(_of(evaluation), inside=False)


def _masked_error(own: MokadyEvaluation, *, inside: bool) -> float:
    """Return the mean error per pixel and channel, inside the true mask or outside it."""
    assert own.pairs.mask is not None
    share = own.pairs.mask.to(own.mixed.device)
    share = share if inside else 1 - share
    return float(((own.mixed - own.truth).abs() * share).sum() / (3 * share.sum()))


SOURCE = "arXiv 1906.06558"
MASK_METRICS = (
    Metric(
        "mask_mean",
        mask_mean,
        None,
        "0 to 1; near 0 the mask is shut, and nothing is moved",
        "mean of the mask that a transfer lays the thing over an image with",
        "whether the mask is in the right place",
        SOURCE,
    ),
    Metric(
        "mask_iou",
        mask_iou,
        "higher",
        "0 to 1",
        "overlap of the transfer's mask with the true one, over their union, both cut at 0.5",
        "whether the thing inside the mask is the right one",
        SOURCE,
    ),
    Metric(
        "inside_l1",
        inside_l1,
        "lower",
        "image range is 2",
        "mean absolute difference of mixed images and their truth inside the true mask",
        "what happens outside the mask",
    ),
    Metric(
        "outside_l1",
        outside_l1,
        "lower",
        "image range is 2",
        "mean absolute difference of mixed images and their truth outside the true mask",
        "whether the thing was moved: a copy of the content image is perfect",
    ),
)
"""Metrics that only this system has; those after the first need true masks."""


def inapplicable(_config: MokadyConfig, _metric: str) -> str | None:
    """Return None: all metrics apply."""
    return None


trainer = SystemTrainer(
    "mokady",
    MokadyConfig,
    Mokady,
    "Mask-based content transfer: moves or removes a thing (Mokady et al., arXiv 1906.06558)",
    {**METRICS, **{metric.name: metric for metric in MASK_METRICS}},
    inapplicable,
)
"""The trainer that study files name `mokady`."""
