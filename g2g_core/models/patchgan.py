"""CycleGAN's patch discriminators: one verdict per patch of the image (arXiv 1703.10593).

The verdicts don't depend on the class of the image.
"""

from typing import Literal, get_args

from torch import Tensor, nn

Norm = Literal["instance", "batch", "none", "none_without_bias"]
Kind = Literal["basic", "n_layers", "pixel"]
NORMS: tuple[str, ...] = get_args(Norm)
KINDS: tuple[str, ...] = get_args(Kind)


def check_kind(kind: str, norm: str) -> None:
    """Check that `PatchGan` has this kind and this norm.

    Raises:
        ValueError: an unknown kind or norm.
    """
    for option, value, choices in (("d_kind", kind, KINDS), ("d_norm", norm, NORMS)):
        if value not in choices:
            raise ValueError(f"network.{option}: {value!r} is not one of {', '.join(choices)}")


class PatchGan(nn.Module):
    """A convolutional discriminator of real against generated patches.

    `basic` is `n_layers` with 3 layers. It has 2,764,737 parameters and a receptive field of 70
    pixels at the default width. All padding is zero padding. Weights start from normal(0, 0.02),
    biases from 0, and batch-norm scales from normal(1, 0.02). Parameters have the names of
    CycleGAN's code (`model.<i>`, and `net.<i>` for `pixel`), so that its state dicts load.

    Args:
        kind: one of `KINDS`; `pixel` judges each pixel by 1 × 1 convolutions.
        filters: channels of the first layer.
        layers: number of 4 × 4 convolutions before the last two of `n_layers`, including the first
            one; `basic` ignores it.
        norm: one of `NORMS`. With `none`, convolutions keep their bias. With `none_without_bias`,
            they lose it where a norm would have followed, as in CycleGAN's code.

    Raises:
        ValueError: an unknown kind or norm, or less than one layer.
    """

    def __init__(
        self, kind: str = "basic", filters: int = 64, layers: int = 3, norm: str = "instance"
    ) -> None:
        super().__init__()
        check_kind(kind, norm)
        if layers < 1:
            raise ValueError(f"network.d_layers: {layers} is less than 1")
        if kind == "pixel":
            self.net = nn.Sequential(*_pixel_layers(filters, norm))
        else:
            self.model = nn.Sequential(
                *_patch_layers(filters, 3 if kind == "basic" else layers, norm)
            )
        self.apply(_start)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, None]:  # noqa: ARG002
        """Return the map of verdicts, and None in place of features.

        Args:
            images: (B, 3, H, W) in [-1, 1].
            labels: not used; all discriminators have the same arguments.

        Returns:
            (B, 1, h, w), unbounded; for `basic` at 128 pixels, h is 14.
        """
        layers = self.net if hasattr(self, "net") else self.model
        return layers(images), None


def _patch_layers(filters: int, layers: int, norm: str) -> list[nn.Module]:
    """Return 4 × 4 convolutions: `layers` of stride 2, one of stride 1, and one for the verdict."""
    modules: list[nn.Module] = [nn.Conv2d(3, filters, 4, 2, 1), nn.LeakyReLU(0.2)]
    width = filters
    for layer in range(1, layers + 1):
        wider = filters * min(2**layer, 8)
        stride = 1 if layer == layers else 2
        modules += [
            nn.Conv2d(width, wider, 4, stride, 1, bias=_has_bias(norm)),
            _norm(norm, wider),
            nn.LeakyReLU(0.2),
        ]
        width = wider
    return [*modules, nn.Conv2d(width, 1, 4, 1, 1)]


def _pixel_layers(filters: int, norm: str) -> list[nn.Module]:
    """Return three 1 × 1 convolutions; the last one has a bias if the middle one has one."""
    bias = _has_bias(norm)
    return [
        nn.Conv2d(3, filters, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters, filters * 2, 1, bias=bias),
        _norm(norm, filters * 2),
        nn.LeakyReLU(0.2),
        nn.Conv2d(filters * 2, 1, 1, bias=bias),
    ]


def _has_bias(norm: str) -> bool:
    return norm in ("instance", "none")


def _norm(norm: str, channels: int) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels) if norm == "instance" else nn.Identity()


def _start(module: nn.Module) -> None:
    """Set CycleGAN's initial weights in a module."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
