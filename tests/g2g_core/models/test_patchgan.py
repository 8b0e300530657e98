import json

import pytest
import torch
from torch.nn import functional

from g2g_core.models.patchgan import PatchGan

OBJECTIVES = {
    "lsgan": lambda verdict, real: functional.mse_loss(
        verdict, torch.full_like(verdict, float(real))
    ),
    "vanilla": lambda verdict, real: functional.softplus(-verdict if real else verdict).mean(),
    "wgangp": lambda verdict, real: -verdict.mean() if real else verdict.mean(),
}


def cases(file):
    shapes = json.loads(str(file.arrays["meta"]))["cases"]
    named = {
        f"{kind}{layers}_{norm}": (kind, layers, norm, tuple(shape))
        for kind, layers, norm, shape in shapes
    }
    for seed in (0, 1):
        for name, case in named.items():
            if f"s{seed}/{name}/out" in file.keys:
                yield seed, f"s{seed}/{name}/", *case


def test_verdicts_losses_and_gradients_are_the_authors(golden, recipe):
    file, seen = golden("patchgan_f64"), 0
    for seed, at, kind, layers, norm, shape in cases(file):
        net = PatchGan(kind, 4, layers, "none_without_bias" if norm == "none" else norm).double()
        recipe.fill(net, "patch.", seed)
        start = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        x = recipe.image("patch_x", shape, seed).requires_grad_()
        for objective, loss in OBJECTIVES.items():
            for real in (True, False):
                net.load_state_dict(start)
                net.zero_grad()
                x.grad = None
                verdict, features = net(x)
                assert features is None
                value = loss(verdict, real)
                value.backward()
                here = f"{at}{objective}/{'real' if real else 'fake'}/"
                file.same(at + "out", verdict)
                file.same(here + "loss", value)
                file.same(here + "grad_norm_x", x.grad.norm())
                for name, parameter in net.named_parameters():
                    # A bias in front of an instance norm has no gradient but rounding noise.
                    file.same(f"{here}grad_norm/{name}", parameter.grad.norm(), atol=1e-13)
        seen += 1
    assert seen >= 5


def test_batch_norm_learns_running_statistics_as_the_authors_do(golden, recipe):
    file, seen = golden("patchgan_f64"), 0
    for seed, at, kind, layers, norm, shape in cases(file):
        if norm != "batch":
            continue
        net = PatchGan(kind, 4, layers, norm).double()
        recipe.fill(net, "patch.", seed)
        x = recipe.image("patch_x", shape, seed)
        net(x)
        first = next(m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d))
        file.same(at + "running_mean_after", first.running_mean)
        file.same(at + "running_var_after", first.running_var)
        file.same(at + "out_eval_after_one_train_forward", net.eval()(x)[0])
        seen += 1
    assert seen


def test_default_size_and_map_are_the_papers():
    net = PatchGan()
    assert sum(p.numel() for p in net.parameters()) == 2_764_737
    assert net(torch.zeros(1, 3, 128, 128))[0].shape == (1, 1, 14, 14)


def test_no_norm_keeps_the_biases_unless_asked():
    middle = PatchGan(norm="none").model[2]
    assert middle.bias is not None
    assert PatchGan(norm="none_without_bias").model[2].bias is None


@pytest.mark.parametrize("options", [{"kind": "patch"}, {"norm": "layer"}, {"layers": 0}])
def test_unknown_options_are_refused(options):
    with pytest.raises(ValueError, match="d_"):
        PatchGan(**options)
