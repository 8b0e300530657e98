"""A world in which the right answer is known: an image is a class colour plus a content pattern of
mean zero."""

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from g2g_core.data.pairs import EvaluationPairs
from g2g_core.seeding import generator as random

COLOURS = 5


def pairs(n: int = 20, size: int = 16, truth: bool = True) -> EvaluationPairs:
    rng = random(3, "test/pairs")
    colours = torch.rand(COLOURS, 3, generator=rng) - 0.5
    labels = torch.stack(
        [torch.randperm(COLOURS, generator=rng)[:2] for _ in range(n)], dim=1
    ).flatten()
    strength = torch.rand(2 * n, generator=rng)
    waves = torch.sin(torch.arange(size) * 0.7).repeat(size, 1)
    patterns = (
        0.2 * torch.rand(2 * n, 3, size, size, generator=rng)
        + 0.5 * strength.view(-1, 1, 1, 1) * waves
    )
    patterns = patterns - patterns.mean(dim=(2, 3), keepdim=True)
    flat = colours[labels][:, :, None, None]
    images = flat + patterns
    return EvaluationPairs(
        first=images[:n],
        first_labels=labels[:n],
        second=images[n:],
        second_labels=labels[n:],
        digest="stub",
        split="test",
        class_names=tuple(f"colour{i}" for i in range(COLOURS)),
        truth=flat + patterns.roll(n, 0) if truth else None,
        factors={"strength": strength, "strong": (strength > 0.5).long()},
    )


class Right(nn.Module):
    """Splits an image into mean colour and the rest, and puts them together again."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def content_code(self, images: Tensor) -> Tensor:
        return images - images.mean(dim=(2, 3), keepdim=True)

    def class_code(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return self.scale * (content + class_code[:, :, None, None])


class CopiesContent(Right):
    def content_code(self, images: Tensor) -> Tensor:
        return images

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return content


class IgnoresContent(Right):
    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return class_code[:, :, None, None].expand_as(content)


class Collapsed(Right):
    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return torch.zeros_like(content)


class Leaky(Right):
    """Right images, but the colour is in the content code too."""

    def content_code(self, images: Tensor) -> Tensor:
        return torch.cat(
            [super().content_code(images), images.mean(dim=(2, 3), keepdim=True).expand_as(images)],
            dim=1,
        )

    def decode(self, content: Tensor, class_code: Tensor) -> Tensor:
        return super().decode(content[:, :3], class_code)


class Noisy(Right):
    """Draws from torch's own random state, and has layers that behave differently in training."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.frozen = nn.BatchNorm2d(3).eval()

    def content_code(self, images: Tensor) -> Tensor:
        return self.norm(super().content_code(images)) + 0.01 * torch.randn(images.shape)


def networks(generator: nn.Module, average: nn.Module | None = None) -> SimpleNamespace:
    return SimpleNamespace(generator=generator, average=average, discriminator=None)
