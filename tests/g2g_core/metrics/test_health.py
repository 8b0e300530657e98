import pytest
import torch
from torch import nn

from g2g_core.metrics.health import gradient_shares, update_ratio, verdict_accuracies


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
