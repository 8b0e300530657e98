import pytest
import torch

from g2g_core.metrics.distances import frechet_distance, kernel_distance
from g2g_core.seeding import generator


def sets(n: int, d: int, shift: float = 0.3) -> tuple[torch.Tensor, torch.Tensor]:
    rng = generator(0, "test/sets", n, d)
    return torch.randn(n, d, generator=rng).double(), shift + 1.5 * torch.randn(
        n, d, generator=rng
    ).double()


@pytest.mark.parametrize(("n", "d"), [(5, 3), (64, 16), (200, 96)])
def test_kernel_distance_equals_torchmetrics(n: int, d: int) -> None:
    from torchmetrics.image.kid import poly_mmd

    x, y = sets(n, d)
    assert kernel_distance(x, y) == pytest.approx(float(poly_mmd(x, y)), rel=1e-9)


@pytest.mark.parametrize(("n", "d"), [(64, 16), (200, 96), (20, 40)])
def test_frechet_distance_equals_torchmetrics(n: int, d: int) -> None:
    from torchmetrics.image.fid import _compute_fid

    x, y = sets(n, d)
    theirs = _compute_fid(x.mean(0), x.T.cov(), y.mean(0), y.T.cov())
    assert frechet_distance(x, y) == pytest.approx(float(theirs), rel=1e-5)


def test_frechet_distance_of_equal_sets_is_zero() -> None:
    x, _ = sets(10, 30)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_kernel_distance_is_unbiased() -> None:
    rng = generator(0, "test/unbiased")
    draws = torch.randn(400, 2, 8, 5, generator=rng)
    values = torch.tensor([kernel_distance(x, y) for x, y in draws])
    assert abs(float(values.mean())) < 3 * float(values.std()) / 20


def test_unequal_sets_are_refused() -> None:
    x, y = sets(8, 3)
    for distance in (kernel_distance, frechet_distance):
        with pytest.raises(ValueError, match="sets of 8 and 7 images"):
            distance(x, y[:7])
        with pytest.raises(ValueError, match="at least 2"):
            distance(x[:1], y[:1])
