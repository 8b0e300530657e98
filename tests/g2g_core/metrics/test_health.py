import pytest
import torch
from torch import nn

from g2g_core.metrics.health import gradient_shares, update_ratio, verdict_accuracies
from tests.g2g_core.waits import Waits


def test_shares_follow_the_gradient_norms() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    unused = nn.Parameter(torch.ones(3))
    weighted = {
        "three": 3 * weight[0],  # gradient (3, 0)
        "five": 3 * weight[0] + 4 * weight[1],  # gradient (3, 4)
        "none": torch.tensor(7.0),
    }
    shares = gradient_shares(weighted, [weight, unused])
    assert shares == {
        "health/gradient_share_three": pytest.approx(3 / 8),
        "health/gradient_share_five": pytest.approx(5 / 8),
        "health/gradient_share_none": 0.0,
    }
    assert weight.grad is None
    assert set(gradient_shares({"none": torch.tensor(7.0)}, [weight]).values()) == {0.0}


def test_accuracies_count_verdicts_on_the_right_side() -> None:
    real, fake = torch.tensor([[0.0, 1.0], [-0.1, 2.0]]), torch.tensor([-1.0, -0.1, 0.0, 0.6])
    assert verdict_accuracies(real, fake, 0.0) == {
        "health/d_real_accuracy": 0.75,
        "health/d_fake_accuracy": 0.5,
    }
    assert verdict_accuracies(real, fake, 0.5) == {
        "health/d_real_accuracy": 0.5,
        "health/d_fake_accuracy": 0.75,
    }


def test_update_ratio_is_relative_to_the_weights() -> None:
    before = [torch.tensor([3.0, 0.0]), torch.tensor([4.0])]
    after = [nn.Parameter(torch.tensor([3.0, 0.1])), nn.Parameter(torch.tensor([4.0]))]
    assert update_ratio(before, after) == pytest.approx(0.02)
    assert update_ratio([torch.zeros(2)], [torch.ones(2)]) == 0.0


def test_each_takes_one_transfer_however_many_parameters_there_are() -> None:
    weights = [nn.Parameter(torch.full((3,), float(i))) for i in range(20)]
    weighted = {f"term{i}": sum(w.sum() for w in weights) * (i + 1) for i in range(3)}
    before = [weight.detach() + 1 for weight in weights]
    for measure in (
        lambda: gradient_shares(weighted, weights),
        lambda: update_ratio(before, weights),
        lambda: verdict_accuracies(torch.ones(4), torch.zeros(4), 0.5),
    ):
        with Waits() as waits:
            measure()
        assert sum(waits.counts.values()) == 1
