"""Fader Networks' numbers against those of the authors' code, by the sub-steps that a study
takes."""

import json

import pytest
import torch
from torch import nn

from g2g_core.systems.fader import FaderConfig, FaderSteps
from g2g_core.systems.fader_networks import (
    FaderAutoencoder,
    FaderSizes,
    attribute_loss,
    latent_discriminator,
    one_hot,
)

AFTER = 1e-8
"""Absolute limit for weights after steps."""
ZERO_GRADIENT = 1e-12
"""Limit for gradients of biases in front of a norm, which are rounding errors."""
JUDGES = {"latent": "lat_dis", "patch": "ptc_dis", "classifier": "clf_dis"}
THEIRS = {"autoencoder": "ae", **JUDGES}
"""Our names of the networks -> the authors'."""


class FixedNumbers:
    """The recipe's random numbers in place of `Randomness`."""

    def __init__(self, recipe, seed, shapes):
        self.recipe, self.seed = recipe, seed
        self.shapes = shapes.tolist()
        self.draws = self.dropouts = 0

    def integers(self, size, below):
        drawn = self.recipe.image(f"fader_draw{self.draws}", (size,), self.seed)
        self.draws += 1
        return ((drawn + 1) / 2 * below).floor().long()

    def kept(self, shape, rate):
        wanted = self.shapes[self.dropouts]
        assert list(shape) == [side for side in wanted if side]
        drawn = self.recipe.image(f"fader_drop{self.dropouts}", tuple(shape), self.seed)
        self.dropouts += 1
        return (drawn + 1) / 2 >= rate


def fill(recipe, network, prefix, seed):
    """Fill a network by the recipe, where instance norms count as batch norms do."""
    recipe.fill(network, prefix, seed)
    for module in network.modules():
        if isinstance(module, nn.InstanceNorm2d):
            with torch.no_grad():
                # The recipe has 0.1 u for other weights of one dimension.
                module.weight.copy_(1 + module.weight)


def sizes_of(params):
    return FaderSizes(
        image_size=params["img_sz"],
        categories=tuple(size for _, size in params["attr"]),
        channels=params["img_fm"],
        filters=params["init_fm"],
        max_filters=params["max_fm"],
        layers=params["n_layers"],
        skips=params["n_skip"],
        hidden=params["hid_dim"],
        deconvolution=params["deconv_method"],
        instance_norm=params["instance_norm"],
        decoder_dropout=params.get("dec_dropout", 0.0),
        judge_dropout=params["lat_dis_dropout"],
    )


class Case:
    """The networks and the batches of one golden file."""

    def __init__(self, numbers, recipe):
        meta = json.loads(str(numbers.arrays["meta"]))
        self.params, self.seed, self.steps = meta["params"], meta["seed"], meta["iterations"]
        self.recipe, self.sizes = recipe, sizes_of(meta["params"])
        params = self.params
        config = FaderConfig(
            image_size=params["img_sz"],
            layers=params["n_layers"],
            reconstruction=params["lambda_ae"],
            latent=params["lambda_lat_dis"],
            patch=params["lambda_ptc_dis"],
            classifier=params["lambda_clf_dis"],
            ramp=params["lambda_schedule"],
            latent_steps=params["n_lat_dis"],
            patch_steps=params["n_ptc_dis"],
            classifier_steps=params["n_clf_dis"],
            smooth_label=params["smooth_label"],
            clip=params["clip_grad_norm"],
        )
        self.random = FixedNumbers(recipe, self.seed, numbers["in/dropout_shapes"])
        self.training = FaderSteps(config, self.sizes, self.random)
        for name, network in self.training.networks.items():
            network.double()
            fill(recipe, network, f"fader.{THEIRS[name]}.", self.seed)
        self.training.start(torch.device("cpu"), torch.float64)
        self.taken = 0

    def batch(self, number):
        """The images and attributes of one batch."""
        params = self.params
        shape = (params["batch_size"], params["img_fm"], params["img_sz"], params["img_sz"])
        drawn = [
            self.recipe.image(f"fader_y{number}_{name}", (params["batch_size"],), self.seed)
            for name, _ in params["attr"]
        ]
        categories = [
            ((one + 1) / 2 * size).floor().long()
            for one, (_, size) in zip(drawn, params["attr"], strict=True)
        ]
        vectors = one_hot(categories, self.sizes.categories).double()
        return self.recipe.image(f"fader_x{number}", shape, self.seed), vectors

    def next_batch(self):
        self.taken += 1
        return self.batch(self.taken - 1)


@pytest.mark.parametrize("name", ["fader_binary_s0_f64", "fader_multi_s0_f64"])
def test_the_networks(golden, recipe, name):
    numbers = golden(name)
    case = Case(numbers, recipe)
    training, (images, attributes) = case.training, case.batch(0)
    numbers.same("fwd/y", attributes)

    for mode in ("eval", "train"):
        for network in training.networks.values():
            network.train(mode == "train")
            # The golden passes have no dropout in either mode.
            for module in network.modules():
                if hasattr(module, "rate"):
                    module.eval()
        maps = training.autoencoder.encode(images)
        made = training.autoencoder.decode(maps, attributes)
        for layer, map_ in enumerate(maps, start=1):
            numbers.same(f"fwd/{mode}/enc{layer}", map_)
        for layer, map_ in enumerate(made, start=1):
            numbers.same(f"fwd/{mode}/dec{layer}", map_)
        code = training.autoencoder.judged(maps).detach().requires_grad_()
        logits = training.judges["latent"](code)
        loss = attribute_loss(logits, attributes, case.sizes.categories)
        numbers.same(f"fwd/{mode}/lat_dis", logits)
        numbers.same(f"fwd/{mode}/lat_dis_loss", loss)
        (gradient,) = torch.autograd.grad(loss, code)
        numbers.same(f"fwd/{mode}/lat_dis_loss_grad_on_code", gradient)
        for judge in ("patch", "classifier"):
            if judge in training.judges:
                numbers.same(f"fwd/{mode}/{JUDGES[judge]}", training.judges[judge](images))
        if mode == "eval" and case.sizes.categories == (2,):
            for alpha in (-1, 0, 0.5, 1, 2):
                faded = torch.tensor([[1 - alpha, alpha]], dtype=torch.float64)
                faded = training.autoencoder.decode(maps, faded.expand(len(images), 2))[-1]
                numbers.same(f"fwd/eval/fade{alpha}", faded)

    for name, network in training.networks.items():
        for key, value in network.state_dict().items():
            if "running" in key:
                numbers.same(f"bn_after_train_forward/{THEIRS[name]}/{key}", value)


@pytest.mark.parametrize("name", ["fader_binary_s0_f64", "fader_multi_s0_f64"])
def test_the_iterations(golden, recipe, name):
    numbers = golden(name)
    case = Case(numbers, recipe)
    training, params = case.training, case.params
    for step in range(case.steps):
        values = training.iterate(step, case.next_batch)
        log = f"log/{step}"
        numbers.same(f"{log}/lat_dis_step/attr_loss", values["loss/latent"])
        numbers.same(f"{log}/lat_dis_step/grad_norm", values["health/grad_norm_latent"])
        rec = params["lambda_ae"] * values["loss/reconstruction"]
        numbers.same(f"{log}/ae_step/rec", rec)
        numbers.same(f"{log}/ae_step/attr_loss_flipped", values["loss/latent_fooled"])
        numbers.same(f"{log}/ae_step/lambda", values["health/latent_weight"])
        numbers.same(f"{log}/ae_step/grad_norm", values["health/grad_norm_autoencoder"])
        if "patch" in training.judges:
            numbers.same(f"{log}/ptc_dis_step/loss", values["loss/patch"])
            numbers.same(f"{log}/ptc_dis_step/grad_norm", values["health/grad_norm_patch"])
            numbers.same(f"{log}/clf_dis_step/attr_loss", values["loss/classifier"])
            numbers.same(f"{log}/clf_dis_step/grad_norm", values["health/grad_norm_classifier"])
            numbers.same(f"{log}/ae_step/attr_loss", values["loss/classifier_made"])
        if step == 0:
            gradients_are_golden(numbers, "grad0/lat_dis", training.judges["latent"], clipped=False)
            gradients_are_golden(numbers, "grad0/ae_clipped", training.autoencoder, clipped=True)
        for network, module in training.networks.items():
            for key, value in module.state_dict().items():
                golden_key = f"after{step + 1}/{THEIRS[network]}/{key}"
                if golden_key in numbers.keys or f"{golden_key}#val" in numbers.keys:
                    numbers.same(golden_key, value.double(), atol=AFTER)
    assert training.randomness.dropouts == len(case.random.shapes)

    images, attributes = case.batch(0)
    training.autoencoder.eval()
    made = training.autoencoder.decode(training.autoencoder.encode(images), attributes)[-1]
    numbers.same("eval_after/img", made, atol=AFTER)
    numbers.same("eval_after/rec", (made - images).square().mean(), atol=AFTER)


def gradients_are_golden(numbers, prefix, network, clipped):
    """Norms of the gradients that the last step has left, and those that are stored in full."""
    for name, parameter in network.named_parameters():
        if f"{prefix}_norm/{name}" in numbers.keys:
            norm = parameter.grad.norm()
            numbers.same(f"{prefix}_norm/{name}", norm, atol=ZERO_GRADIENT)
        key = f"{prefix}/{name}"
        if key in numbers.keys or f"{key}#val" in numbers.keys:
            numbers.same(key, parameter.grad, atol=ZERO_GRADIENT)


VARIANTS = (
    "pixelshuffle_skip2",
    "upsampling",
    "instance_norm_skip1",
    "to_1x1",
    "grey_three_attributes",
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_architectures(golden, recipe, variant):
    numbers = golden("fader_variants_s0_f64")
    meta = json.loads(str(numbers.arrays["meta"]))
    params = {**meta["base"], **meta["variants"][variant]}
    sizes = sizes_of(params)
    random = FixedNumbers(recipe, meta["seed"], torch.zeros(0))
    autoencoder = FaderAutoencoder(sizes, random).double().eval()
    fill(recipe, autoencoder, "fader.ae.", meta["seed"])
    judge = latent_discriminator(sizes, random).double().eval()
    fill(recipe, judge, "fader.lat_dis.", meta["seed"])

    case = Case.__new__(Case)
    case.params, case.seed, case.recipe, case.sizes = params, meta["seed"], recipe, sizes
    images, attributes = case.batch(0)
    maps = autoencoder.encode(images)
    made = autoencoder.decode(maps, attributes)[-1]
    error = (made - images).square().mean()
    error.backward()
    numbers.same(f"{variant}/code", maps[-1])
    numbers.same(f"{variant}/img", made)
    numbers.same(f"{variant}/rec", error)
    if f"{variant}/lat_dis" in numbers.keys:
        numbers.same(f"{variant}/lat_dis", judge(autoencoder.judged(maps)))
    gradients = [p.grad.norm() for p in autoencoder.parameters()]
    numbers.same(f"{variant}/grad_norm", torch.stack(gradients).norm())
    parameters = torch.tensor(sum(p.numel() for p in autoencoder.parameters()))
    numbers.same(f"{variant}/parameters", parameters)


def test_parameter_counts_are_those_of_the_authors():
    sizes = FaderSizes()
    random = FixedNumbers(None, 0, torch.zeros(0))

    def count(network):
        return sum(parameter.numel() for parameter in network.parameters())

    with torch.device("meta"):
        assert count(FaderAutoencoder(sizes, random)) == 14_000_512
        assert count(latent_discriminator(sizes, random)) == 8_655_362
