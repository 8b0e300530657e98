import pytest
import torch
from torch.nn import functional

from g2g_core.features.vgg16 import LAYERS, Vgg16

SIZES = {"32x32": (2, 3, 32, 32), "48x64": (1, 3, 48, 64)}


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-9), (torch.float32, 2e-4)])
@pytest.mark.parametrize("size", SIZES)
def test_features_losses_and_gradients_are_torchvisions(golden, recipe, size, dtype, rtol):
    file = golden("vgg16")
    at = f"f{torch.finfo(dtype).bits}/{size}/"
    net, normalised = Vgg16(normalise=False).to(dtype), Vgg16().to(dtype)
    for each in (net, normalised):
        recipe.fill(each.features, "vgg.features.")
    x = recipe.image("vgg_x", SIZES[size]).to(dtype).requires_grad_()
    y = recipe.image("vgg_y", SIZES[size]).to(dtype)
    for index, layer in enumerate(LAYERS):
        features, others = net(x, layer), net(y, layer)
        file.same(at + layer, features, rtol=rtol)
        for kind, loss in (("l1", functional.l1_loss), ("mse", functional.mse_loss)):
            value = loss(features, others)
            file.same(f"{at}{kind}_layer{index}", value, rtol=rtol)
            if index == 1:
                (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
                file.same(f"{at}{kind}_layer1_grad_x", gradient, rtol=max(rtol, 1e-9) * 5)
    file.same(
        at + "loss_as_used_l1_relu2_2", functional.l1_loss(normalised(x), normalised(y)), rtol=rtol
    )


def test_runs_no_deeper_than_asked():
    net, seen = Vgg16(), []
    for module in net.features:
        module.register_forward_hook(lambda module, args, out: seen.append(module))
    net(torch.zeros(1, 3, 16, 16), "relu2_2")
    assert len(seen) == 9
