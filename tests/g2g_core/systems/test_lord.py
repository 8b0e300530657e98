"""LORD next to G2G: its stages, its tables, and which metrics apply to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from g2g_core.systems.lord import Lord, LordConfig, cosine, trainer
from tests.g2g_core.systems.test_loop import SYSTEMS

CONFIG = SYSTEMS["lord"][1]


def test_stages_start_and_end_where_their_share_says() -> None:
    assert (replace(CONFIG, steps=10, latent_share=0.7).latent_steps) == 7
    assert (replace(CONFIG, steps=10, latent_share=1.0).amortized_steps) == 0
    with pytest.raises(ValueError, match="latent_share: 0 must be above 0"):
        replace(CONFIG, latent_share=0)


def test_the_amortized_stage_begins_with_what_was_learned_and_keeps_the_tables() -> None:
    system = Lord(replace(CONFIG, steps=4, train_generator=False))
    for step in range(2):
        system.step(step)
    tables = system.latent.content_rows.weight.clone()
    assert not torch.equal(
        system.latent.generator.fc_layers[0].weight, system.amortized.generator.fc_layers[0].weight
    )
    system.step(2)
    assert torch.equal(tables, system.latent.content_rows.weight)
    for mine, learned in zip(
        system.amortized.generator.parameters(), system.latent.generator.parameters(), strict=True
    ):
        assert torch.equal(mine, learned)


def test_a_class_row_per_image_leaves_nothing_shared() -> None:
    shared, own = (Lord(replace(CONFIG, shared_class=shared)) for shared in (True, False))
    assert len(shared.latent.class_rows.weight) == 3
    assert len(own.latent.class_rows.weight) == 12


def test_noise_is_on_content_codes_alone_and_new_in_each_step() -> None:
    system = Lord(CONFIG)
    (content, class_), (later, _) = system.noise(0), system.noise(1)
    assert content.std() > 0.5
    assert not class_.any()
    assert not torch.equal(content, later)
    assert Lord(replace(CONFIG, class_std=1.0)).noise(0)[1].any()


def test_learned_pairs_know_their_truth() -> None:
    system = Lord(CONFIG)
    pairs, numbers = system.row_pairs, system.row_numbers
    assert pairs.truth is not None
    assert (pairs.first_labels != pairs.second_labels).all()
    first, second = np.split(numbers, 2)
    contents = CONFIG.data["contents"]
    wanted = first // contents * contents + second % contents
    assert torch.equal(pairs.truth[: len(first)], system.rows.images_at(wanted))


def test_without_encoders_metrics_of_pairs_do_not_apply() -> None:
    config = replace(CONFIG, latent_share=1.0)
    assert trainer.inapplicable(config, "mixed_l1")
    assert trainer.inapplicable(config, "latent_mixed_l1") is None
    assert trainer.inapplicable(CONFIG, "mixed_l1") is None
    measured = Lord(config).evaluate(0)
    assert set(measured.not_applicable) >= {"mixed_l1", "long_l1"}
    assert all(name.startswith("metric/latent_") for name in measured.values)
    assert all(name.startswith("latent_") for name in Lord(config).recorded())


def test_rates_fall_to_the_lowest() -> None:
    assert cosine(3e-4, 1e-5, 0, 6) == 3e-4
    assert cosine(3e-4, 1e-5, 6, 6) == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 24}, "image_size: 24 must be a multiple of 16"),
        ({"adain_layers": 6}, "adain_layers: 6 does not go with image_size"),
        ({"data": {"clases": 3}}, "data.clases: no such option of synthetic; did you mean classes"),
        ({"dataset": "sythetic"}, "dataset: 'sythetic' is not one of"),
        ({"batch_size": 0}, "batch_size: 0 must be at least 1"),
    ],
)
def test_bad_options_are_named(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LordConfig(**changes)
