import pytest
import torch

from g2g_core.metrics.images import PSNR_CAP, l1, psnr, ssim
from g2g_core.seeding import generator


@pytest.mark.parametrize("noise", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("size", [8, 32, 65])
def test_psnr_and_ssim_equal_torchmetrics(noise: float, size: int) -> None:
    from torchmetrics.functional.image import (
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )

    rng = generator(0, "test/images", size)
    base = torch.rand(5, 3, 4, 4, generator=rng) * 2 - 1
    targets = torch.nn.functional.interpolate(base, size=(size, size), mode="bilinear")
    images = (targets + noise * torch.randn(targets.shape, generator=rng)).clamp(-1, 1)
    theirs = peak_signal_noise_ratio(
        images, targets, data_range=2.0, dim=(1, 2, 3), reduction="elementwise_mean"
    )
    assert psnr(images, targets) == pytest.approx(float(theirs), abs=1e-5)
    theirs = structural_similarity_index_measure(images, targets, data_range=2.0)
    assert ssim(images, targets) == pytest.approx(float(theirs), abs=1e-5)


def test_ends_of_the_scales() -> None:
    images = torch.rand(2, 3, 16, 16, generator=generator(0, "test/ends")) * 2 - 1
    assert l1(images, images) == 0
    assert psnr(images, images) == PSNR_CAP
    assert ssim(images, images) == pytest.approx(1, abs=1e-6)
    assert l1(torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)) == 2
    assert psnr(torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)) == 0
