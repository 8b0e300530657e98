import math

import pytest
import torch

from g2g_core.models import MODELS
from g2g_core.training.divergence import Watch
from g2g_core.training.loop import train
from tests.g2g_core.tiny_funit import config
from tests.g2g_core.waits import Waits


@pytest.fixture
def watch():
    networks = MODELS["funit2funit"](config(), 4)
    return Watch(config(), networks)


def numbers(*values):
    return {f"loss/{i}": torch.tensor(value) for i, value in enumerate(values)}


def test_all_numbers_of_all_steps_and_all_weights_take_one_transfer(watch):
    for step in range(1, 6):
        watch.keep(step, numbers(1.0 * step, 2.0))
    with Waits() as waits:
        assert watch.first_bad(weights=True) is None
    assert sum(waits.counts.values()) == 1
    assert watch.numbers == {"loss/0": 5.0, "loss/1": 2.0}


def test_a_step_that_is_logged_is_read_once():
    tiny = config(log_every=1, eval_every=100, checkpoint_every=100, steps=4)
    run, waits = train(tiny), Waits()
    while next(run).step < 2:
        pass
    with waits:
        assert next(run).step == 3
    assert waits.counts["tolist"] == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_bad_step_is_named_with_its_numbers(watch, value):
    for step, loss in enumerate((1.0, value, math.nan), 1):
        watch.keep(step, numbers(0.0, loss))
    bad = watch.first_bad()
    assert (bad.step, bad.cause) == (2, "loss/1")
    assert bad.values["loss/0"] == 0
    assert not math.isfinite(bad.values["loss/1"])


@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_bad_weight_is_found_when_asked_for(watch, network, value):
    with torch.no_grad():
        last = list(getattr(watch.networks, network).parameters())[-1]
        last.view(-1)[0] = value
    watch.keep(1, numbers(1.0))
    assert watch.first_bad() is None
    watch.keep(2, numbers(1.0))
    bad = watch.first_bad(weights=True)
    assert (bad.step, bad.cause) == (2, f"a weight of the {network}")


def test_steps_without_numbers_are_fine(watch):
    assert watch.first_bad(weights=True) is None
    watch.keep(1, {})
    assert watch.first_bad() is None
    assert watch.numbers == {}
