from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.metrics import METRICS, Evaluator
from g2g_core.passes.cross import swap

OF_CLASSIFIER = (name for name, metric in METRICS.items() if "classifier" in metric.needs)
NAMES = (*OF_CLASSIFIER, "content_distance_edges")
CONFIG = TrialConfig(image_size=32, metrics=NAMES, evaluate=("raw",))
P = 30
data = DATASETS["synthetic"](CONFIG)
pairs = data.evaluation_pairs(P)
evaluator = Evaluator(pairs, data, CONFIG)


class Painter(nn.Module):
    """Gives the mixed images it was made with; knows an image by the number of its entry in the
    pairs."""

    def __init__(self, mixed: Tensor) -> None:
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))
        self.real = torch.cat([pairs.first, pairs.second])
        self.of_pairs = mixed

    def content_code(self, images: Tensor) -> Tensor:
        return torch.cdist(images.flatten(1), self.real.flatten(1)).argmin(dim=1).float()

    class_code = content_code

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        at = class_code.long()
        same = (content == class_code)[:, None, None, None]
        return torch.where(same, self.real[at], self.of_pairs[at])


@cache
def measured(kind: str) -> dict[str, float]:
    truth, real = pairs.truth, torch.cat([pairs.first, pairs.second])
    assert truth is not None
    mixed = {
        "right": truth,
        "copies_content": swap(real),
        "copies_class": real,
        "collapsed": torch.zeros_like(real),
    }
    model = SimpleNamespace(generator=Painter(mixed[kind]), average=None, discriminator=None)
    values, _ = evaluator(model)
    return {name.removeprefix("metric/"): value for name, value in values.items()}


def test_right_images_are_recognised() -> None:
    values = measured("right")
    assert values["classifier_accuracy"] > 0.9
    assert values["real_accuracy"] > 0.9
    assert values["translation_accuracy"] > 0.9
    assert values["mixed_as_content_class"] < 0.1
    assert values["mixed_perceptual_classifier"] == 0


def test_copying_the_content_is_named_by_the_classifier_and_not_by_the_content_distance() -> None:
    values = measured("copies_content")
    assert values["translation_accuracy"] < 0.1
    assert values["mixed_as_content_class"] > 0.9
    assert values["content_distance_edges"] == 0


def test_ignoring_the_content_is_named_by_the_content_distance() -> None:
    values = measured("copies_class")
    assert values["translation_accuracy"] > 0.9
    assert values["content_distance_edges"] == pytest.approx(1)
    assert measured("right")["content_distance_edges"] < 0.3


def test_set_distances_tell_good_from_bad() -> None:
    good, bad, copied = measured("right"), measured("collapsed"), measured("copies_content")
    for name in (
        "kid_classifier",
        "frechet_classifier",
        "classwise_kid_classifier",
        "classwise_frechet_classifier",
    ):
        assert good[name] < bad[name]
    assert good["classwise_kid_classifier"] < copied["classwise_kid_classifier"], (
        "the sets of each class are wrong"
    )
    # Both sets hold equally many images of each class, so of equal sets a pair across them is of
    # one class more often (12 of 60) than a pair within one (11 of 59): the estimate of equal
    # distributions lies a little below 0.
    assert -0.2 * bad["kid_classifier"] < good["kid_classifier"] < 0.05 * bad["kid_classifier"]


def test_facts_stand_beside_the_numbers() -> None:
    facts = evaluator.facts
    assert facts["networks"]["classifier"] == {"resize": "none", "input_px": 32}
    assert facts["reference"]["n"] == 2 * P
    assert facts["reference"]["source"] == "other images of the same classes"
    assert facts["classifier"]["n_held_out"] > 20
    assert facts["split"] == "test"


def test_reference_images_have_the_classes_of_the_pairs_and_are_others() -> None:
    images, _ = evaluator.references.real
    labels = torch.cat([pairs.first_labels, pairs.second_labels])
    judged = evaluator.references.classifier(images).argmax(dim=1)
    assert float((judged == labels).double().mean()) > 0.9
    own = {image.numpy().tobytes() for image in (*pairs.first, *pairs.second)}
    theirs = {image.numpy().tobytes() for image in images}
    assert len(theirs) == 2 * P
    assert not own & theirs


def test_sets_without_enough_other_images_say_so() -> None:
    few = Evaluator(data.evaluation_pairs(400), data, replace(CONFIG, metrics=("kid_classifier",)))
    assert few.facts["reference"]["source"].startswith("the evaluation images themselves")


def test_no_feature_metric_is_called_fid_or_lpips() -> None:
    assert not [name for name in METRICS if "fid" in name or "lpips" in name]
