"""Our numbers against those of the authors' code: the naive approach and CycleFUNIT, by the step
that `train` uses."""

import json

import pytest
import torch
from torch import nn

from g2g_core.config import TrialConfig
from g2g_core.data.pairs import Batch
from g2g_core.features import perceptual
from g2g_core.features.identity import IDENTITY
from g2g_core.features.resnet50 import MEAN
from g2g_core.features.vgg16 import Vgg16
from g2g_core.models import MODELS
from g2g_core.passes.cross import DiscriminatorPass
from g2g_core.training.step import TrainingStep

GANS = {"lsgan": ("adversarial_lsgan", "d_lsgan"), "vanilla": ("adversarial_vanilla", "d_vanilla")}
GANS["wgangp"] = ("adversarial_wgan", "d_wgan")
ZERO_GRADIENT = 1e-12  # of biases in front of a norm: rounding, whatever the code


def pair_of(images):
    """The authors' batch: first half x1, second half x2."""
    first, second = images.chunk(2)
    labels = torch.zeros(len(first), dtype=torch.int64)
    return Batch(first, labels, second, labels)


def norms_are_golden(golden, prefix, network, rename=str):
    """Gradient norms of all parameters; returns how many were compared."""
    compared = 0
    for name, parameter in network.named_parameters():
        key = prefix + rename(name)
        if parameter.grad is not None and key in golden.keys:
            golden.same(key, parameter.grad.norm(), rtol=1e-9, atol=ZERO_GRADIENT)
            compared += 1
    return compared


class Naive:
    """The naive system at the sizes of its fixture."""

    def __init__(self, golden, recipe, recon):
        hp = json.loads(str(golden.arrays["meta"]))["hp"]
        self.hp, self.recipe = hp, recipe
        self.config = TrialConfig(
            model="naive",
            network={
                "encoder_filters": hp["nfe"],
                "code_dim": hp["nz"],
                "adain_layers": hp["n_adain"],
                "adain_dim": hp["dim_adain"],
                "output": "sigmoid",
            },
            image_size=hp["img_size"],
            batch_size=hp["batch_size"] // 2,
            # The authors add the two images of a pair up; our terms are means over both.
            losses={
                recon: 2 * hp["alpha"],
                "content_cycle": 2 * hp["gamma"],
                "class_cycle": 2 * hp["gamma"],
            },
            optimizer="adam",
            lr_generator=hp["lr"],
            weight_decay=0.0,
            ema_decay=None,
            precision="float64",
        )
        self.networks = MODELS["naive"](self.config, 1)
        self.networks.generator.double()
        recipe.fill(self.networks.generator, "naive.")
        self.step = TrainingStep(self.config, self.networks)

    def batch(self, i):
        return pair_of(self.recipe.image(f"naive_x{i}", (4, 3, 128, 128)))

    def cross(self):
        return self.networks.make_pass(self.networks.generator, None, self.batch(0))


def test_naive_forward_and_running_statistics(golden, recipe):
    file = golden("naive_v1_f64")
    case = Naive(file, recipe, "long_recon")
    cross = case.cross()
    for letter, real, mixed in (("a", "class_", "mixed_class"), ("b", "content", "mixed_content")):
        for number, (x, m) in enumerate(
            zip(getattr(cross, real).chunk(2), getattr(cross, mixed).chunk(2), strict=True)
        ):
            file.same(f"fwd/x{number + 1}_{letter}", x)
            file.same(f"fwd/m{number + 1}_{letter}", m)
    for number, (m, r) in enumerate(
        zip(cross.mixed.chunk(2), cross.full_recon.chunk(2), strict=True)
    ):
        file.same(f"fwd/m{number + 1}", m)
        file.same(f"fwd/r{number + 1}", r)
    for name, buffer in case.networks.generator.named_buffers():
        if "running" in name:
            file.same(f"bn_after_one_forward/{name}", buffer)


@pytest.mark.parametrize(
    ("name", "recon", "steps"),
    [
        ("naive_v1_f64", "long_recon", 1),
        pytest.param("naive_v1_f64", "long_recon", 5, marks=pytest.mark.slow),
        pytest.param("naive_v2_f64", "short_recon", 5, marks=pytest.mark.slow),
    ],
)
def test_naive_losses_gradients_and_steps(golden, recipe, name, recon, steps):
    file = golden(name)
    case = Naive(file, recipe, recon)
    for number in range(steps):
        values = case.step(case.batch(number), number)
        file.same(f"log/{number + 1}/loss", values["loss/total_generator"], rtol=1e-8)
        if number == 0:
            file.same("loss/reconstr", 2 * case.hp["alpha"] * values[f"loss/{recon}"])
            file.same("loss/cycle_a", 2 * values["loss/class_cycle"])
            file.same("loss/cycle_b", 2 * values["loss/content_cycle"])
            file.same("loss/total", values["loss/total_generator"])
            compared = norms_are_golden(file, "grad_norm/", case.networks.generator)
            assert compared > 10 or file.partial
        if number in (0, 4):
            state = case.networks.generator.state_dict()
            for key in {
                key.partition("#")[0] for key in file.keys if key.startswith(f"after{number + 1}/")
            }:
                file.same(key, state[key.partition("/")[2]].double(), rtol=0, atol=1e-8)


class IdentityStandIn(nn.Module):
    """What the fixtures use for the ResNet-50: 2x2 averages of the normalised image, and a dense
    layer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 6)

    def forward(self, images):
        mean = (
            torch.tensor(MEAN).to(images).view(1, 3, 1, 1)
        )  # rounded to float32, as the fixtures' was
        pixels = (images * 0.5 + 0.5) * 255 - mean
        return self.fc(nn.functional.adaptive_avg_pool2d(pixels / 100, 2).flatten(1))


class RoundedVgg(Vgg16):
    """ImageNet's mean and deviation rounded to float32, as the fixtures' were."""

    def __init__(self, normalise):
        super().__init__(normalise=False)
        self.rounded = normalise

    def forward(self, images, layer="relu2_2"):
        if self.rounded:
            mean, deviation = (
                torch.tensor(rgb).to(images).view(1, 3, 1, 1)
                for rgb in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
            )
            images = (images * 0.5 + 0.5 - mean) / deviation
        return super().forward(images, layer)


@pytest.fixture
def stand_ins(monkeypatch, recipe):
    """Networks with recipe weights in the places of the pre-trained ones."""

    def identity(options):
        network = IdentityStandIn().double()
        recipe.fill(network, "idstub.")
        return network, 6

    def vgg(options):
        network = RoundedVgg(options.perceptual_normalise).double()
        recipe.fill(network.features, "vgg.features.")
        return perceptual.PerceptualNetwork(network, "relu2_2")

    monkeypatch.setitem(IDENTITY, "stand_in", identity)
    monkeypatch.setitem(perceptual.PERCEPTUAL, "vgg16", vgg)


class Cycle:
    """CycleFUNIT at the sizes of its fixtures: master with the identity encoder, or the branch with
    its loss."""

    def __init__(self, golden, recipe, gan="lsgan", trained=False):
        meta = json.loads(str(golden.arrays["meta"]))
        hp, self.recipe, self.master = meta["hp"], recipe, meta["which"] == "master"
        adversarial, d_loss = GANS[gan]
        if self.master:
            self.terms = {
                "vgg_loss_l": ("perceptual_long", 2 * hp["alpha_l"]),
                "vgg_loss_s": ("perceptual_short", 2 * hp["alpha_s"]),
                "cycle_loss_c": ("content_cycle_crossed", 2 * hp["gamma_c"]),
                "cycle_loss_id": ("class_cycle", 2 * hp["gamma_id"]),
                "adv_g_loss": (adversarial, hp["delta"]),
            }
        else:
            self.terms = {
                "vgg_loss": ("perceptual_long", 2 * hp["alpha"]),
                "id_loss": ("identity_mixed", 2 * hp["delta_max"]),
                "adv_g_loss": (adversarial, hp["lambda_g"]),
            }
        losses = dict(self.terms.values()) | {d_loss: hp["zeta"]}
        if not self.master:
            losses |= {"content_cycle": 2 * hp["gamma"], "class_cycle": 2 * hp["gamma"]}
        self.config = TrialConfig(
            model="cyclefunit",
            network={
                "filters": hp["nf"],
                "residual_blocks": hp["n_res_blks"],
                "mlp_filters": hp["nf_mlp"],
                "class_dim": hp["latent_dim"],
                "mlp_blocks": hp["n_mlp_blks"],
                "content_downs": hp["down_content"],
                "class_downs": hp["down_class"],
                "class_encoder": "identity" if self.master else "funit",
                "perceptual_normalise": self.master,
                "identity": "stand_in",
                "identity_trained": trained,
                "d_kind": hp["dis_arch"],
                "d_filters": hp["nfd"],
                "d_layers": hp["n_layers_D"],
                "d_norm": hp["norm"],
            },
            image_size=32,
            batch_size=2,
            losses=losses,
            optimizer="adam",
            lr_generator=hp["lr_gen"],
            lr_discriminator=hp["lr_dis"],
            weight_decay=0.0,
            ema_decay=None,
            precision="float64",
        )
        self.networks = MODELS["cyclefunit"](self.config, 1)
        recipe.fill(self.networks.generator.double(), "gen.", rename=self.theirs)
        recipe.fill(self.networks.discriminator.double(), "patch.")
        if self.master:
            recipe.fill(self.networks.generator.enc_class_model.network, "idstub.")
        self.step = TrainingStep(self.config, self.networks)

    def theirs(self, name):
        """The authors' name of a parameter of the generator."""
        return name.replace("enc_class_model.network.", "enc_id.") if self.master else name

    def batch(self, i):
        return pair_of(self.recipe.image(f"cyc_x{i}", (4, 3, 32, 32)))


FILES = ("cyclefunit_master_f64", "cyclefunit_idmixed_f64")


@pytest.mark.parametrize("name", FILES)
def test_cyclefunit_forward(golden, recipe, stand_ins, name):
    file = golden(name)
    case = Cycle(file, recipe)
    cross = case.networks.make_pass(
        case.networks.generator, case.networks.discriminator, case.batch(0)
    )
    codes = {"c": "content", "id": "class"} if case.master else {"a": "content", "b": "class"}
    originals = {"content": cross.content, "class": cross.class_}
    mixed = {"content": cross.mixed_content, "class": cross.mixed_class}
    # Their m1 has the content of x1 and the class of x2: our second half.
    for letter, code in codes.items():
        for start, halves in (("x", originals[code].chunk(2)), ("m", mixed[code].chunk(2)[::-1])):
            for number, half in enumerate(halves):
                file.same(f"fwd/{start}{number + 1}_{letter}", half)
    for number, half in enumerate(cross.mixed.chunk(2)[::-1]):
        file.same(f"fwd/m{number + 1}", half)
    for number, half in enumerate(cross.full_recon.chunk(2)):
        file.same(f"fwd/r{number + 1}", half)
    if case.master:
        for number, half in enumerate(cross.self_recon.chunk(2)):
            file.same(f"fwd/x{number + 1}_hat", half)


@pytest.mark.parametrize("gan", GANS)
@pytest.mark.parametrize("name", FILES)
def test_cyclefunit_losses_and_gradients(golden, recipe, stand_ins, name, gan):
    file = golden(name)
    case = Cycle(file, recipe, gan)
    networks = case.networks
    values = {}
    cross = networks.make_pass(networks.generator, networks.discriminator, case.batch(0))
    total = sum(
        term.weight_at(0) * values.setdefault(term.name, term.term(cross))
        for term in case.step.generator_terms
    )
    file.same(f"{gan}/g_total", total)
    for theirs, (ours, weight) in case.terms.items():
        file.same(f"{gan}/{theirs}", weight * values[ours])
    total.backward()
    norms_are_golden(file, f"{gan}/ggrad_norm/", networks.generator, case.theirs)
    networks.discriminator.zero_grad()
    pair = DiscriminatorPass(
        networks.discriminator, cross.real, cross.labels, cross.mixed, cross.labels, 2, None
    )
    (term,) = case.step.discriminator_terms
    loss = term.weight_at(0) * term.term(pair)
    file.same(f"{gan}/d_total", loss)
    loss.backward()
    norms_are_golden(file, f"{gan}/dgrad_norm/", networks.discriminator)


@pytest.mark.parametrize(
    ("name", "which", "trained"),
    [
        ("cyclefunit_master_f64", "frozen_id", False),
        ("cyclefunit_master_f64", "pl090", True),
        ("cyclefunit_idmixed_f64", "frozen_id", False),
    ],
)
def test_cyclefunit_five_steps(golden, recipe, stand_ins, name, which, trained):
    file = golden(name)
    case = Cycle(file, recipe, trained=trained)
    before = {key: value.clone() for key, value in case.networks.generator.state_dict().items()}
    for number in range(5):
        values = case.step(case.batch(number), number)
        for theirs, (ours, weight) in case.terms.items():
            file.same(
                f"{which}/log/{number + 1}/{theirs}", weight * values[f"loss/{ours}"], rtol=1e-8
            )
        file.same(f"{which}/log/{number + 1}/g_loss", values["loss/total_generator"], rtol=1e-8)
        file.same(f"{which}/log/{number + 1}/d_loss", values["loss/total_discriminator"], rtol=1e-8)
        states = {"gen": case.networks.generator, "dis": case.networks.discriminator}
        for part, network in states.items():
            for key, value in network.state_dict().items():
                at = (
                    f"{which}/after{number + 1}/{part}/{case.theirs(key) if part == 'gen' else key}"
                )
                if at in file.keys:
                    file.same(at, value, rtol=0, atol=1e-8)
    after = case.networks.generator.state_dict()
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    frozen = (
        {key for key in before if "enc_class_model.network." in key}
        if case.master and not trained
        else set()
    )
    assert moved == set(before) - frozen


def test_content_cycles_are_the_papers_and_the_codes(golden, recipe, stand_ins):
    file = golden("cyclefunit_master_f64")
    case = Cycle(file, recipe)
    from g2g_core.losses.menu import LOSSES

    cross = case.networks.make_pass(
        case.networks.generator, case.networks.discriminator, case.batch(0)
    )
    file.same("cycle/content_as_coded", 2 * LOSSES["content_cycle_crossed"](cross))
    file.same("cycle/content_as_paper", 2 * LOSSES["content_cycle"](cross))
    file.same("cycle/id", 2 * LOSSES["class_cycle"](cross))
