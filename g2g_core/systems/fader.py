"""Fader Networks: attributes come from outside, and a judge of the code keeps them out of it.

An encoder, a decoder that gets the attributes in every layer, and a latent discriminator that
guesses the attributes from the code (arXiv 1706.00409). The encoder makes the discriminator guess
wrong values; the weight of that term rises over a ramp.

Written from the published description and the authors' defaults; every number of two runs of their
code is reproduced by `tests/g2g_core/systems/test_fixtures_fader.py`, with all sub-steps in their
order. Where the paper and the code differ, the code's form is the default: its learning rate is a
tenth of the paper's, and it mirrors whole batches. Images don't have to be CelebA's, and the class
of a dataset is an attribute like any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from g2g_core.data.pairs import Attribute, EvaluationPairs, Rows, attribute_of, digest_of
from g2g_core.metrics.menu import METRICS
from g2g_core.metrics.metric import Metric
from g2g_core.metrics.references import References
from g2g_core.models.networks import Networks
from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation, inference
from g2g_core.seeding import numpy_rng, seeded_init
from g2g_core.systems.config import SystemConfig, require
from g2g_core.systems.fader_networks import (
    Deconvolution,
    FaderAutoencoder,
    FaderClassifier,
    FaderPatch,
    FaderSizes,
    attribute_loss,
    category_of,
    latent_discriminator,
    one_hot,
)
from g2g_core.systems.measuring import PairMeasure
from g2g_core.systems.randomness import Randomness
from g2g_core.systems.system import DTYPES, Measured, System, Values, minimize
from g2g_core.systems.trainer import SystemTrainer

NO_CLASS_CODE = "a Fader network gets the class from outside, so images have no class code"
NOT_APPLICABLE = dict.fromkeys(
    (
        "class_from_class",
        "content_from_class",
        "dci_disentanglement",
        "dci_completeness",
        "dci_informativeness",
    ),
    NO_CLASS_CODE,
)
"""Metric -> why it doesn't apply."""

SMALLEST_PATCH = 32
"""Smallest side of images that the judge of realism takes, pixels."""


@dataclass(frozen=True, kw_only=True)
class FaderConfig(SystemConfig):
    """Options of Fader Networks; the defaults are those of the authors' code.

    Attributes:
        attributes: what the decoder gets from outside: `class`, or named attributes of the dataset.
        filters: channels after the first convolution; each further one doubles them.
        max_filters: largest number of channels.
        layers: convolutions of the encoder, each of which halves the side.
        skips: encoder maps that the decoder gets besides the code.
        hidden: units of the dense layer of the judges.
        deconvolution: how the decoder doubles the side: `convtranspose`, `upsampling`, or
            `pixelshuffle`.
        instance_norm: whether the autoencoder has instance norm in place of batch norm.
        decoder_dropout: dropout of the first layers of the decoder.
        latent_dropout: dropout of the latent discriminator.
        reconstruction: weight of the reconstruction error.
        latent: weight of the latent discriminator's verdict. 0 is a plain conditional autoencoder.
        patch: weight of the verdict of the judge of realism; 0: it is not used.
        classifier: weight of the verdict of the classifier of images; 0: it is not used.
        ramp: steps over which the weights of all verdicts rise from 0; 0: they are whole at once.
            The authors' 500,000 switch them off in short studies.
        latent_steps: steps of the latent discriminator before each step of the autoencoder.
        patch_steps: the same for the judge of realism.
        classifier_steps: the same for the classifier of images.
        smooth_label: distance of the labels of realism from 0 and 1.
        clip: largest norm of a network's gradient; 0 clips nothing.
        learning_rate: of all networks.
        flip: `batch` mirrors all images of half of the batches, `none` mirrors none.
    """

    image_size: int = 256
    batch_size: int = 32
    eval_split: Literal["test", "train"] = "train"
    attributes: tuple[str, ...] = ("class",)
    filters: int = 32
    max_filters: int = 512
    layers: int = 6
    skips: int = 0
    hidden: int = 512
    deconvolution: Deconvolution = "convtranspose"
    instance_norm: bool = False
    decoder_dropout: float = 0.0
    latent_dropout: float = 0.3
    reconstruction: float = 1.0
    latent: float = 1e-4
    patch: float = 0.0
    classifier: float = 0.0
    ramp: int = 500_000
    latent_steps: int = 1
    patch_steps: int = 0
    classifier_steps: int = 0
    smooth_label: float = 0.2
    clip: float = 5.0
    learning_rate: float = 2e-4
    flip: Literal["batch", "none"] = "batch"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, dict.fromkeys(("filters", "max_filters", "layers", "hidden"), 1))
        weights = ("reconstruction", "latent", "patch", "classifier", "learning_rate", "clip")
        steps = ("ramp", "latent_steps", "patch_steps", "classifier_steps", "skips")
        require(self, dict.fromkeys((*weights, *steps, "smooth_label"), 0))
        require(self, dict.fromkeys(("decoder_dropout", "latent_dropout"), 0))
        halvings = self.image_size.bit_length() - 1
        if self.image_size != 2**halvings:
            raise ValueError(f"image_size: {self.image_size} must be a power of two")
        if self.layers > halvings:
            raise ValueError(
                f"layers: {self.layers} must be at most {halvings}, which bring {self.image_size} "
                "pixels down to one"
            )
        if self.skips >= self.layers:
            raise ValueError(f"skips: {self.skips} must be below layers, {self.layers}")
        if self.instance_norm and self.layers == halvings:
            raise ValueError(
                f"instance_norm: a code of one pixel has no variance; layers below {halvings} fit"
            )
        for name in ("decoder_dropout", "latent_dropout"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name}: {getattr(self, name)} must be below 1")
        if (self.patch or self.patch_steps) and self.image_size < SMALLEST_PATCH:
            raise ValueError(
                f"patch: the judge of realism takes images of at least {SMALLEST_PATCH} pixels"
            )
        for weight, taken in (("patch", "patch_steps"), ("classifier", "classifier_steps")):
            if getattr(self, weight) and not getattr(self, taken):
                raise ValueError(f"{weight}: its judge is never trained; {taken} must be above 0")
        if not self.attributes:
            raise ValueError("attributes: at least one is needed, such as class")
        if self.eval_shots > 1:
            raise ValueError(f"eval_shots: must be 1: {NO_CLASS_CODE}")

    def sizes(self, categories: tuple[int, ...]) -> FaderSizes:
        """Return the sizes of the networks for attributes with these numbers of categories."""
        return FaderSizes(
            image_size=self.image_size,
            categories=categories,
            filters=self.filters,
            max_filters=self.max_filters,
            layers=self.layers,
            skips=self.skips,
            hidden=self.hidden,
            deconvolution=self.deconvolution,
            instance_norm=self.instance_norm,
            decoder_dropout=self.decoder_dropout,
            judge_dropout=self.latent_dropout,
        )

    def share(self, step: int) -> float:
        """Return the factor on the weights of all verdicts in the step after `step` others."""
        return min(step, self.ramp) / self.ramp if self.ramp else 1.0


NextBatch = Callable[[], tuple[Tensor, Tensor]]
"""Returns new images (B, C, H, W) in [-1, 1] with their attribute vectors (B, entries)."""


class FaderSteps:
    """The sub-steps of an iteration, in the authors' order, each on a batch of its own.

    Args:
        config: weights and numbers of sub-steps.
        sizes: of the networks.
        randomness: of dropout, wrong values, and random values.
    """

    def __init__(self, config: FaderConfig, sizes: FaderSizes, randomness: Randomness) -> None:
        self.config, self.sizes, self.randomness = config, sizes, randomness
        self.autoencoder = FaderAutoencoder(sizes, randomness)
        self.judges: dict[str, nn.Module] = {"latent": latent_discriminator(sizes, randomness)}
        if config.patch_steps:
            self.judges["patch"] = FaderPatch(sizes)
        if config.classifier_steps:
            self.judges["classifier"] = FaderClassifier(sizes, 0, 0.0, randomness)

    def start(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the networks, and make their optimizers."""
        for network in self.networks.values():
            network.to(device, dtype)
        self.optimizers = {
            name: Adam(network.parameters(), self.config.learning_rate, (0.5, 0.999))
            for name, network in self.networks.items()
        }

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by name."""
        return {"autoencoder": self.autoencoder, **self.judges}

    def iterate(self, step: int, next_batch: NextBatch) -> Values:
        """Take the iteration after `step` others; return its losses, unweighted, and norms."""
        values: Values = {}
        config = self.config
        for _ in range(config.latent_steps):
            values |= self.train_latent(*next_batch())
        for _ in range(config.patch_steps):
            values |= self.train_patch(*next_batch())
        for _ in range(config.classifier_steps):
            values |= self.train_classifier(*next_batch())
        return values | self.train_autoencoder(*next_batch(), config.share(step))

    def train_latent(self, images: Tensor, attributes: Tensor) -> Values:
        """Train the latent discriminator to read the attributes from the code."""
        self.autoencoder.eval()
        self.judges["latent"].train()
        with torch.no_grad():
            code = self.autoencoder.judged(self.autoencoder.encode(images))
        loss = self._attribute_loss(self.judges["latent"](code), attributes)
        return {"loss/latent": loss, **self._minimize("latent", loss)}

    def train_patch(self, images: Tensor, attributes: Tensor) -> Values:
        """Train the judge of realism on real images, and on images with random attributes."""
        self.autoencoder.eval()
        self.judges["patch"].train()
        with torch.no_grad():
            maps = self.autoencoder.encode(images)
            made = self.autoencoder.decode(maps, self.random_attributes(attributes))[-1]
        # Two passes, because batch norm must not see real and made images together.
        verdicts = self.judges["patch"](images), self.judges["patch"](made)
        smooth = self.config.smooth_label
        loss = self._realism(verdicts[0], 1 - smooth) + self._realism(verdicts[1], smooth)
        return {"loss/patch": loss, **self._minimize("patch", loss)}

    def train_classifier(self, images: Tensor, attributes: Tensor) -> Values:
        """Train the classifier of images."""
        self.judges["classifier"].train()
        loss = self._attribute_loss(self.judges["classifier"](images), attributes)
        return {"loss/classifier": loss, **self._minimize("classifier", loss)}

    def train_autoencoder(self, images: Tensor, attributes: Tensor, share: float) -> Values:
        """Train the autoencoder on the reconstruction and on the verdicts of all judges.

        Args:
            images: (B, C, H, W) in [-1, 1].
            attributes: (B, entries).
            share: factor on the weights of the verdicts, from the ramp.
        """
        config, autoencoder = self.config, self.autoencoder
        autoencoder.train()
        for judge in self.judges.values():
            judge.eval()
        maps = autoencoder.encode(images)
        error = (autoencoder.decode(maps, attributes)[-1] - images).square().mean()
        total = config.reconstruction * error
        values = {"loss/reconstruction": error}

        if config.latent:
            guess = self.judges["latent"](autoencoder.judged(maps))
            fooled = self._attribute_loss(guess, self.wrong_attributes(attributes))
            total = total + share * config.latent * fooled
            values["loss/latent_fooled"] = fooled

        if config.patch or config.classifier:
            random = self.random_attributes(attributes)
            # A second decoding in training mode, which moves its running statistics again.
            made = autoencoder.decode(maps, random)[-1]
            if config.patch:
                real = self._realism(self.judges["patch"](made), 1 - config.smooth_label)
                total = total + share * config.patch * real
                values["loss/patch_fooled"] = real
            if config.classifier:
                seen = self._attribute_loss(self.judges["classifier"](made), random)
                total = total + share * config.classifier * seen
                values["loss/classifier_made"] = seen
        return {
            **values,
            "loss/total": total,
            **self._minimize("autoencoder", total),
            "health/latent_weight": error.new_tensor(share * config.latent),
        }

    def wrong_attributes(self, attributes: Tensor) -> Tensor:
        """Return attribute vectors with another category of every attribute, drawn uniformly."""
        categories = self.sizes.categories
        wrong = [
            (true + 1 + self.randomness.integers(len(true), size - 1).to(true.device)) % size
            for true, size in zip(category_of(attributes, categories), categories, strict=True)
        ]
        return one_hot(wrong, categories).to(attributes)

    def random_attributes(self, attributes: Tensor) -> Tensor:
        """Return attribute vectors with uniform categories, which may be the true ones."""
        categories = self.sizes.categories
        drawn = [self.randomness.integers(len(attributes), size) for size in categories]
        return one_hot(drawn, categories).to(attributes)

    def _attribute_loss(self, logits: Tensor, attributes: Tensor) -> Tensor:
        return attribute_loss(logits, attributes, self.sizes.categories)

    def _realism(self, verdict: Tensor, label: float) -> Tensor:
        if not torch.isfinite(verdict).all():
            # torch refuses such values, but they mean that the run diverges.
            return verdict.sum()
        return functional.binary_cross_entropy(verdict, torch.full_like(verdict, label))

    def _minimize(self, name: str, loss: Tensor) -> Values:
        """Take a step of one network's optimizer, and return the norm of its gradient."""
        norm = minimize(loss, self.networks[name], self.optimizers[name], self.config.clip)
        return {f"health/grad_norm_{name}": norm}


class Fader(System):
    """Fader Networks in training.

    Args:
        config: the options.
        device: `cpu`, `cuda`, or `cuda:<n>`.

    Raises:
        ValueError: the dataset lacks an attribute, or the evaluation pairs show other classes.
    """

    def __init__(self, config: FaderConfig, device: str = "cpu") -> None:
        self.config, self.device = config, torch.device(device)
        self.dtype = DTYPES[config.precision]
        self.data = config.make_data()
        known = {name: attribute_of(self.data, name) for name in config.attributes}
        assert isinstance(self.data, Rows)
        self.rows: Rows = self.data
        self.attributes = ordered(known)
        categories = tuple(len(one.values) for one in self.attributes.values())
        few = [name for name, one in self.attributes.items() if len(one.values) < 2]
        if few:
            raise ValueError(f"attributes: {few[0]} has fewer than 2 values")
        self.randomness = Randomness(config.seed, "fader")
        with seeded_init(config.seed, "init/fader"):
            self.steps = FaderSteps(config, config.sizes(categories), self.randomness)
        self.steps.start(self.device, self.dtype)
        self.modules = self.steps.networks
        self.optimizers = {
            name: (self.modules[name], optimizer)
            for name, optimizer in self.steps.optimizers.items()
        }
        self.labels = torch.stack(
            [torch.from_numpy(one.numbers) for one in self.attributes.values()]
        )

        generator = FaderGenerator(self.steps.autoencoder)
        self.measure = PairMeasure(
            config,
            self.data,
            Networks(generator, None, None),
            self._evaluation,
            NOT_APPLICABLE,
            (LATENT_ACCURACY,),
        )
        if "class" in self.attributes and self.measure.pairs.split != "train":
            raise ValueError(
                "eval_split: test pairs are of new classes, which a Fader network can't make; "
                "train is possible"
            )

    def step(self, step: int) -> Values:
        """Take an iteration; see `System.step`."""
        self.randomness.at(step)
        calls = count()
        return self.steps.iterate(step, lambda: self.batch(step, next(calls)))

    def batch(self, step: int, call: int) -> tuple[Tensor, Tensor]:
        """Return a batch, drawn with replacement.

        Args:
            step: number of completed steps.
            call: number of batches that this step has had before.
        """
        rng = numpy_rng(self.config.seed, "fader/batch", step, call)
        indices = rng.integers(self.labels.shape[1], size=self.config.batch_size)
        mirrored = self.config.flip == "batch" and rng.random() < 0.5
        images = self.rows.images_at(indices)
        images = images.flip(-1) if mirrored else images
        numbers = [row[torch.from_numpy(indices)] for row in self.labels]
        vectors = one_hot(numbers, self.steps.sizes.categories)
        return images.to(self.device, self.dtype), vectors.to(self.device, self.dtype)

    def evaluate(self, step: int) -> Measured:  # noqa: ARG002
        """Return the metrics and images; see `System.evaluate`."""
        return Measured(*self.measure(), self.measure.not_applicable)

    def recorded(self) -> tuple[str, ...]:
        """Return the names of the metrics that a run records; see `System.recorded`."""
        return self.measure.names

    def facts(self) -> dict[str, Any]:
        """Return the attributes with their values, in their order; see `System.facts`."""
        return {"attributes": {name: list(one.values) for name, one in self.attributes.items()}}

    def digests(self) -> dict[str, str]:
        """Return digests of what a run starts from; see `System.digests`."""
        drawn = [
            numpy_rng(self.config.seed, "fader/batch", step, 0).integers(
                self.labels.shape[1], size=self.config.batch_size
            )
            for step in range(self.config.steps)
        ]
        return {
            "data": self.data.digest,
            "data_order": digest_of(drawn),
            "eval_pairs": self.measure.pairs.digest,
        }

    def _evaluation(
        self, networks: Networks, pairs: EvaluationPairs, references: References
    ) -> Evaluation:
        """Return the evaluation of pairs, whose attributes come from their labels."""
        own, mixed = attribute_vectors(pairs, self.attributes)
        return FaderEvaluation(networks, pairs, references, own, mixed, self.steps.judges["latent"])


def ordered(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return attributes in the authors' order: by number of values, then by name."""
    return dict(sorted(attributes.items(), key=lambda item: (len(item[1].values), item[0])))


def attribute_vectors(
    pairs: EvaluationPairs, attributes: Mapping[str, Attribute]
) -> tuple[Tensor, Tensor]:
    """Return the attribute vectors (2P, entries) of pairs: of the images, and of the mixed images.

    A mixed image has the class of its own image, and all other attributes of its partner.
    """
    own = {
        "class": torch.cat([pairs.first_labels, pairs.second_labels]),
        **pairs.attributes,
    }
    mixed = {name: one if name == "class" else swap(one) for name, one in own.items()}
    categories = [len(one.values) for one in attributes.values()]
    # Without the class, what is swapped are the attributes themselves.
    if "class" not in attributes:
        mixed = own
    return (
        one_hot([own[name] for name in attributes], categories),
        one_hot([mixed[name] for name in attributes], categories),
    )


class FaderGenerator(nn.Module):
    """The autoencoder as metrics see it: a content code of images, and images of code and class.

    Args:
        autoencoder: of Fader Networks.
    """

    def __init__(self, autoencoder: FaderAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def content_code(self, images: Tensor) -> Tensor:
        """Return the code (B, C, h, w); with skips, all maps that the decoder gets, (B, d)."""
        maps = self.autoencoder.encode(images)
        skips = self.autoencoder.sizes.skips
        if not skips:
            return maps[-1]
        return torch.cat([one.flatten(1) for one in maps[-1 - skips :]], dim=1)

    def decode(self, content: Tensor, attributes: Tensor) -> Tensor:
        """Return images (B, 3, H, W) in [-1, 1] of content codes and attribute vectors."""
        sizes, maps = self.autoencoder.sizes, [content]
        if sizes.skips:
            shapes = [
                (sizes.width(layer), *(sizes.image_size // 2 ** (layer + 1),) * 2)
                for layer in range(sizes.layers - 1 - sizes.skips, sizes.layers)
            ]
            lengths = [width * height * length for width, height, length in shapes]
            maps = [
                part.reshape(-1, *shape)
                for part, shape in zip(torch.split(content, lengths, 1), shapes, strict=True)
            ]
        return self.autoencoder.decode(maps, attributes)[-1]


class FaderEvaluation(Evaluation):
    """The evaluation of pairs whose class comes from labels instead of images.

    Args:
        networks: hold the generator.
        pairs: the evaluation pairs.
        references: judges and reference images.
        own: (2P, entries) attribute vectors of the images.
        mixed: (2P, entries) attribute vectors of the mixed images.
        judge: the latent discriminator.
    """

    def __init__(
        self,
        networks: Networks,
        pairs: EvaluationPairs,
        references: References,
        own: Tensor,
        mixed: Tensor,
        judge: nn.Module,
    ) -> None:
        super().__init__(networks, "raw", pairs, references)
        self.class_code = self.mixed_class = own.to(self._device)
        self.shared_class_code = mixed.to(self._device)
        self._judge = judge

    def latent_accuracy(self) -> float:
        """Return how often the latent discriminator reads an attribute from the code rightly."""
        generator = self.generator
        assert isinstance(generator, FaderGenerator)
        autoencoder = generator.autoencoder
        categories = autoencoder.sizes.categories
        images = self.real.to(self._dtype)
        with inference(autoencoder, self._device), inference(self._judge, self._device):
            logits = self._judge(autoencoder.judged(autoencoder.encode(images)))
        guesses = category_of(logits, categories)
        truths = category_of(self.class_code, categories)
        right = [guess == truth for guess, truth in zip(guesses, truths, strict=True)]
        return float(torch.stack(right).double().mean())


def latent_accuracy(evaluation: Evaluation) -> float:
    """Return `FaderEvaluation.latent_accuracy`.

    Raises:
        TypeError: the evaluation is of another system.
    """
    if not isinstance(evaluation, FaderEvaluation):
        raise TypeError("latent_accuracy is a metric of Fader Networks only")
    return evaluation.latent_accuracy()


LATENT_ACCURACY = Metric(
    "latent_accuracy",
    latent_accuracy,
    "lower",
    "0 to 1; chance is 1 / number of values",
    "how often the latent discriminator reads an attribute from the code of an evaluation image",
    "what another reader would find: see class_from_content",
    source="arXiv 1706.00409",
)
"""The metric that only this system has."""


def inapplicable(_config: FaderConfig, metric: str) -> str | None:
    """Return why a metric doesn't apply, or None if it does."""
    return NOT_APPLICABLE.get(metric)


def cautions(config: FaderConfig) -> list[str]:
    """Return warnings about settings that are valid but probably not intended."""
    highest = config.share(config.steps - 1)
    if config.latent and highest < 0.1:
        return [
            f"ramp: {config.ramp} steps of ramp in {config.steps} steps: the weight of the latent "
            f"discriminator ends at {highest * config.latent:.1g}, so it hardly acts"
        ]
    return []


trainer = SystemTrainer(
    "fader",
    FaderConfig,
    Fader,
    "Fader Networks: attributes from outside, kept out of the code (arXiv 1706.00409)",
    {**METRICS, LATENT_ACCURACY.name: LATENT_ACCURACY},
    inapplicable,
    cautions,
    lambda config: config.ramp > 0,
)
"""The trainer that study files name `fader`."""
