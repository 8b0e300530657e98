"""LORD: latent optimization of content and class, then encoders (arXiv 1906.11796).

The latent stage has no encoder. It learns one content code per training image and one code per
class, together with the generator. Noise on the content codes and a penalty on their length keep
class information out of them. The amortized stage then trains encoders towards these codes.

Written from the published description and the authors' defaults; every number of a run of their
PyTorch code is reproduced by `tests/g2g_core/systems/test_fixtures_lord.py`. Two things differ: the
encoders take images of any side that is a multiple of 16, and the share of the steps that each
stage gets is an option, where the authors train 200 epochs each.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from math import cos, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Adam

from g2g_core.data.order import Order
from g2g_core.data.pairs import Data, EvaluationPairs, Rows, digest_of
from g2g_core.metrics.evaluator import figure
from g2g_core.metrics.menu import METRICS
from g2g_core.metrics.metric import missing
from g2g_core.models.lord import LordGenerator, LordModulation, check_sizes
from g2g_core.models.networks import Networks
from g2g_core.passes.evaluation import Evaluation
from g2g_core.seeding import generator as seeded
from g2g_core.seeding import numpy_rng, seeded_init
from g2g_core.systems.config import SystemConfig, require
from g2g_core.systems.distance import ImageDistance, Perceptual, image_distance
from g2g_core.systems.lord_networks import LordAmortized, LordEncoder, LordLatent, unit_range
from g2g_core.systems.measuring import PairMeasure
from g2g_core.systems.system import DTYPES, Measured, System, Values, minimize
from g2g_core.systems.trainer import SystemTrainer

BETAS = (0.5, 0.999)

LATENT_METRICS = (
    "short_l1",
    "short_ssim",
    "mixed_l1",
    "mixed_ssim",
    "copy_content_l1",
    "copy_class_l1",
    "swap_score",
    "mixed_diversity",
    "content_effect",
    "class_effect",
    "class_from_content",
)
"""Metrics of the latent stage, recorded as `latent_<name>`: those that work without encoders."""

NO_ENCODERS = "latent_share is 1, so LORD trains no encoders"


@dataclass(frozen=True, kw_only=True)
class LordConfig(SystemConfig):
    """Options of LORD; the defaults are those of the authors' PyTorch code.

    Attributes:
        latent_share: share of the steps that the latent stage gets, above 0. The encoders are
            trained in the others; 1 trains none.
        content_dim: size of the content code.
        class_dim: size of the class code.
        adain_layers: up-sampling stages of the generator, which starts at side / 2^adain_layers.
        adain_dim: channels of the stages, a multiple of 8.
        encoder_filters: channels after the first convolution of an encoder.
        perceptual: what reconstructions are compared in besides pixels: five layers of `vgg16`,
            four of `efficientnet_lite0`, or nothing (`pixels`).
        content_std: standard deviation of the noise on content codes in the latent stage.
        class_std: the same on class codes. LORD's asymmetry means 0.
        content_decay: weight of the squared length of the content codes, noise included.
        shared_class: whether images of a class share one class code. False gives each image its
            own, which removes the supervision.
        lr_generator: learning rate of the generator in the latent stage.
        lr_latent: learning rate of the tables of codes.
        lr_amortized: learning rate of the amortized stage.
        lr_min: learning rate at the end of each stage, which all rates fall to by a cosine.
        content_weight: weight of the distance between encoded and learned content codes.
        class_weight: weight of the distance between encoded and learned class codes.
        train_generator: whether the amortized stage trains its copy of the generator as well.
    """

    batch_size: int = 128
    latent_share: float = 0.5
    content_dim: int = 128
    class_dim: int = 256
    adain_layers: int = 4
    adain_dim: int = 256
    encoder_filters: int = 64
    perceptual: Perceptual = "vgg16"
    content_std: float = 1.0
    class_std: float = 0.0
    content_decay: float = 1e-4
    shared_class: bool = True
    lr_generator: float = 3e-4
    lr_latent: float = 3e-3
    lr_amortized: float = 1e-4
    lr_min: float = 1e-5
    content_weight: float = 10.0
    class_weight: float = 10.0
    train_generator: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, dict.fromkeys(("content_dim", "class_dim", "encoder_filters"), 1))
        require(self, {"adain_layers": 1, "adain_dim": 8})
        names = ("content_std", "class_std", "content_decay", "content_weight", "class_weight")
        require(self, dict.fromkeys((*names, "lr_generator", "lr_latent", "lr_amortized"), 0))
        require(self, {"lr_min": 0})
        if not 0 < self.latent_share <= 1:
            raise ValueError(f"latent_share: {self.latent_share} must be above 0, and at most 1")
        if self.image_size % 16:
            raise ValueError(f"image_size: {self.image_size} must be a multiple of 16")
        try:
            check_sizes((self.image_size,) * 2, self.adain_layers, self.adain_dim, "sigmoid")
        except ValueError as error:
            raise ValueError(str(error).removeprefix("network.")) from None

    @property
    def latent_steps(self) -> int:
        """Number of steps of the latent stage."""
        return max(1, round(self.steps * self.latent_share))

    @property
    def amortized_steps(self) -> int:
        """Number of steps of the amortized stage."""
        return self.steps - self.latent_steps


class LatentStage:
    """The latent stage: trains the tables of codes, the modulation, and the generator.

    Args:
        config: weights and learning rates.
        model: the tables and networks.
        distance: of images in [0, 1].
    """

    def __init__(self, config: LordConfig, model: LordLatent, distance: ImageDistance) -> None:
        self.config, self.model, self.distance = config, model, distance
        networks = [*model.modulation.parameters(), *model.generator.parameters()]
        tables = [model.content_rows.weight, model.class_rows.weight]
        groups: list[dict[str, Any]] = [{"params": networks}, {"params": tables}]
        self.optimizer = Adam(groups, betas=BETAS)

    def losses(
        self, images: Tensor, rows: Tensor, class_rows: Tensor, noise: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Values]:
        """Return the total loss, and its unweighted terms.

        The penalty is on the noisy codes, as in the authors' code, so its value contains about
        content_dim x content_std^2 of noise; the gradient on a row is the expected one.

        Args:
            images: (B, 3, H, W) in [0, 1].
            rows: (B,) numbers of the images.
            class_rows: (B,) numbers of their class codes.
            noise: on content codes (B, content_dim) and on class codes (B, class_dim).
        """
        content = self.model.content_rows(rows) + noise[0]
        class_code = self.model.class_rows(class_rows) + noise[1]
        distance = self.distance(self.model.decode(content, class_code), images)
        penalty = content.square().sum(1).mean()
        terms = {"loss/perceptual": distance, "loss/content_penalty": penalty}
        return distance + self.config.content_decay * penalty, terms

    def step(
        self,
        images: Tensor,
        rows: Tensor,
        class_rows: Tensor,
        noise: tuple[Tensor, Tensor],
        step: int,
    ) -> Values:
        """Take the step after `step` others of this stage; other arguments as for `losses`."""
        config = self.config
        for group, rate in zip(
            self.optimizer.param_groups, (config.lr_generator, config.lr_latent), strict=True
        ):
            group["lr"] = cosine(rate, config.lr_min, step, config.latent_steps)
        total, values = self.losses(images, rows, class_rows, noise)
        norm = minimize(total, self.model, self.optimizer)
        return {**values, "loss/total_latent": total, "health/grad_norm_latent": norm}


class AmortizedStage:
    """The amortized stage: trains encoders towards learned codes, and a copy of the generator.

    Args:
        config: weights and learning rates.
        model: the encoders and the generator.
        latent: the tables, which stay as they are.
        distance: of images in [0, 1].
    """

    def __init__(
        self, config: LordConfig, model: LordAmortized, latent: LordLatent, distance: ImageDistance
    ) -> None:
        self.config, self.model, self.latent, self.distance = config, model, latent, distance
        for network in (model.generator, model.modulation):
            network.requires_grad_(config.train_generator)
        trained = [value for value in model.parameters() if value.requires_grad]
        self.optimizer = Adam(trained, betas=BETAS)

    def begin(self) -> None:
        """Copy what the latent stage has learned into the generator."""
        self.model.generator.load_state_dict(self.latent.generator.state_dict())
        self.model.modulation.load_state_dict(self.latent.modulation.state_dict())

    def losses(self, images: Tensor, rows: Tensor, class_rows: Tensor) -> tuple[Tensor, Values]:
        """Return the total loss, and its unweighted terms.

        Args:
            images: (B, 3, H, W) in [0, 1].
            rows: (B,) numbers of the images.
            class_rows: (B,) numbers of their class codes.
        """
        model, config = self.model, self.config
        with torch.no_grad():
            learned = self.latent.content_rows(rows), self.latent.class_rows(class_rows)
        content, class_code = model.content_encoder(images), model.class_encoder(images)
        made = model.generator(content, model.modulation(class_code))
        distance = self.distance(made, images)
        content_error = (content - learned[0]).square().mean()
        class_error = (class_code - learned[1]).square().mean()
        total = distance + config.content_weight * content_error + config.class_weight * class_error
        return total, {
            "loss/perceptual": distance,
            "loss/content_code": content_error,
            "loss/class_code": class_error,
        }

    def step(self, images: Tensor, rows: Tensor, class_rows: Tensor, step: int) -> Values:
        """Take the step after `step` others of this stage; other arguments as for `losses`."""
        config = self.config
        self.optimizer.param_groups[0]["lr"] = cosine(
            config.lr_amortized, config.lr_min, step, config.amortized_steps
        )
        total, values = self.losses(images, rows, class_rows)
        norm = minimize(total, self.model, self.optimizer)
        return {**values, "loss/total_amortized": total, "health/grad_norm_amortized": norm}


class Lord(System):
    """LORD in training.

    Args:
        config: the options.
        device: `cpu`, `cuda`, or `cuda:<n>`.
        data: the dataset; None makes the one that the config names.

    Raises:
        ValueError: the dataset can't give its training images by number.
    """

    def __init__(self, config: LordConfig, device: str = "cpu", data: Data | None = None) -> None:
        self.config, self.device = config, torch.device(device)
        self.data = config.make_data() if data is None else data
        if not isinstance(self.data, Rows):
            raise ValueError(
                f"dataset: {config.dataset} can't give its training images by number, which LORD "
                "needs"
            )
        self.rows: Rows = self.data
        self.labels = self.rows.image_labels
        self.order = Order(len(self.labels), config.batch_size, config.seed)
        self.class_rows = self.labels if config.shared_class else np.arange(len(self.labels))
        dtype = DTYPES[config.precision]
        distance = image_distance(config.perceptual).to(self.device, dtype)

        side = (config.image_size,) * 2
        with seeded_init(config.seed, "init/lord/latent"):
            generator = LordGenerator(
                config.content_dim, side, config.adain_layers, config.adain_dim, "sigmoid"
            )
            modulation = LordModulation(config.class_dim, config.adain_layers, config.adain_dim)
            classes = self.data.n_classes if config.shared_class else len(self.labels)
            latent = LordLatent(
                len(self.labels),
                classes,
                config.content_dim,
                config.class_dim,
                generator,
                modulation,
            )
        with seeded_init(config.seed, "init/lord/encoders"):
            amortized = amortized_model(config, deepcopy(generator), deepcopy(modulation))
        self.latent = latent.to(self.device, dtype)
        self.amortized = amortized.to(self.device, dtype)
        self.stages = (
            LatentStage(config, self.latent, distance),
            AmortizedStage(config, self.amortized, self.latent, distance),
        )
        self.modules = {"latent": self.latent, "amortized": self.amortized}
        self.optimizers = {
            "latent": (self.latent, self.stages[0].optimizer),
            "amortized": (self.amortized, self.stages[1].optimizer),
        }

        networks_of = Networks(self.amortized, None, None)
        self.measure = PairMeasure(config, self.data, networks_of)
        self.row_pairs, self.row_numbers = self._training_pairs()

    def step(self, step: int) -> Values:
        """Take a step of the stage that `step` is in; see `System.step`."""
        latent, amortized = self.stages
        if step < self.config.latent_steps:
            batch = self.batch(self.order.indices("latent", step))
            return latent.step(*batch, self.noise(step), step)
        own = step - self.config.latent_steps
        if own == 0:
            amortized.begin()
        return amortized.step(*self.batch(self.order.indices("amortized", own)), own)

    def batch(self, indices: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Return images (B, 3, H, W) in [0, 1], and the rows (B,) of their content and class."""
        images = unit_range(self.rows.images_at(indices).to(self.device, self.dtype))
        rows = torch.from_numpy(np.ascontiguousarray(indices)).to(self.device)
        class_rows = torch.from_numpy(np.ascontiguousarray(self.class_rows[indices]))
        return images, rows, class_rows.to(self.device)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the networks."""
        return self.latent.content_rows.weight.dtype

    def noise(self, step: int) -> tuple[Tensor, Tensor]:
        """Return the noise on content codes and class codes of a step of the latent stage."""
        config, size = self.config, self.config.batch_size
        content, class_ = (
            std * torch.randn(size, dim, generator=seeded(config.seed, f"lord/{name}_noise", step))
            for name, dim, std in (
                ("content", config.content_dim, config.content_std),
                ("class", config.class_dim, config.class_std),
            )
        )
        return content.to(self.device, self.dtype), class_.to(self.device, self.dtype)

    def evaluate(self, step: int) -> Measured:
        """Return the metrics of the stage that the steps so far belong to; see `System.evaluate`.

        Encoders are evaluated on the evaluation pairs, at step 0 and in the amortized stage. In the
        latent stage only training images have codes, so pairs of these are evaluated.
        """
        measured = Measured()
        if step <= self.config.latent_steps:
            evaluation = _RowEvaluation(self.latent, self.row_pairs, self.row_numbers, self)
            for name in self._latent_metrics():
                measured.values[f"metric/latent_{name}"] = METRICS[name].function(evaluation)
        if not self.config.amortized_steps:
            # All figures of a trial have the same rows, so pairs of rows are shown only here.
            measured.images = figure(evaluation, ("real", "mixed"))
            measured.not_applicable = dict.fromkeys(self.measure.names, NO_ENCODERS)
        elif step == 0 or step > self.config.latent_steps:
            values, measured.images = self.measure()
            measured.values |= values
        return measured

    def recorded(self) -> tuple[str, ...]:
        """Return the names of the metrics that a run records; see `System.recorded`."""
        latent = tuple(f"latent_{name}" for name in self._latent_metrics())
        return (*latent, *(self.measure.names if self.config.amortized_steps else ()))

    def digests(self) -> dict[str, str]:
        """Return digests of what a run starts from; see `System.digests`."""
        orders: list[Tensor | NDArray[np.int64]] = [
            self.order.indices("latent", step) for step in range(self.config.latent_steps)
        ]
        orders += [
            self.order.indices("amortized", step) for step in range(self.config.amortized_steps)
        ]
        pairs = [self.measure.pairs.digest, self.row_pairs.digest]
        return {
            "data": self.data.digest,
            "data_order": digest_of(orders),
            "eval_pairs": digest_of(pairs),
        }

    def _latent_metrics(self) -> list[str]:
        """Return the metrics of the latent stage that the dataset allows."""
        return [name for name in LATENT_METRICS if not missing(METRICS[name], self.row_pairs)]

    def _training_pairs(self) -> tuple[EvaluationPairs, NDArray[np.int64]]:
        """Return fixed pairs of training images of different classes, and their numbers (2P,).

        If the dataset knows mixed images, pairs are drawn until both of them exist.
        """
        count, rng = self.config.eval_pairs, numpy_rng(self.config.seed, "lord/pairs")
        drawn: list[tuple[int, int]] = []
        mixed: list[tuple[int | None, int | None]] = []
        for attempt in range(100 * count):
            first, second = (int(i) for i in rng.choice(len(self.labels), 2, replace=False))
            both = self.rows.mixed_at(first, second), self.rows.mixed_at(second, first)
            same_image = first in both or second in both
            lacking = None in both and attempt < 50 * count and any(None not in m for m in mixed)
            if self.labels[first] != self.labels[second] and not same_image and not lacking:
                drawn.append((first, second))
                mixed.append(both)
            if len(drawn) == count:
                break
        numbers = np.array(drawn, dtype=np.int64).T.reshape(-1)
        known = [i for pair in zip(*mixed, strict=True) for i in pair if i is not None]
        images = self.rows.images_at(numbers)
        labels = torch.from_numpy(self.labels[numbers])
        truth = (
            self.rows.images_at(np.array(known, dtype=np.int64))
            if len(known) == len(numbers)
            else None
        )
        half = len(drawn)
        pairs = EvaluationPairs(
            first=images[:half],
            first_labels=labels[:half],
            second=images[half:],
            second_labels=labels[half:],
            digest=digest_of([images, labels, truth]),
            split="train",
            class_names=self.data.class_names,
            truth=truth,
        )
        return pairs, numbers


def amortized_model(
    config: LordConfig,
    generator: LordGenerator | None = None,
    modulation: LordModulation | None = None,
) -> LordAmortized:
    """Return the networks of the amortized stage, with new encoders.

    Args:
        config: sizes.
        generator: None makes a new one.
        modulation: None makes a new one.
    """
    side = (config.image_size,) * 2
    return LordAmortized(
        LordEncoder(side, config.content_dim, config.encoder_filters),
        LordEncoder(side, config.class_dim, config.encoder_filters),
        generator
        or LordGenerator(
            config.content_dim, side, config.adain_layers, config.adain_dim, "sigmoid"
        ),
        modulation or LordModulation(config.class_dim, config.adain_layers, config.adain_dim),
    )


class _RowEvaluation(Evaluation):
    """The evaluation of pairs of training images, whose codes are rows of the tables.

    Args:
        latent: the latent stage.
        pairs: of training images.
        numbers: (2P,) number of each image of the pairs.
        system: knows the class of each image.
    """

    def __init__(
        self, latent: LordLatent, pairs: EvaluationPairs, numbers: NDArray[np.int64], system: Lord
    ) -> None:
        super().__init__(Networks(_Ranged(latent), None, None), "raw", pairs)
        with torch.no_grad():
            rows = torch.from_numpy(numbers).to(system.device)
            class_rows = torch.from_numpy(system.class_rows[numbers]).to(system.device)
            self.content = latent.content_rows(rows)
            self.class_code = latent.class_rows(class_rows)


class _Ranged(torch.nn.Module):
    """The decoder of the latent stage, with images in [-1, 1]."""

    def __init__(self, latent: LordLatent) -> None:
        super().__init__()
        self.latent = latent

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1]."""
        return 2 * self.latent.decode(content, class_code) - 1


def cosine(rate: float, lowest: float, step: int, steps: int) -> float:
    """Return the learning rate of the step after `step` others, of `steps` in all.

    It falls from `rate` at the first step to `lowest` after the last one.
    """
    return lowest + (rate - lowest) * (1 + cos(pi * step / steps)) / 2


def inapplicable(config: LordConfig, metric: str) -> str | None:
    """Return why a metric doesn't apply to a config, or None if it does."""
    if not metric.startswith("latent_") and not config.amortized_steps:
        return NO_ENCODERS
    return None


def latent_metrics() -> Mapping[str, object]:
    """Return the metrics of the latent stage."""
    return {
        f"latent_{name}": replace(
            METRICS[name],
            name=f"latent_{name}",
            description=f"{METRICS[name].description}, for training images with learned codes",
        )
        for name in LATENT_METRICS
    }


trainer = SystemTrainer(
    "lord",
    LordConfig,
    Lord,
    "LORD: codes of training images and classes, then encoders (arXiv 1906.11796)",
    {**METRICS, **latent_metrics()},  # type: ignore[dict-item]
    inapplicable,
    acts_later=lambda config: config.amortized_steps > 0,
)
"""The trainer that study files name `lord`."""
