"""Our numbers against those of the authors' code: FUNIT2FUNIT and plain FUNIT, by the step that
`train` uses."""

import json

import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch
from g2g_core.models import MODELS
from g2g_core.models.funit import mean_class_code
from g2g_core.passes.cross import DiscriminatorPass
from g2g_core.training.step import TrainingStep
from tests.g2g_core.conftest import Golden

CONFIGS = [("tiny32", 0), ("tiny32", 1), ("rect", 0), ("deep48", 0)]
ZERO_GRADIENT = 1e-12  # of biases in front of a norm: rounding, whatever the code
TERMS = {
    "adversarial": ("gan_w", "l_adv", "loss_gen_adv"),
    "short_recon": ("r_w", "l_rec", "loss_gen_recon_x"),
    "self_fm": ("fm_rec_w", "l_fm_rec", "loss_gen_recon_s"),
    "short_fm": ("fm_w", "l_fm_m", "loss_gen_recon_c"),
    "long_recon": ("rl_w", "l_long_rec", "loss_gen_recon_l"),
    "long_fm": ("fml_w", "l_long_fm", "loss_gen_recon_lfm"),
    "reassembly_fm": ("fml_mix_rec_w", "l_fm_mix_rec", "loss_gen_recon_mix_rec"),
}
PREFIXES = {"generator": ("gen.", 0), "average": ("gen.", 1000), "discriminator": ("dis.", 0)}
SAVED = {"generator": "gen", "average": "gen_test", "discriminator": "dis"}


class Case:
    """Networks, batches and config of a fixture."""

    def __init__(
        self,
        golden,
        recipe,
        model="funit2funit",
        hinge="d_hinge_swapped",
        dtype=torch.float64,
        seed=0,
    ):
        meta = json.loads(str(golden.arrays["meta"]))["config"]
        self.weights, self.size, self.batch_size = meta["w"], meta.get("size", [32, 32]), meta["B"]
        gen, dis = meta["gen"], meta["dis"]
        self.classes, self.seed, self.recipe, self.dtype = dis["num_classes"], seed, recipe, dtype
        w = self.weights
        losses = {name: w[key] for name, (key, _, _) in TERMS.items() if key in w}
        if model == "funit":
            losses["self_fm"] = w["fm_w"]
        self.config = TrialConfig(
            model=model,
            network={
                "filters": gen["nf"],
                "residual_blocks": gen["n_res_blks"],
                "mlp_filters": gen["nf_mlp"],
                "class_dim": gen["latent_dim"],
                "mlp_blocks": gen["n_mlp_blks"],
                "content_downs": gen["n_downs_content"],
                "class_downs": gen["n_downs_class"],
                "d_filters": dis["nf"],
                "d_blocks": dis["n_res_blks"],
            },
            image_size=self.size[0],
            losses={**losses, hinge: w["gan_w"], "d_r1": w.get("reg_w", 10.0)},
        )
        self.networks = MODELS[model](self.config, self.classes)
        for name, (prefix, offset) in PREFIXES.items():
            network = getattr(self.networks, name).to(dtype)
            recipe.fill(network, prefix, seed + offset)
        self.step = TrainingStep(self.config, self.networks)

    def batch(self, i, separate=True):
        shape = (self.batch_size, 3, *self.size)
        draw = self.recipe.image
        xa, xb = (draw(f"{x}{i}", shape, self.seed).to(self.dtype) for x in ("xa", "xb"))
        uniform = [draw(f"{x}{i}", (self.batch_size,), self.seed) for x in ("la", "lb")]
        la, lb = ((u + 1).div(2).mul(self.classes).floor().long() for u in uniform)
        if separate:
            moved = torch.where(la == lb, (lb + 1) % self.classes, lb)
            lb = torch.cat([la[:1], lb[1:]]) if i == 1 else moved
        return Batch(xa, la, xb, lb)

    def cross(self, batch, which="generator"):
        return self.networks.make_pass(
            getattr(self.networks, which), self.networks.discriminator, batch
        )

    def pair(self, cross):
        return DiscriminatorPass(
            self.networks.discriminator,
            cross.real,
            cross.labels,
            cross.mixed,
            cross.labels,
            self.batch_size,
            None,
        )


def halves(values):
    return zip("ab", values.chunk(2), strict=True)


def clear(networks):
    for network in (networks.generator, networks.discriminator):
        network.zero_grad()


def same_gradients(golden, which, network):
    """`which` is `ggrad`, `dgrad`, or with the label order: `dgrad/authors`."""
    kind, _, rest = which.partition("/")
    rest = f"/{rest}" if rest else ""
    for name, parameter in network.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        golden.same(f"{kind}_norm{rest}/{name}", gradient.norm(), atol=ZERO_GRADIENT)
        full = f"{kind}{rest}/{name}"
        if full in golden.arrays or f"{full}#val" in golden.arrays:
            golden.same(full, gradient, atol=ZERO_GRADIENT)


@pytest.mark.parametrize(("name", "seed"), CONFIGS)
def test_forward_pass_equals_the_authors(golden, recipe, name, seed):
    numbers = golden(f"g2g_{name}_s{seed}_f64_losses")
    case = Case(numbers, recipe, seed=seed)
    batch = case.batch(0)
    cross = case.cross(batch)
    forward = {
        "content": "x{}_cont",
        "class_": "x{}_class",
        "mixed": "m{}",
        "self_recon": "x{}_rec",
        "mixed_content": "m{}_cont",
        "mixed_class": "m{}_class",
        "full_recon": "r{}",
    }
    for ours, theirs in forward.items():
        for half, values in halves(getattr(cross, ours)):
            numbers.same(f"fwd/{theirs.format(half)}", values)
    numbers.same(
        "adain/xa_params", case.networks.generator.mlp(cross.class_[: case.batch_size].flatten(1))
    )
    numbers.same("fwd_test/ra", case.cross(batch, "average").full_recon.chunk(2)[0])
    for images in ("xa", "ma"):
        values, labels = (
            (cross.real, cross.labels) if images == "xa" else (cross.mixed, cross.labels)
        )
        verdict, features = case.networks.discriminator(values.chunk(2)[0], labels.chunk(2)[0])
        numbers.same(f"dis/{images}/resp", verdict)
        if images == "ma":
            numbers.same("dis/ma/feat", features)
    for ours, theirs in {
        "real": "x{}",
        "mixed": "m{}",
        "self_recon": "x{}_rec",
        "full_recon": "r{}",
    }.items():
        for half, pooled in halves(cross.features(ours)):
            numbers.same(f"dis/{theirs.format(half)}/pooled", pooled)
    average = case.networks.average
    code = mean_class_code(average, batch.class_images[:2])
    numbers.same("kshot/code", code)
    numbers.same(
        "kshot/image", average.decode(average.content_code(batch.content_images[:1]), code)
    )


@pytest.mark.parametrize(("name", "seed"), CONFIGS)
def test_generator_losses_and_gradients_equal_the_authors(golden, recipe, name, seed):
    numbers = golden(f"g2g_{name}_s{seed}_f64_losses")
    case = Case(numbers, recipe, seed=seed)
    cross = case.cross(case.batch(0))
    values = {term.name: term.term(cross) for term in case.step.generator_terms}
    assert list(values) == [name for name in values if name in TERMS]
    for term, (_, theirs, _) in TERMS.items():
        numbers.same(f"gloss/{theirs}", values[term])
        clear(case.networks)
        values[term].backward(retain_graph=True)
        for part in ("enc_class_model", "enc_content", "dec", "mlp"):
            gradients = [
                p.grad
                for p in getattr(case.networks.generator, part).parameters()
                if p.grad is not None
            ]
            norm = (
                torch.stack([g.norm() for g in gradients]).norm() if gradients else torch.zeros(())
            )
            numbers.same(f"gterm/{theirs}/grad_norm/{part}", norm, atol=ZERO_GRADIENT)
    clear(case.networks)
    total = sum(term.weight * values[term.name] for term in case.step.generator_terms)
    total.backward()
    numbers.same("gloss/l_total", total)
    same_gradients(numbers, "ggrad", case.networks.generator)


@pytest.mark.parametrize(
    ("hinge", "which"), [("d_hinge_swapped", "authors"), ("d_hinge", "unswapped")]
)
@pytest.mark.parametrize(("name", "seed"), CONFIGS)
def test_discriminator_losses_and_gradients_equal_the_authors(
    golden, recipe, name, seed, hinge, which
):
    numbers = golden(f"g2g_{name}_s{seed}_f64_losses")
    case = Case(numbers, recipe, hinge=hinge, seed=seed)
    pair = case.pair(case.cross(case.batch(0)))
    terms = {term.name: term for term in case.step.discriminator_terms}
    hinge_loss, penalty = terms[hinge].term(pair), terms["d_r1"].term(pair)
    real = torch.relu(1 - pair.real_verdict).mean()
    numbers.same(f"dloss/{which}/real", real)
    numbers.same(f"dloss/{which}/fake", hinge_loss - real)
    numbers.same(f"dloss/{which}/reg", penalty)
    total = terms[hinge].weight * hinge_loss + terms["d_r1"].weight * penalty
    numbers.same(f"dloss/{which}/total_optimised", total)
    total.backward()
    same_gradients(numbers, f"dgrad/{which}", case.networks.discriminator)


@pytest.mark.parametrize(
    ("name", "seed", "suffix"),
    [
        *((name, seed, "") for name, seed in CONFIGS),
        ("tiny32", 0, "_unswapped"),
    ],
)
def test_five_steps_equal_the_authors(golden, recipe, name, seed, suffix):
    numbers = golden(f"g2g_{name}_s{seed}_f64_steps{suffix}")
    case = Case(numbers, recipe, hinge="d_hinge" if suffix else "d_hinge_swapped", seed=seed)
    for i in range(5):
        values = case.step(case.batch(i), i)
        for term, (_, _, theirs) in TERMS.items():
            numbers.same(f"log/{i + 1}/{theirs}", values[f"loss/{term}"])
        numbers.same(f"log/{i + 1}/loss_gen_total", values["loss/total_generator"])
        numbers.same(f"log/{i + 1}/loss_dis_reg", values["loss/d_r1"])
        same_weights(numbers, case, i + 1)


def same_weights(numbers, case, iteration):
    for network, theirs in SAVED.items():
        for parameter, value in getattr(case.networks, network).named_parameters():
            key = f"after{iteration}/{theirs}/{parameter}"
            if any(k.startswith(key) for k in numbers.keys):
                numbers.same(key, value, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("name", "seed"), CONFIGS)
def test_labels_follow_the_recipe(golden, recipe, name, seed):
    numbers = golden(f"g2g_{name}_s{seed}_init")
    case = Case(numbers, recipe, seed=seed)
    for i in range(5):
        batch = case.batch(i)
        numbers.same(f"in/{i}/la", batch.content_labels)
        numbers.same(f"in/{i}/lb", batch.class_labels)


def test_plain_funit_equals_the_authors(golden, recipe):
    numbers = golden("funit_s0_f64")
    case = Case(numbers, recipe, "funit", "d_hinge")
    batch = case.batch(0, separate=False)
    cross = case.cross(batch)
    numbers.same("test/xr_current", cross.self_recon)
    numbers.same("test/xt_current", cross.mixed)
    average = case.cross(batch, "average")
    numbers.same("test/xr", average.self_recon)
    numbers.same("test/xt", average.mixed)
    values = {term.name: term.term(cross) for term in case.step.generator_terms}
    named = {
        "adversarial": "l_adv",
        "short_recon": "l_x_rec",
        "self_fm": "l_c_rec",
        "short_fm": "l_m_rec",
    }
    for ours, theirs in named.items():
        numbers.same(f"gloss/{theirs}", values[ours])
    total = sum(term.weight * values[term.name] for term in case.step.generator_terms)
    numbers.same("gloss/l_total", total)
    total.backward()
    same_gradients(numbers, "ggrad", case.networks.generator)
    clear(case.networks)
    pair = case.pair(cross)
    terms = {term.name: term for term in case.step.discriminator_terms}
    losses = {name: term.term(pair) for name, term in terms.items()}
    numbers.same("dloss/l_reg", losses["d_r1"])
    sum(terms[name].weight * losses[name] for name in terms).backward()
    same_gradients(numbers, "dgrad", case.networks.discriminator)


def test_five_steps_of_plain_funit_equal_the_authors(golden, recipe):
    numbers = golden("funit_s0_f64")
    case = Case(numbers, recipe, "funit", "d_hinge")
    for i in range(5):
        values = case.step(case.batch(i, separate=False), i)
        numbers.same(f"log/{i + 1}/loss_gen_total", values["loss/total_generator"])
        numbers.same(f"log/{i + 1}/loss_dis_reg", values["loss/d_r1"])
        same_weights(numbers, case, i + 1)


@pytest.mark.parametrize("name", ["tiny32", "rect", "deep48"])
def test_float32_is_within_its_limits(golden, recipe, name):
    numbers = golden(f"g2g_{name}_s0_f32_losses")
    case = Case(numbers, recipe, dtype=torch.float32)
    cross = case.cross(case.batch(0))
    for ours, theirs in {"mixed": "m{}", "self_recon": "x{}_rec", "full_recon": "r{}"}.items():
        for half, images in halves(getattr(cross, ours)):
            numbers.same(f"fwd/{theirs.format(half)}", images, rtol=0, atol=2e-4)
    values = {term.name: term.term(cross) for term in case.step.generator_terms}
    for term, (_, theirs, _) in TERMS.items():
        numbers.same(f"gloss/{theirs}", values[term], rtol=1e-4)
    sum(term.weight * values[term.name] for term in case.step.generator_terms).backward()
    normed = biases_before_a_norm(case.networks.generator)
    for parameter, value in case.networks.generator.named_parameters():
        if parameter not in normed:
            numbers.same(f"ggrad_norm/{parameter}", value.grad.norm(), rtol=1e-3)
    clear(case.networks)
    pair = case.pair(cross)
    terms = {term.name: term for term in case.step.discriminator_terms}
    total = sum(term.weight * term.term(pair) for term in terms.values())
    numbers.same("dloss/authors/total_optimised", total, rtol=1e-4)
    total.backward()
    for parameter, value in case.networks.discriminator.named_parameters():
        numbers.same(f"dgrad_norm/authors/{parameter}", value.grad.norm(), rtol=1e-3)


def biases_before_a_norm(generator):
    """Biases whose gradient is zero by mathematics and noise in float32."""
    return {
        f"{name}.conv.bias"
        for name, module in generator.named_modules()
        if getattr(module, "norm", "none") != "none"
    }


def test_float32_logs_of_the_first_step(golden, recipe):
    numbers = golden("g2g_tiny32_s0_f32_steps")
    case = Case(numbers, recipe, dtype=torch.float32)
    values = case.step(case.batch(0), 0)
    for term, (_, _, theirs) in TERMS.items():
        numbers.same(f"log/1/{theirs}", values[f"loss/{term}"], rtol=1e-4)


def test_the_comparison_can_fail(golden, recipe):
    """The other order of fake labels is seen in the weights after one step."""
    numbers = golden("g2g_tiny32_s0_f64_steps")
    case = Case(numbers, recipe, hinge="d_hinge")
    case.step(case.batch(0), 0)
    for one in (numbers, *(Golden(file, partial=True) for file in numbers.files)):
        with pytest.raises(AssertionError, match="off by"):
            same_weights(one, case, 1)
