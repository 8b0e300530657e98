from collections import Counter
from dataclasses import replace

import pytest
import torch

from benchmarks.operations import operations
from g2g_core.losses.menu import LOSSES
from g2g_core.losses.weighted import active_terms
from g2g_core.models import MODELS
from g2g_core.passes.cross import CrossPass, DiscriminatorPass
from g2g_core.training.step import TrainingStep
from tests.g2g_core.tiny_funit import (
    FUNIT,
    NEW,
    CountingDiscriminator,
    CountingGenerator,
    batch,
    config,
)


def pass_of():
    return CrossPass(CountingGenerator(), CountingDiscriminator(), batch())


def pair_of(cross):
    return DiscriminatorPass(
        cross.discriminator,
        cross.real,
        cross.labels,
        cross.mixed,
        cross.labels,
        2,
        lambda purpose: torch.Generator(),
    )


def test_generator_terms_by_hand():
    cross = pass_of()
    pooled = lambda images: images.mean((2, 3))  # noqa: E731
    label = cross.labels.double().mean()
    expected = {
        "adversarial": -(cross.mixed.mean() + cross.self_recon.mean()) / 2 - label,
        "short_recon": (cross.self_recon - cross.real).abs().mean(),
        "long_recon": (cross.full_recon - cross.real).abs().mean(),
        "self_fm": (pooled(cross.self_recon) - pooled(cross.real)).abs().mean(),
        "short_fm": (pooled(cross.mixed) - pooled(cross.real)).abs().mean(),
        "long_fm": (pooled(cross.full_recon) - pooled(cross.real)).abs().mean(),
        "reassembly_fm": (pooled(cross.full_recon) - pooled(cross.mixed)).abs().mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(LOSSES[name](cross), value.float(), msg=name)


def test_discriminator_terms_by_hand():
    cross = pass_of()
    pair = pair_of(cross)
    verdict = lambda images, labels: images.mean(1) + labels[:, None, None]  # noqa: E731
    real = (1 - verdict(cross.real, cross.labels)).clamp(min=0).mean()
    right = (1 + verdict(cross.mixed, cross.labels)).clamp(min=0).mean()
    other = (1 + verdict(cross.mixed, cross.labels[[2, 3, 0, 1]])).clamp(min=0).mean()
    torch.testing.assert_close(LOSSES["d_hinge"](pair), real + right)
    torch.testing.assert_close(LOSSES["d_hinge_swapped"](pair), real + other)
    # The verdict of an image is the mean of its pixels over 3 channels: its gradient is 1 / (3 * 16
    # * 16) everywhere.
    squared = 3 * 16 * 16 * (1 / (3 * 16 * 16)) ** 2
    torch.testing.assert_close(LOSSES["d_r1"](pair), torch.tensor(squared / 2**2))


@pytest.mark.parametrize(
    ("off", "calls", "discriminator_calls"),
    [
        ((), {"content_code": 2, "class_code": 2, "decode": 3}, 4),
        (("long_fm", "reassembly_fm"), {"content_code": 2, "class_code": 2, "decode": 3}, 3),
        (tuple(NEW), {"content_code": 1, "class_code": 1, "decode": 2}, 3),
        ((*NEW, "short_fm", "self_fm"), {"content_code": 1, "class_code": 1, "decode": 2}, 2),
        (
            (*NEW, "short_fm", "self_fm", "adversarial"),
            {"content_code": 1, "class_code": 1, "decode": 1},
            0,
        ),
    ],
)
def test_a_term_that_is_off_calls_nothing(off, calls, discriminator_calls):
    weights = {name: 0.0 if name in off else w for name, w in (FUNIT | NEW).items()}
    cross = pass_of()
    generator_terms, _ = active_terms(config(losses=weights))
    for term in generator_terms:
        term.term(cross)
    assert cross.generator.calls == Counter(calls)
    assert cross.discriminator.calls == discriminator_calls


def step_operations(losses):
    settings = config(losses=losses)
    step = TrainingStep(settings, MODELS["funit2funit"](settings, 4))
    return operations(lambda: step(batch(), 0))


def test_a_term_that_is_off_costs_no_operation():
    off = step_operations(FUNIT | dict.fromkeys(NEW, 0.0))
    assert off == step_operations(FUNIT)
    assert off < 0.8 * step_operations(FUNIT | NEW)
    assert step_operations(FUNIT | {"long_recon": 0.1}) < step_operations(FUNIT | NEW)


def test_toggling_leaves_the_other_terms_equal_to_the_bit():
    def values(losses):
        settings = config(losses=losses)
        return TrainingStep(settings, MODELS["funit2funit"](settings, 4))(batch(), 0)

    everything = values(FUNIT | NEW)
    for name in FUNIT | NEW:
        if not name.startswith("d_"):
            fewer = values({k: v for k, v in (FUNIT | NEW).items() if k != name})
            assert f"loss/{name}" not in fewer
            for key in fewer:
                if key.startswith("loss/") and "total" not in key:
                    assert torch.equal(fewer[key], everything[key]), (name, key)


def test_schedules_weigh_and_switch():
    schedules = {
        "long_recon": {"kind": "delay", "start": 2},
        "short_recon": {"kind": "ramp", "start": 1, "end": 3},
    }
    terms = {term.name: term for term in active_terms(config(schedules=schedules))[0]}
    assert [terms["long_recon"].weight_at(i) for i in range(4)] == [0, 0, 0.1, 0.1]
    assert [terms["short_recon"].weight_at(i) for i in range(5)] == [
        0,
        0,
        pytest.approx(0.05),
        0.1,
        0.1,
    ]
    assert terms["adversarial"].weight_at(0) == 1


def test_a_delayed_term_is_not_computed_before_its_time():
    settings = config(
        losses=FUNIT | {"long_recon": 0.1}, schedules={"long_recon": {"kind": "delay", "start": 1}}
    )
    step = TrainingStep(settings, MODELS["funit2funit"](settings, 4))
    assert "loss/long_recon" not in step(batch(), 0)
    assert "loss/long_recon" in step(batch(), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses": {"long_reco": 1.0}}, "losses.long_reco: no such loss"),
        ({"schedules": {"long_reco": {"kind": "ramp"}}}, "schedules.long_reco: no such loss"),
        (
            {"schedules": {"long_recon": {"kind": "leap"}}},
            "'leap' is not one of constant, ramp, delay",
        ),
        (
            {"schedules": {"long_recon": {"kind": "ramp", "start": 5, "end": 5}}},
            "must end after it starts",
        ),
        ({"schedules": {"long_recon": {"kind": "ramp", "stop": 5}}}, "stop: no such key"),
    ],
)
def test_mistakes_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        active_terms(replace(config(), **changes))


def test_every_term_has_a_line_of_description():
    assert all((term.__doc__ or "").strip() for term in LOSSES.values())
