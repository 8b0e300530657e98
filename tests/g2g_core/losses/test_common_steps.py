"""How many first steps two configs have in common."""

import random
from dataclasses import replace

import pytest

from g2g_core.config import TrialConfig
from g2g_core.losses.common_steps import common_steps
from g2g_core.losses.schedules import Schedule

BASE = TrialConfig(steps=40, losses={"d_hinge": 1.0, "short_recon": 0.1, "long_recon": 0.1})
DELAY = {"long_recon": {"kind": "delay", "start": 12}}
RAMP = {"long_recon": {"kind": "ramp", "start": 12, "end": 20}}


@pytest.mark.parametrize(
    ("change", "common"),
    [
        ({}, 40),
        ({"checkpoint_every": 7}, 40),
        ({"losses": {**BASE.losses, "long_recon": 0.0}}, 0),
        ({"schedules": DELAY}, 0),
        ({"seed": 1}, 0),
        ({"eval_every": 7}, 0),
        ({"steps": 50}, 0),
        ({"checkpoint": "other.pt"}, 0),
        ({"discriminator_warmup": 5}, 0),
        ({"lr_generator": 1e-5}, 0),
        ({"losses": {**BASE.losses, "d_lsgan": 1.0}}, 0),
    ],
)
def test_one_change(change: dict[str, object], common: int) -> None:
    assert common_steps(BASE, replace(BASE, **change)) == common  # type: ignore[arg-type]


def test_losses_that_begin_later() -> None:
    without = replace(BASE, losses={"d_hinge": 1.0, "short_recon": 0.1})
    assert common_steps(without, replace(BASE, schedules=DELAY)) == 12
    assert common_steps(without, replace(BASE, schedules=RAMP)) == 13
    assert common_steps(replace(BASE, schedules=DELAY), replace(BASE, schedules=RAMP)) == 12
    longer = {"long_recon": {"kind": "ramp", "start": 12, "end": 30}}
    assert common_steps(replace(BASE, schedules=longer), replace(BASE, schedules=RAMP)) == 13


def test_nothing_of_the_generator_acts_in_the_warm_up() -> None:
    warming = replace(BASE, discriminator_warmup=10)
    assert common_steps(warming, replace(warming, losses={"d_hinge": 1.0, "long_recon": 1.0})) == 10
    assert common_steps(warming, replace(warming, lr_generator=1e-5)) == 10
    assert common_steps(warming, replace(warming, lr_discriminator=1e-5)) == 0
    assert common_steps(warming, replace(warming, discriminator_warmup=15)) == 10


def test_it_is_the_first_step_whose_weights_differ() -> None:
    dice = random.Random(0)

    def config() -> TrialConfig:
        start = dice.randrange(20)
        schedule = dice.choice(
            [
                {"kind": "constant"},
                {"kind": "delay", "start": start},
                {"kind": "ramp", "start": start, "end": start + dice.randrange(1, 20)},
            ]
        )
        losses = {"short_recon": 0.1, "long_recon": dice.choice([0.0, 0.1, 0.1, 0.2])}
        return replace(BASE, losses=losses, schedules={"long_recon": schedule})

    def weight(config: TrialConfig, step: int) -> float:
        schedule = Schedule.of(config.schedules["long_recon"], "here")
        return config.losses["long_recon"] * schedule.factor(step)

    for _ in range(500):
        one, other = config(), config()
        differ = (step for step in range(40) if weight(one, step) != weight(other, step))
        assert common_steps(one, other) == next(differ, 40), (one.schedules, other.schedules)
