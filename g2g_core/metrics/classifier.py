"""A small classifier of the evaluation classes, as a judge of mixed images.

Metrics also use it as a feature network. It depends on the dataset alone, not on the seed, the
model, or the losses of a trial. All arms and seeds therefore have the same judge, which no trial
trains.
"""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from g2g_base.atomic import write_bytes
from g2g_base.locks import alone
from g2g_core.data.pairs import EvaluationPairs
from g2g_core.hashing import cache_folder
from g2g_core.metrics.probes import distinct
from g2g_core.seeding import generator, seed_number

RECIPE = "2"  # Raise it when the same images would give another classifier or judgment.
WIDTHS = (24, 48, 96)
LARGEST_PX = 64
STEPS = 200
BATCH = 32
LEARNING_RATE = 3e-3
HELD_OUT_EVERY = 5
SHIFT = 0.1


@dataclass(frozen=True)
class Judgement:
    """How good the classifier is.

    A high translation accuracy means little if `accuracy` is low.

    Attributes:
        accuracy: share of held-out images of the same classes that are classified correctly; None
            if no class has five distinct images.
        n_train: number of distinct training images.
        n_held_out: number of distinct images that `accuracy` is measured on.
        n_classes: number of classes.
    """

    accuracy: float | None
    n_train: int
    n_held_out: int
    n_classes: int


class Classifier(nn.Module):
    """Three convolutions with batch norm and pooling: 54,000 parameters for 8 classes.

    Args:
        n_classes: number of classes.
        image_size: side of the images, pixels; larger images are shrunk to 64 pixels (bilinear,
            anti-aliased).
    """

    def __init__(self, n_classes: int, image_size: int) -> None:
        super().__init__()
        self.input_px = min(image_size, LARGEST_PX)
        self.resize = (
            f"bilinear, anti-aliased, to {self.input_px} px" if image_size > LARGEST_PX else "none"
        )
        strides = (2, 1, 1) if self.input_px > 32 else (1, 1, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(narrow, wide, 3, stride, 1, bias=False),
                nn.BatchNorm2d(wide),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            for narrow, wide, stride in zip((3, *WIDTHS), WIDTHS, strides, strict=False)
        )
        self.head = nn.Linear(WIDTHS[-1], n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, n_classes) of images (N, 3, H, W) in [-1, 1]."""
        return self.logits(self.look(images)[-1])

    def logits(self, code: Tensor) -> Tensor:
        """Return the logits (N, n_classes) of the (N, 96) codes that `look` returns last."""
        logits: Tensor = self.head(code)
        return logits

    def look(self, images: Tensor) -> list[Tensor]:
        """Return the maps after each stage, then the average of the last map, (N, 96)."""
        maps = [self.fitted(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return [*maps[1:], maps[-1].mean(dim=(2, 3))]

    def fitted(self, images: Tensor) -> Tensor:
        """Return the images at the size that the classifier reads."""
        if images.shape[-1] == self.input_px:
            return images
        return interpolate(images, size=(self.input_px,) * 2, mode="bilinear", antialias=True)


def train_classifier(pool: EvaluationPairs) -> tuple[Classifier, Judgement]:
    """Return a classifier of the pool's classes, and how good it is.

    Every fifth distinct image of a class is held out. Adam trains for 200 batches of 32 mirrored
    and shifted images, with a one-cycle learning rate. The same pool gives a bit-identical
    classifier on CPUs of the same kind.
    """
    images = torch.cat([pool.first, pool.second])
    labels = torch.cat([pool.first_labels, pool.second_labels])
    keep = distinct(images)
    images, labels = images[keep], labels[keep]
    held_out = _every_fifth(labels)

    # One thread, so that the result doesn't depend on the threads of the trial that comes first.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed_number(0, "metrics/classifier"))
            model = Classifier(len(pool.class_names), images.shape[-1])
            _fit(model, model.fitted(images[~held_out]), labels[~held_out])
    finally:
        torch.set_num_threads(threads)
    model.eval().requires_grad_(False)

    n_held_out = int(held_out.sum())
    right = (model(images[held_out]).argmax(dim=1) == labels[held_out]).double()
    accuracy = float(right.mean()) if n_held_out else None
    n_train = len(labels) - n_held_out
    return model, Judgement(accuracy, n_train, n_held_out, len(pool.class_names))


def judge(
    key: str, n_classes: int, image_size: int, pool: Callable[[], EvaluationPairs]
) -> tuple[Classifier, Judgement]:
    """Return the classifier with this key and how good it is.

    It comes from the cache folder. The first trial on a machine trains and stores it.

    Args:
        key: digest of everything that the classifier depends on.
        n_classes: number of classes.
        image_size: side of the images, pixels.
        pool: returns the labeled images; called only if the classifier has to be trained.
    """
    trained = _stored(key, n_classes, image_size)
    if trained is not None:
        return trained

    try:
        _path(key).parent.mkdir(parents=True, exist_ok=True)
        with alone(_path(key).with_suffix(".lock")):
            # Another process may have trained it while this one waited for the lock.
            trained = _stored(key, n_classes, image_size)
            if trained is None:
                trained = train_classifier(pool())
                write_bytes(_path(key), _serialized(*trained))
    except OSError:
        # The cache folder isn't writable: the classifier serves this process only.
        trained = trained or train_classifier(pool())
    return trained


def _stored(key: str, n_classes: int, image_size: int) -> tuple[Classifier, Judgement] | None:
    """Return the classifier with this key from the cache; None if it is missing or damaged."""
    try:
        content = torch.load(_path(key), weights_only=True, map_location="cpu")
        model = Classifier(n_classes, image_size)
        model.load_state_dict(content["weights"])
        return model.eval().requires_grad_(False), Judgement(**json.loads(content["judgement"]))
    except Exception:
        # `torch.load` raises many kinds of errors for a damaged file. Each means: train again.
        return None


def _serialized(model: Classifier, judgement: Judgement) -> bytes:
    content = io.BytesIO()
    torch.save({"weights": model.state_dict(), "judgement": json.dumps(asdict(judgement))}, content)
    return content.getvalue()


def _path(key: str) -> Path:
    return cache_folder() / "classifiers" / f"{key[:40]}-{RECIPE}.pt"


def _every_fifth(labels: Tensor) -> Tensor:
    """Return (n,) bool: true for the fifth, tenth, ... image of each class."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        of_class = torch.nonzero(labels == label).flatten()
        chosen[of_class[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]] = True
    return chosen


def _fit(model: Classifier, images: Tensor, labels: Tensor) -> None:
    rng = generator(0, "metrics/classifier_batches")
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    for _ in range(STEPS):
        index = torch.randint(len(images), (BATCH,), generator=rng)
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(model(_augmented(images[index], rng)), labels[index]))
        optimizer.step()
        rate.step()


def _augmented(images: Tensor, rng: torch.Generator) -> Tensor:
    """Return the images, half of them mirrored and all shifted by up to a tenth of the side.

    The whole batch has one shift, and the borders wrap around.
    """
    mirrored = torch.rand(len(images), generator=rng) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    reach = int(SHIFT * images.shape[-1])
    down, right = (int(n) for n in torch.randint(-reach, reach + 1, (2,), generator=rng))
    return images.roll((down, right), (2, 3))
