"""The benchmark's restatement of the authors' order gives the authors' numbers, so its time is a
fair peer."""

import pytest
import torch

from benchmarks.reference_order import ReferenceStep
from benchmarks.training_step import reference_networks
from g2g_core.models.options import FunitOptions
from tests.g2g_core.training.test_fixtures_funit import PREFIXES, SAVED, TERMS, Case

ORDER = ("generator", "discriminator", "average")


def reference_of(case, recipe, swapped, pair=True):
    networks = reference_networks(FunitOptions(**case.config.network), case.classes)
    for network, (prefix, offset) in zip(networks, (PREFIXES[n] for n in ORDER), strict=True):
        recipe.fill(network.to(torch.float64), prefix, case.seed + offset)
    # The weight of the hinge has one name there, whichever the order of the labels.
    weights = {
        "d_hinge" if name == "d_hinge_swapped" else name: w
        for name, w in case.config.losses.items()
    }
    return ReferenceStep(*networks, weights, swapped, pair)


def same_weights(numbers, step, iteration):
    for name, network in zip(ORDER, (step.gen, step.dis, step.average), strict=True):
        for parameter, value in network.named_parameters():
            key = f"after{iteration}/{SAVED[name]}/{parameter}"
            if any(k.startswith(key) for k in numbers.keys):
                numbers.same(key, value, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("suffix", ["", "_unswapped"])
def test_five_steps_equal_the_authors(golden, recipe, suffix):
    numbers = golden(f"g2g_tiny32_s0_f64_steps{suffix}")
    case = Case(numbers, recipe, hinge="d_hinge" if suffix else "d_hinge_swapped")
    step = reference_of(case, recipe, swapped=not suffix)
    for i in range(5):
        values = step(case.batch(i))
        for term, (_, _, theirs) in TERMS.items():
            numbers.same(f"log/{i + 1}/{theirs}", values[term])
        numbers.same(f"log/{i + 1}/loss_gen_total", values["total_generator"])
        numbers.same(f"log/{i + 1}/loss_dis_reg", values["d_r1"])
        same_weights(numbers, step, i + 1)


def test_five_steps_of_plain_funit_equal_the_authors(golden, recipe):
    numbers = golden("funit_s0_f64")
    case = Case(numbers, recipe, "funit", "d_hinge")
    step = reference_of(case, recipe, swapped=False, pair=False)
    for i in range(5):
        values = step(case.batch(i, separate=False))
        numbers.same(f"log/{i + 1}/loss_gen_total", values["total_generator"])
        numbers.same(f"log/{i + 1}/loss_dis_reg", values["d_r1"])
        same_weights(numbers, step, i + 1)
