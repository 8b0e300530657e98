"""A small classifier of the evaluation classes that no trial trains: a judge of mixed images, and a
feature network.

It depends on the data set alone, not on the trial's seed, model or losses, so that all arms and
seeds have one judge.
"""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from g2g_core.data.cache import alone
from g2g_core.data.pairs import EvaluationPairs
from g2g_core.hashing import cache_folder, write_atomically
from g2g_core.metrics.probes import distinct
from g2g_core.seeding import generator, seed_number

RECIPE = "2"  # goes up when the same images give another classifier or judgement
WIDTHS = (24, 48, 96)
LARGEST_PX = 64
STEPS = 200
BATCH = 32
LEARNING_RATE = 3e-3
HELD_OUT_EVERY = 5
SHIFT = 0.1


@dataclass(frozen=True)
class Judgement:
    """How good the classifier is: a translation accuracy means little beside a low `accuracy`.

    Attributes:
        accuracy: on held-out images of the same classes; None: there are none, no class has five
            distinct images.
        n_train: distinct images it was trained on.
        n_held_out: distinct images that `accuracy` is taken on.
        n_classes: number of classes.
    """

    accuracy: float | None
    n_train: int
    n_held_out: int
    n_classes: int


class Classifier(nn.Module):
    """Three convolutions with batch norm and pooling: 54,000 parameters at 8 classes.

    Args:
        n_classes: number of classes.
        image_size: side of the images; above 64 px they are shrunk to 64 px (bilinear,
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
                nn.Conv2d(a, b, 3, stride, 1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(),
                nn.MaxPool2d(2),
            )
            for a, b, stride in zip((3, *WIDTHS), WIDTHS, strides, strict=False)
        )
        self.head = nn.Linear(WIDTHS[-1], n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits: (N, 3, H, W) in [-1, 1] -> (N, n_classes)."""
        return self.logits(self.look(images)[-1])

    def logits(self, code: Tensor) -> Tensor:
        """Logits of the (N, 96) codes that `look` gives: (N, n_classes)."""
        logits: Tensor = self.head(code)
        return logits

    def look(self, images: Tensor) -> list[Tensor]:
        """The maps after each stage, and the average of the last one, (N, 96)."""
        maps = [self.fitted(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return [*maps[1:], maps[-1].mean(dim=(2, 3))]

    def fitted(self, images: Tensor) -> Tensor:
        """The images at the size the classifier reads."""
        if images.shape[-1] == self.input_px:
            return images
        return interpolate(images, size=(self.input_px,) * 2, mode="bilinear", antialias=True)


def train_classifier(pool: EvaluationPairs) -> tuple[Classifier, Judgement]:
    """A classifier of the pool's classes; equal pools give equal bits on one kind of CPU.

    Adam with a one-cycle learning rate, 200 batches of 32, mirrored and shifted; one thread, so
    that the number of threads of the trial that comes first does not matter. Every fifth distinct
    image of a class is held out.
    """
    images, labels = (
        torch.cat([pool.first, pool.second]),
        torch.cat([pool.first_labels, pool.second_labels]),
    )
    keep = distinct(images)
    images, labels = images[keep], labels[keep]
    held_out = _every_fifth(labels)
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
    count = int(held_out.sum())
    right = (model(images[held_out]).argmax(dim=1) == labels[held_out]).double()
    accuracy = float(right.mean()) if count else None
    return model, Judgement(accuracy, len(labels) - count, count, len(pool.class_names))


def judge(
    key: str, n_classes: int, image_size: int, pool: Callable[[], EvaluationPairs]
) -> tuple[Classifier, Judgement]:
    """The classifier of this key: from the cache folder, or trained once a node and kept there.

    Args:
        key: digest of everything it depends on.
        n_classes: number of classes.
        image_size: side of the images.
        pool: gives the labelled images, when it has to be trained.
    """
    found = _kept(key, n_classes, image_size)
    if found is not None:
        return found
    try:
        _path(key).parent.mkdir(parents=True, exist_ok=True)
        with alone(_path(key).with_suffix(".lock")):
            found = _kept(key, n_classes, image_size)
            if found is None:
                found = train_classifier(pool())
                write_atomically(_path(key), _packed(*found))
    except OSError:  # the cache folder cannot be written: it is trained for this process alone
        found = found or train_classifier(pool())
    return found


def _kept(key: str, n_classes: int, image_size: int) -> tuple[Classifier, Judgement] | None:
    """The classifier of this key from the cache folder; None when it is not there or damaged."""
    try:
        stored = torch.load(_path(key), weights_only=True, map_location="cpu")
        model = Classifier(n_classes, image_size)
        model.load_state_dict(stored["weights"])
        return model.eval().requires_grad_(False), Judgement(**json.loads(stored["judgement"]))
    except (
        Exception
    ):  # torch.load raises many kinds on a damaged file; all of them mean: train it again
        return None


def _packed(model: Classifier, judgement: Judgement) -> bytes:
    content = io.BytesIO()
    torch.save({"weights": model.state_dict(), "judgement": json.dumps(asdict(judgement))}, content)
    return content.getvalue()


def _path(key: str) -> Path:
    return cache_folder() / "classifiers" / f"{key[:40]}-{RECIPE}.pt"


def _every_fifth(labels: Tensor) -> Tensor:
    """(n,) bool: the fifth, tenth, ... image of each class."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in torch.unique(labels):
        chosen[torch.nonzero(labels == label).flatten()[HELD_OUT_EVERY - 1 :: HELD_OUT_EVERY]] = (
            True
        )
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
    """Half of the images mirrored, the batch shifted by up to a tenth of its side (borders
    wrap)."""
    mirrored = torch.rand(len(images), generator=rng) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    reach = int(SHIFT * images.shape[-1])
    down, right = (int(n) for n in torch.randint(-reach, reach + 1, (2,), generator=rng))
    return images.roll((down, right), (2, 3))
