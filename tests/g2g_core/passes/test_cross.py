import pytest
import torch
from torch import nn

from g2g_core.passes.cross import CrossPass, DiscriminatorPass, TranslationPass, swap
from tests.g2g_core.tiny_funit import CountingDiscriminator, CountingGenerator, batch


@pytest.fixture
def cross():
    return CrossPass(CountingGenerator(), CountingDiscriminator(), batch())


def test_swap_exchanges_the_partners():
    assert swap(torch.tensor([1, 2, 3, 4])).tolist() == [3, 4, 1, 2]


def test_mixed_has_own_class_and_the_partners_content(cross):
    a, b = cross.batch.content_images, cross.batch.class_images
    mean = lambda images: images.mean((2, 3), keepdim=True)  # noqa: E731
    assert torch.equal(cross.real, torch.cat([a, b]))
    assert torch.equal(cross.mixed, torch.cat([b + mean(a), a + mean(b)]))
    assert torch.equal(cross.self_recon, torch.cat([a + mean(a), b + mean(b)]))
    ma, mb = cross.mixed.chunk(2)
    assert torch.equal(cross.full_recon, torch.cat([mb + mean(ma), ma + mean(mb)]))


def test_each_image_is_computed_once_and_only_when_asked(cross):
    calls = cross.generator.calls
    assert not calls
    _ = cross.self_recon, cross.self_recon
    assert calls == {"content_code": 1, "class_code": 1, "decode": 1}
    _ = cross.mixed, cross.mixed, cross.self_recon
    assert calls == {"content_code": 1, "class_code": 1, "decode": 2}
    _ = cross.full_recon, cross.mixed_content, cross.mixed_class
    assert calls == {"content_code": 2, "class_code": 2, "decode": 3}


def test_verdict_and_features_share_one_call(cross):
    _ = cross.verdict("mixed"), cross.features("mixed"), cross.features("mixed")
    assert cross.discriminator.calls == 1
    _ = cross.features("content_images"), cross.features("class_images"), cross.features("real")
    assert cross.discriminator.calls == 2


@pytest.mark.parametrize("make_pass", [CrossPass, TranslationPass])
def test_expected_images_share_calls_and_keep_their_numbers(make_pass):
    names = ["mixed", "self_recon"] + ["full_recon"] * (make_pass is CrossPass)
    alone, shared = (
        make_pass(CountingGenerator(), CountingDiscriminator(), batch()) for _ in range(2)
    )
    shared.expect(name for name in names)
    for name in names:
        assert torch.equal(getattr(shared, name), getattr(alone, name))
        assert torch.equal(shared.verdict(name), alone.verdict(name))
        assert torch.equal(shared.features(name), alone.features(name))
    assert shared.discriminator.calls == 1
    assert alone.discriminator.calls == len(names)
    assert shared.generator.calls["decode"] == alone.generator.calls["decode"] - 1


def test_nothing_is_computed_that_is_not_expected(cross):
    cross.expect(["mixed"])
    cross.verdict("mixed")
    assert cross.generator.calls == {"content_code": 1, "class_code": 1, "decode": 1}


def test_large_images_are_judged_alone(cross, monkeypatch):
    monkeypatch.setattr("g2g_core.passes.cross.STACKED_PIXELS", 2 * cross.real[:, 0].numel() - 1)
    cross.expect(["mixed", "self_recon"])
    _ = cross.verdict("mixed"), cross.verdict("self_recon")
    assert cross.discriminator.calls == 2


def test_judged_under_the_right_labels(cross):
    expected = cross.mixed.mean(1) + cross.labels[:, None, None]
    assert torch.equal(cross.verdict("mixed"), expected)


@pytest.mark.parametrize("made_with", [True, False])
def test_first_use_in_another_gradient_mode_is_refused(made_with):
    with torch.set_grad_enabled(made_with):
        cross = CrossPass(CountingGenerator(), CountingDiscriminator(), batch())
        mixed = cross.mixed
    with torch.set_grad_enabled(not made_with):
        assert cross.mixed is mixed
        with pytest.raises(RuntimeError, match="full_recon"):
            _ = cross.full_recon
        with pytest.raises(RuntimeError, match="judged/mixed"):
            cross.verdict("mixed")


def test_without_discriminator_or_features():
    with pytest.raises(ValueError, match="no discriminator"):
        CrossPass(CountingGenerator(), None, batch()).verdict("mixed")

    class NoFeatures(nn.Module):
        def forward(self, images, labels):
            return images, None

    with pytest.raises(ValueError, match="no features"):
        CrossPass(CountingGenerator(), NoFeatures(), batch()).features("mixed")


def test_erased_regions_reach_the_class_encoder_only():
    erased = batch()
    mask = torch.zeros(2, 1, 16, 16)
    mask[..., :4] = 1
    object.__setattr__(erased, "content_erase", mask)
    object.__setattr__(erased, "class_erase", mask)
    cross = CrossPass(CountingGenerator(), None, erased)
    assert torch.equal(cross.content, cross.real * (1 - torch.cat([mask, mask])))
    assert torch.equal(cross.class_, cross.real.mean((2, 3), keepdim=True))


def test_translation_goes_one_way():
    cross = TranslationPass(CountingGenerator(), CountingDiscriminator(), batch())
    a, b = cross.batch.content_images, cross.batch.class_images
    assert torch.equal(cross.mixed, a + b.mean((2, 3), keepdim=True))
    assert torch.equal(cross.self_recon, a + a.mean((2, 3), keepdim=True))
    assert torch.equal(cross.real, b)
    label = cross.batch.content_labels[:, None, None]
    assert torch.equal(cross.verdict("self_recon"), cross.self_recon.mean(1) + label)
    assert torch.equal(cross.features("content_images"), a.mean((2, 3)))
    with pytest.raises(ValueError, match="funit2funit"):
        _ = cross.full_recon


def test_discriminator_pass_keeps_the_generator_out(cross):
    pair = DiscriminatorPass(
        cross.discriminator,
        cross.real,
        cross.labels,
        cross.mixed,
        cross.labels,
        2,
        lambda purpose: torch.Generator(),
    )
    pair.discriminator(pair.fake, pair.fake_labels)[0].sum().backward()
    assert cross.generator.scale.grad is None
    assert pair.real_verdict is pair.real_verdict
