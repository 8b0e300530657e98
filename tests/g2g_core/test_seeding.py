import subprocess
import sys

import numpy as np
import torch

from g2g_core.seeding import generator, numpy_rng, seed_number


def test_known_numbers_never_change():
    """Equal everywhere: these numbers are what every machine and version must give."""
    assert seed_number(0, "data/content_order", 0) == 3494135691155224101
    assert seed_number(3, "initial_weights") == 848854138920629350


def test_arguments_are_kept_apart():
    numbers = {
        seed_number(0, "a"),
        seed_number(1, "a"),
        seed_number(0, "b"),
        seed_number(0, "a", 1),
    }
    numbers |= {seed_number(0, "a", 1, 2), seed_number(0, "a", 12)}
    assert len(numbers) == 6


def test_generators_are_independent_of_global_state():
    torch.manual_seed(1)
    first = torch.rand(4, generator=generator(5, "noise", 7))
    torch.manual_seed(2)
    assert torch.equal(first, torch.rand(4, generator=generator(5, "noise", 7)))
    assert np.array_equal(numpy_rng(5, "noise", 7).random(4), numpy_rng(5, "noise", 7).random(4))
    assert not np.array_equal(
        numpy_rng(5, "noise", 7).random(4), numpy_rng(6, "noise", 7).random(4)
    )


def test_another_process_gives_the_same():
    code = "from g2g_core.seeding import seed_number; print(seed_number(11, 'purpose', 3))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == seed_number(11, "purpose", 3)
