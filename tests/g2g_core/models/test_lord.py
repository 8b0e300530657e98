import pytest
import torch

from g2g_core.models.lord import LordGenerator, LordModulation


def build(recipe, seed, size):
    generator, modulation = (
        LordGenerator(10, size, 3, 16, "sigmoid").double(),
        LordModulation(10, 3, 16).double(),
    )
    recipe.fill(generator, "lordgen.", seed)
    recipe.fill(modulation, "lordmod.", seed)
    return generator, modulation


def test_images_and_gradients_are_the_authors(golden, recipe):
    file = golden("lord_generator_f64")
    for seed in (0, 1):
        compare(file, recipe, seed)


def compare(file, recipe, seed):
    generator, modulation = build(recipe, seed, (32, 32))
    content = recipe.image("content", (3, 10), seed).requires_grad_()
    class_code = recipe.image("class", (3, 10), seed).requires_grad_()
    adain = modulation(class_code)
    image = generator(content, adain)
    (image * recipe.image("probe", (3, 3, 32, 32), seed)).sum().backward()
    at = f"s{seed}/naive/"
    file.same(at + "adain_params", adain)
    file.same(at + "img", image)
    file.same(at + "grad_content", content.grad)
    file.same(at + "grad_class", class_code.grad)
    for prefix, net in (("gen", generator), ("mod", modulation)):
        for name, parameter in net.named_parameters():
            file.same(f"{at}grad_norm/{prefix}/{name}", parameter.grad.norm(), atol=1e-12)


def test_images_need_not_be_square(golden, recipe):
    file = golden("lord_generator_f64")
    for seed in (0, 1):
        generator, modulation = build(recipe, seed, (32, 48))
        content, class_code = (
            recipe.image("content", (3, 10), seed),
            recipe.image("class", (3, 10), seed),
        )
        file.same(f"s{seed}/rect/img", generator(content, modulation(class_code)))


def test_content_and_class_codes_may_differ_in_size():
    image = LordGenerator(128, (64, 48), 4, 16)(
        torch.zeros(2, 128), LordModulation(256, 4, 16)(torch.zeros(2, 256))
    )
    assert image.shape == (2, 3, 64, 48)


def test_tanh_reaches_dark_pixels_and_sigmoid_does_not():
    torch.manual_seed(0)
    content, class_code = 9 * torch.randn(8, 10), 9 * torch.randn(8, 10)
    modulation = LordModulation(10, 2, 8)
    lowest = {
        out: LordGenerator(10, (16, 16), 2, 8, out)(content, modulation(class_code)).min().item()
        for out in ("tanh", "sigmoid")
    }
    assert lowest["tanh"] < -0.05
    assert lowest["sigmoid"] >= 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": (40, 40)}, "image_size"),
        ({"adain_dim": 12}, "adain_dim"),
        ({"output": "relu"}, "output"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LordGenerator(**options)
