"""The authors' order of computation, restated in plain torch for comparison.

Its numbers are the same as those of the authors' code. Each image of the pair goes through every
network alone. The discriminator's update computes the generator's images once more, and real loss
and penalty have backward passes of their own. The generator's update leaves gradients in the
discriminator, and goes back through it on real images too. Every term is computed, whatever its
weight. Parameters have the names of FUNIT's state dicts.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, l1_loss

from g2g_core.data.pairs import Batch


class Conv(nn.Module):
    """A padded convolution, then a normalization, then an activation."""

    def __init__(
        self, narrow: int, wide: int, kernel: int, stride: int, pad: int, norm: str, activation: str
    ) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(pad)
        self.conv = nn.Conv2d(narrow, wide, kernel, stride)
        self.instance = nn.InstanceNorm2d(wide) if norm == "instance" else None
        self.adaptive = norm == "adain"
        self.parameters_now: tuple[Tensor, Tensor] | None = None
        self.activation = {"relu": nn.ReLU(inplace=True), "tanh": nn.Tanh(), "none": None}[
            activation
        ]

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.pad(x))
        if self.instance is not None:
            x = self.instance(x)
        if self.adaptive:
            assert self.parameters_now is not None
            bias, scale = self.parameters_now
            # Batch normalization over (1, B * C) channels normalizes each image alone.
            flat = x.contiguous().view(1, -1, *x.shape[2:])
            x = batch_norm(flat, None, None, scale.reshape(-1), bias.reshape(-1), True).view_as(x)
        return x if self.activation is None else self.activation(x)


class Residual(nn.Module):
    """Two convolutions whose output is added to their input."""

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.model = nn.Sequential(
            Conv(width, width, 3, 1, 1, norm, "relu"), Conv(width, width, 3, 1, 1, norm, "none")
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.model(x)


class Named(nn.Module):
    """A sequence of layers under the name `model`, as in FUNIT's state dicts."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Dense(nn.Module):
    """A fully connected layer, with ReLU unless it is the last one."""

    def __init__(self, narrow: int, wide: int, last: bool) -> None:
        super().__init__()
        self.fc = nn.Linear(narrow, wide)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x) if self.last else torch.relu_(self.fc(x))


class Generator(nn.Module):
    """FUNIT's generator: content encoder, class encoder, and decoder with AdaIN."""

    def __init__(
        self,
        filters: int,
        blocks: int,
        mlp: int,
        code: int,
        mlp_blocks: int,
        downs: int,
        class_downs: int,
    ) -> None:
        super().__init__()
        f = filters
        widths = [f * min(2**i, 4) for i in range(class_downs + 1)]
        pairs = list(pairwise(widths))
        self.enc_class_model = Named(
            Conv(3, f, 7, 1, 3, "none", "relu"),
            *(Conv(a, b, 4, 2, 1, "none", "relu") for a, b in pairs),
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(widths[-1], code, 1),
        )

        wide = f * 2**downs
        self.enc_content = Named(
            Conv(3, f, 7, 1, 3, "instance", "relu"),
            *(Conv(f * 2**i, f * 2 ** (i + 1), 4, 2, 1, "instance", "relu") for i in range(downs)),
            Named(*(Residual(wide, "instance") for _ in range(blocks))),
        )

        ups: list[nn.Module] = []
        for i in range(downs, 0, -1):
            ups += [
                nn.Upsample(scale_factor=2),
                Conv(f * 2**i, f * 2 ** (i - 1), 5, 1, 2, "instance", "relu"),
            ]
        self.dec = Named(
            Named(*(Residual(wide, "adain") for _ in range(blocks))),
            *ups,
            Conv(f, 3, 7, 1, 3, "none", "tanh"),
        )

        # Each AdaIN layer of the residual blocks takes a bias and a scale per channel.
        hidden = [Dense(code if i == 0 else mlp, mlp, False) for i in range(mlp_blocks - 1)]
        self.mlp = Named(*hidden, Dense(mlp, 4 * blocks * wide, True))

    def decode(self, content: Tensor, code: Tensor) -> Tensor:
        """Return the image of a content code (B, C, H, W) and a class code (B, code, 1, 1)."""
        values = self.mlp(code.flatten(1))
        for module in self.dec.modules():
            if isinstance(module, Conv) and module.adaptive:
                width = module.conv.out_channels
                module.parameters_now = (values[:, :width], values[:, width : 2 * width])
                values = values[:, 2 * width :]
        return self.dec(content)


class Padded(nn.Module):
    """An activation, if any, then a padded convolution."""

    def __init__(
        self, narrow: int, wide: int, kernel: int, activated: bool, bias: bool = True
    ) -> None:
        super().__init__()
        self.activation = nn.LeakyReLU(0.2, inplace=True) if activated else None
        self.pad = nn.ReflectionPad2d(kernel // 2) if kernel > 1 else nn.Identity()
        self.conv = nn.Conv2d(narrow, wide, kernel, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.activation is not None:
            x = self.activation(x)
        return self.conv(self.pad(x))


class Block(nn.Module):
    """A residual block whose activation is in place, so an identity shortcut is activated too."""

    def __init__(self, narrow: int, wide: int) -> None:
        super().__init__()
        self.conv_0 = Padded(narrow, min(narrow, wide), 3, True)
        self.conv_1 = Padded(min(narrow, wide), wide, 3, True)
        self.conv_s = Padded(narrow, wide, 1, False, bias=False) if narrow != wide else None

    def forward(self, x: Tensor) -> Tensor:
        # The activation in place changes x, so the convolved shortcut gets a copy. The identity
        # shortcut gets none, as in the authors' code.
        shortcut = x if self.conv_s is None else self.conv_s(x.clone())
        return self.conv_1(self.conv_0(x)) + shortcut


class Discriminator(nn.Module):
    """FUNIT's discriminator: one logit map per class, and the features before it."""

    def __init__(self, filters: int, blocks: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [Padded(3, filters, 7, False)]
        width = filters
        for stage in range(blocks // 2):
            wider = min(2 * width, 1024)
            layers += [Block(width, width), Block(width, wider)]
            width = wider
            if stage < blocks // 2 - 1:
                layers += [nn.ReflectionPad2d(1), nn.AvgPool2d(3, 2)]
        self.cnn_f = nn.Sequential(*layers)
        self.cnn_c = nn.Sequential(Padded(width, classes, 1, True))

    def forward(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.cnn_f(x)
        logits = self.cnn_c(features)
        return logits[torch.arange(len(x)), labels], features


class ReferenceStep:
    """One iteration of FUNIT2FUNIT or plain FUNIT in the authors' order.

    Args:
        generator: trained in place.
        discriminator: trained in place.
        average: the averaged generator.
        weights: term -> weight; the names are those of `g2g_core.losses.funit`.
        swapped: whether generated images are judged under their partner's class.
        pair: True for FUNIT2FUNIT, False for FUNIT.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        average: Generator,
        weights: Mapping[str, float],
        swapped: bool = True,
        pair: bool = True,
    ) -> None:
        self.gen, self.dis, self.average, self.weights = generator, discriminator, average, weights
        self.swapped, self.pair = swapped, pair
        settings = {"lr": 1e-4, "weight_decay": 1e-4, "alpha": 0.99, "eps": 1e-8}
        self.gen_optimizer = torch.optim.RMSprop(generator.parameters(), **settings)
        self.dis_optimizer = torch.optim.RMSprop(discriminator.parameters(), **settings)

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        xa, la, xb, lb = (
            batch.content_images,
            batch.content_labels,
            batch.class_images,
            batch.class_labels,
        )
        logged = self.discriminator_update(xa, la, xb, lb) | self.generator_update(xa, la, xb, lb)
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.gen.parameters(), strict=True)
            for averaged, trained in pairs:
                averaged.mul_(0.999).add_(trained, alpha=0.001)
        return logged

    def discriminator_update(
        self, xa: Tensor, la: Tensor, xb: Tensor, lb: Tensor
    ) -> dict[str, Tensor]:
        """Update the discriminator, and return its terms."""
        self.dis_optimizer.zero_grad()
        share = 0.5 if self.pair else 1.0
        reals = [(xb, lb), (xa, la)] if self.pair else [(xb, lb)]
        reals = [(x.detach().requires_grad_(), label) for x, label in reals]
        verdicts = [self.dis(x, label)[0] for x, label in reals]
        real = share * sum(torch.relu(1 - v).mean() for v in verdicts)
        (self.weights["d_hinge"] * real).backward(retain_graph=True)

        penalty = share * sum(self.penalty(v, x) for v, (x, _) in zip(verdicts, reals, strict=True))
        (self.weights["d_r1"] * penalty).backward()

        # The generator isn't trained here, so its images carry no gradients.
        with torch.no_grad():
            ca, sb = self.gen.enc_content(xa), self.gen.enc_class_model(xb)
            fakes = [(self.gen.decode(ca, sb), la if self.swapped and self.pair else lb)]
            if self.pair:
                cb, sa = self.gen.enc_content(xb), self.gen.enc_class_model(xa)
                fakes.append((self.gen.decode(cb, sa), lb if self.swapped else la))

        fake = share * sum(torch.relu(1 + self.dis(x, label)[0]).mean() for x, label in fakes)
        (self.weights["d_hinge"] * fake).backward()

        self.dis_optimizer.step()
        return {"d_hinge": (real + fake).detach(), "d_r1": penalty.detach()}

    @staticmethod
    def penalty(verdict: Tensor, x: Tensor) -> Tensor:
        """Return the gradient penalty on real images (R1, arXiv 1801.04406)."""
        (gradient,) = torch.autograd.grad(verdict.mean(), x, create_graph=True)
        return gradient.square().sum() / len(x)

    def generator_update(self, xa: Tensor, la: Tensor, xb: Tensor, lb: Tensor) -> dict[str, Tensor]:
        """Update the generator, and return its terms."""
        self.gen_optimizer.zero_grad()
        terms = self.pair_terms(xa, la, xb, lb) if self.pair else self.one_way_terms(xa, la, xb, lb)
        total = sum(self.weights.get(name, 0.0) * value for name, value in terms.items())
        assert isinstance(total, Tensor)
        total.backward()
        self.gen_optimizer.step()
        return {name: value.detach() for name, value in terms.items()} | {
            "total_generator": total.detach()
        }

    def one_way_terms(self, xa: Tensor, la: Tensor, xb: Tensor, lb: Tensor) -> dict[str, Tensor]:
        """Return the terms of FUNIT: image a with the class of image b."""
        gen = self.gen
        ca, sa, sb = gen.enc_content(xa), gen.enc_class_model(xa), gen.enc_class_model(xb)
        xt, xr = gen.decode(ca, sb), gen.decode(ca, sa)
        (vt, ft), (vr, fr) = self.judge(xt, lb), self.judge(xr, la)
        fb, fa = self.judge(xb, lb)[1], self.judge(xa, la)[1]

        return {
            "adversarial": -(vt.mean() + vr.mean()) / 2,
            "short_recon": l1_loss(xr, xa),
            "self_fm": l1_loss(fr, fa),
            "short_fm": l1_loss(ft, fb),
        }

    def judge(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the verdict on images, and the discriminator's features as their spatial mean."""
        verdict, features = self.dis(x, labels)
        return verdict, features.mean((2, 3))

    def pair_terms(self, xa: Tensor, la: Tensor, xb: Tensor, lb: Tensor) -> dict[str, Tensor]:
        """Return the terms of FUNIT2FUNIT.

        In the names, `m` is a mixed image, `r` a reconstruction from its own codes, and `f` the
        reconstruction from the codes of the mixed images. `v` is the discriminator's verdict and
        `p` its features.
        """
        gen = self.gen
        ca, sa, cb, sb = (
            gen.enc_content(xa),
            gen.enc_class_model(xa),
            gen.enc_content(xb),
            gen.enc_class_model(xb),
        )
        mb, ma = gen.decode(ca, sb), gen.decode(cb, sa)
        ra, rb = gen.decode(ca, sa), gen.decode(cb, sb)
        cmb, smb, cma, sma = (
            gen.enc_content(mb),
            gen.enc_class_model(mb),
            gen.enc_content(ma),
            gen.enc_class_model(ma),
        )
        fa, fb = gen.decode(cmb, sma), gen.decode(cma, smb)

        (vmb, pmb), (vma, pma) = self.judge(mb, lb), self.judge(ma, la)
        (vra, pra), (vrb, prb) = self.judge(ra, la), self.judge(rb, lb)
        pa, pb = self.judge(xa, la)[1], self.judge(xb, lb)[1]
        pfa, pfb = self.judge(fa, la)[1], self.judge(fb, lb)[1]

        return {
            "adversarial": -(vmb.mean() + vma.mean() + vra.mean() + vrb.mean()) / 4,
            "short_recon": (l1_loss(ra, xa) + l1_loss(rb, xb)) / 2,
            "self_fm": (l1_loss(pra, pa) + l1_loss(prb, pb)) / 2,
            "short_fm": (l1_loss(pma, pa) + l1_loss(pmb, pb)) / 2,
            "long_recon": (l1_loss(fa, xa) + l1_loss(fb, xb)) / 2,
            "long_fm": (l1_loss(pfa, pa) + l1_loss(pfb, pb)) / 2,
            "reassembly_fm": (l1_loss(pfa, pma) + l1_loss(pfb, pmb)) / 2,
        }
