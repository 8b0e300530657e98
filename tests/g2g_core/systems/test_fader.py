"""Fader Networks next to G2G: the ramp, the attributes, and which metrics apply to them."""

from dataclasses import replace

import pytest
import torch

from g2g_core.data.pairs import Attribute, DataError, EvaluationPairs
from g2g_core.metrics.metric import MetricError
from g2g_core.systems.fader import (
    Fader,
    FaderConfig,
    FaderGenerator,
    attribute_vectors,
    cautions,
    ordered,
    trainer,
)
from g2g_core.systems.fader_networks import FaderAutoencoder, FaderSizes
from g2g_core.systems.randomness import Randomness
from tests.g2g_core.systems.test_loop import SYSTEMS

CONFIG = SYSTEMS["fader"][1]


def attribute(*values: str) -> Attribute:
    return Attribute(values, torch.zeros(2, dtype=torch.int64).numpy())


def test_the_ramp_starts_at_nothing_and_rises() -> None:
    assert [replace(CONFIG, ramp=4).share(step) for step in range(6)] == [0, 0.25, 0.5, 0.75, 1, 1]
    assert replace(CONFIG, ramp=0).share(0) == 1


def test_a_ramp_that_never_rises_is_named() -> None:
    """The authors' 500,000 steps in a short study: the planted fault."""
    (line,) = cautions(replace(CONFIG, latent=1e-4, ramp=500_000, steps=2000))
    assert line.startswith("ramp: 500000 steps of ramp in 2000 steps")
    assert not cautions(replace(CONFIG, ramp=4, steps=6))
    assert not cautions(replace(CONFIG, latent=0.0, ramp=500_000))


def test_wrong_values_are_always_wrong_and_random_ones_are_not() -> None:
    system = Fader(CONFIG)
    system.randomness.at(0)
    true = torch.eye(3).repeat(20, 1)
    wrong = system.steps.wrong_attributes(true)
    assert not (wrong * true).any()
    assert wrong.sum(0).gt(5).all()
    assert (system.steps.random_attributes(true) * true).any()


def test_each_sub_step_has_a_batch_of_its_own() -> None:
    system = Fader(CONFIG)
    first, second = system.batch(0, 0), system.batch(0, 1)
    assert not torch.equal(first[0], second[0])
    again = Fader(CONFIG).batch(0, 0)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_attributes_are_sorted_as_by_the_authors() -> None:
    known = {"z": attribute("a", "b"), "pose": attribute("a", "b", "c"), "b": attribute("a", "b")}
    assert list(ordered(known)) == ["b", "z", "pose"]


def test_mixed_images_have_their_own_class_and_their_partners_other_attributes() -> None:
    images = torch.zeros(1, 3, 8, 8)
    pairs = EvaluationPairs(
        images,
        torch.tensor([0]),
        images,
        torch.tensor([1]),
        "",
        "train",
        ("a", "b"),
        attributes={"hat": torch.tensor([1, 0])},
    )
    known = {"class": attribute("a", "b"), "hat": attribute("no", "yes")}
    own, mixed = attribute_vectors(pairs, known)
    assert own.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert mixed.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]


def test_skips_go_through_the_content_code() -> None:
    sizes = FaderSizes(image_size=32, filters=2, max_filters=8, layers=4, skips=2)
    autoencoder = FaderAutoencoder(sizes, Randomness(0, "fader")).eval()
    generator = FaderGenerator(autoencoder)
    images, attributes = torch.randn(2, 3, 32, 32), torch.eye(2)
    made = generator.decode(generator.content_code(images), attributes)
    assert torch.equal(made, autoencoder.decode(autoencoder.encode(images), attributes)[-1])


def test_what_does_not_apply_is_refused_by_name() -> None:
    assert trainer.inapplicable(CONFIG, "class_from_class")
    assert trainer.inapplicable(CONFIG, "class_from_content") is None
    with pytest.raises(MetricError, match="class_from_class does not apply: a Fader network gets"):
        Fader(replace(CONFIG, metrics=("class_from_class",)))
    with pytest.raises(ValueError, match="eval_split: test pairs are of new classes"):
        Fader(replace(CONFIG, data={"classes": 3, "contents": 4}, eval_split="test"))
    with pytest.raises(DataError, match="no attribute 'clas'; did you mean class"):
        Fader(replace(CONFIG, attributes=("clas",)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 48}, "image_size: 48 must be a power of two"),
        ({"image_size": 16, "layers": 5}, "layers: 5 must be at most 4"),
        ({"skips": 6}, "skips: 6 must be below layers, 6"),
        ({"image_size": 64, "instance_norm": True}, "instance_norm: a code of one pixel"),
        ({"patch": 0.1}, "patch: its judge is never trained; patch_steps must be above 0"),
        ({"image_size": 16, "layers": 3, "patch_steps": 1}, "patch: the judge of realism takes"),
        ({"eval_shots": 3}, "eval_shots: must be 1"),
        ({"latent_dropout": 1.0}, "latent_dropout: 1.0 must be below 1"),
    ],
)
def test_bad_options_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FaderConfig(**changes)
