import numpy as np
import pytest
import torch
from torch.nn import functional

from g2g_core.features.resnet50 import ResNet50


def encoder(recipe, dtype):
    net = ResNet50().to(dtype)
    recipe.fill(net, "id.")
    return net.eval()


def relative_mse(code):
    return functional.mse_loss(code[0], code[1]) / code.pow(2).mean().detach()


def test_has_the_layers_of_the_caffe_model(golden):
    file = golden("id_resnet50")
    names = file.arrays["state_dict_names"]
    file.same(
        "num_params_without_classifier",
        torch.tensor(sum(p.numel() for p in ResNet50().parameters())),
    )
    assert set(ResNet50().state_dict()) == {
        str(name) for name in np.asarray(names) if "classifier" not in name
    }


def test_codes_and_gradients_are_the_authors_in_float64(golden, recipe):
    file, x = golden("id_resnet50"), recipe.image("id_x", (2, 3, 224, 224)).requires_grad_()
    net = encoder(recipe, torch.float64)
    code = net(x)
    value = relative_mse(code)
    (gradient,) = torch.autograd.grad(value, x)
    file.same("f64/code_eval", code)
    file.same("f64/rel_mse", value)
    file.same("f64/grad_x", gradient, rtol=1e-8)
    with torch.no_grad():
        file.same("f64/code_eval_197", net.encode(recipe.image("id_x197", (1, 3, 197, 197)) * 100))
        net.train()
        file.same("f64/code_train_mode_bn", net(x))
    file.same("f64/running_mean_after/conv1_7x7_s2_bn", net.conv1_7x7_s2_bn.running_mean)


def test_codes_are_the_authors_in_float32(golden, recipe):
    file = golden("id_resnet50")
    with torch.no_grad():
        code = encoder(recipe, torch.float32)(recipe.image("id_x", (2, 3, 224, 224)).float())
    file.same("f32/code_eval", code, rtol=2e-4)
    file.same("f32/rel_mse", relative_mse(code), rtol=1e-3)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="195 to 224 px, not 128x128"):
        ResNet50()(torch.zeros(1, 3, 128, 128))
