"""LORD's numbers against those of the authors' code, by the stages that a study trains."""

import json

import numpy as np
import pytest
import torch

from g2g_core.models.lord import LordGenerator, LordModulation
from g2g_core.systems.distance import ImageDistance, VggMaps
from g2g_core.systems.lord import AmortizedStage, LatentStage, LordConfig
from g2g_core.systems.lord_networks import LordAmortized, LordEncoder, LordLatent

THEIRS = {
    "content_rows.weight": "content_embedding.embedding.weight",
    "class_rows.weight": "class_embedding.weight",
}
"""Our names of the tables -> the authors'."""
AFTER = 1e-8
"""Absolute limit for weights after steps."""


def theirs(name):
    return THEIRS.get(name, name)


class Case:
    """The model, the loss, and the batches of one golden file."""

    def __init__(self, golden, recipe):
        meta = json.loads(str(golden.arrays["meta"]))
        sizes, self.batch, self.steps = meta["config"], meta["batch"], meta["iterations"]
        self.sizes, self.seed = sizes, meta["seed"]
        height, width = sizes["img_shape"][:2]
        self.config = LordConfig(
            batch_size=self.batch,
            steps=2 * self.steps,
            content_decay=sizes["content_decay"],
            perceptual="pixels",
        )
        generator = LordGenerator(
            sizes["content_dim"],
            (height, width),
            sizes["n_adain_layers"],
            sizes["adain_dim"],
            "sigmoid",
        )
        modulation = LordModulation(sizes["class_dim"], sizes["n_adain_layers"], sizes["adain_dim"])
        self.latent = LordLatent(
            sizes["n_imgs"],
            sizes["n_classes"],
            sizes["content_dim"],
            sizes["class_dim"],
            generator,
            modulation,
        ).double()
        recipe.fill(self.latent, "lord.", self.seed, theirs)
        maps = VggMaps().double()
        recipe.fill(maps, "vgg.", 0)
        self.distance = ImageDistance(maps)
        self.images = torch.stack(
            [
                (recipe.image(f"lord_x{i}", (3, height, width), self.seed) + 1) / 2
                for i in range(sizes["n_imgs"])
            ]
        )
        self.classes = golden["in/class_id"]

    def at(self, recipe, stage, step):
        """The images of a step, their rows, and their classes."""
        epoch, place = divmod(step, self.sizes["n_imgs"] // self.batch)
        numbers = recipe.image(f"lord_{stage}perm{epoch}", (self.sizes["n_imgs"],), self.seed)
        order = np.argsort(numbers.numpy(), kind="stable")
        rows = torch.as_tensor(order[place * self.batch : (place + 1) * self.batch])
        return self.images[rows], rows, self.classes[rows]


@pytest.fixture
def latent(golden, recipe):
    case = Case(golden("lord_latent_s0_f64"), recipe)

    def noise(step):
        shape = (case.batch, case.sizes["content_dim"])
        drawn = recipe.image(f"lord_noise{step}", shape, case.seed)
        return np.sqrt(3.0) * drawn * case.sizes["content_std"], torch.zeros(
            case.batch, case.sizes["class_dim"], dtype=torch.float64
        )

    case.noise = noise
    return case


def losses_are_golden(numbers, case, made, images, terms, total):
    """Each term of the distance, the given terms, and their total."""
    names = ("pixel", "layer2", "layer7", "layer12", "layer21", "layer30")
    for name, value in zip(names, case.distance.terms(made, images), strict=True):
        numbers.same(f"loss/{name}", value)
    for name, value in terms.items():
        numbers.same(f"loss/{name}", value)
    numbers.same("loss/total", total)


def gradients_are_golden(numbers, model):
    """Norms of all gradients, and those that are stored in full."""
    for name, parameter in model.named_parameters():
        numbers.same(f"grad_norm/{theirs(name)}", parameter.grad.norm())
        key = f"grad/{theirs(name)}"
        if key in numbers.keys or f"{key}#val" in numbers.keys:
            numbers.same(key, parameter.grad)


def weights_are_golden(numbers, prefix, model):
    """Every weight after a step, if the file has that step."""
    for name, value in model.named_parameters():
        key = f"{prefix}/{theirs(name)}"
        if key in numbers.keys or f"{key}#val" in numbers.keys:
            numbers.same(key, value, atol=AFTER)


def test_the_latent_stage(golden, recipe, latent):
    numbers = golden("lord_latent_s0_f64")
    stage = LatentStage(latent.config, latent.latent, latent.distance)
    model = latent.latent

    images, rows, classes = latent.at(recipe, "", 0)
    content = model.content_rows(rows) + latent.noise(0)[0]
    made = model.decode(content, model.class_rows(classes))
    numbers.same("fwd/content_code", content)
    numbers.same("fwd/class_code", model.class_rows(classes))
    numbers.same("fwd/adain_params", model.modulation(model.class_rows(classes)))
    numbers.same("fwd/img", made)
    with torch.no_grad():
        bare = model.content_rows(rows)
        numbers.same("eval/img", model.decode(bare, model.class_rows(classes)))
        # All class codes decode the content of the batch's first image.
        every = model.decode(bare[:1].expand(3, -1), model.class_rows.weight)
        numbers.same("eval/content0_every_class", every)

    total, terms = stage.losses(images, rows, classes, latent.noise(0))
    given = {name.removeprefix("loss/"): value for name, value in terms.items()}
    losses_are_golden(numbers, latent, made, images, given, total)
    total.backward()
    gradients_are_golden(numbers, model)

    for step in range(latent.steps):
        values = stage.step(*latent.at(recipe, "", step), latent.noise(step), step)
        numbers.same(f"log/{step}/loss", values["loss/total_latent"])
        rates = [group["lr"] for group in stage.optimizer.param_groups]
        numbers.same(f"log/{step}/lr", torch.tensor(rates, dtype=torch.float64))
        numbers.same(f"log/{step}/grad_norm/latent", values["health/grad_norm_latent"])
        weights_are_golden(numbers, f"after{step + 1}/latent", model)


def test_without_the_noise_the_penalty_is_another(golden, recipe, latent):
    """A planted fault: the numbers see noise that is off."""
    numbers = golden("lord_latent_s0_f64")
    stage = LatentStage(latent.config, latent.latent, latent.distance)
    silent = tuple(torch.zeros_like(part) for part in latent.noise(0))
    _, terms = stage.losses(*latent.at(recipe, "", 0), silent)
    with pytest.raises(AssertionError, match="loss/content_penalty"):
        numbers.same("loss/content_penalty", terms["loss/content_penalty"])


@pytest.mark.slow
def test_the_amortized_stage(golden, recipe):
    numbers = golden("lord_amortised_s0_f64")
    case = Case(numbers, recipe)
    side = tuple(case.sizes["img_shape"][:2])
    encoders = [LordEncoder(side, case.sizes[dim]) for dim in ("content_dim", "class_dim")]
    sizes = (case.sizes["n_adain_layers"], case.sizes["adain_dim"])
    model = LordAmortized(
        *encoders,
        LordGenerator(case.sizes["content_dim"], side, *sizes, "sigmoid"),
        LordModulation(case.sizes["class_dim"], *sizes),
    ).double()
    for encoder in ("content_encoder", "class_encoder"):
        recipe.fill(getattr(model, encoder), f"lordam.{encoder}.", case.seed)
    before = {key: value.clone() for key, value in case.latent.state_dict().items()}
    stage = AmortizedStage(case.config, model, case.latent, case.distance)
    stage.begin()

    images, rows, classes = case.at(recipe, "am", 0)
    content, class_code = model.content_encoder(images), model.class_encoder(images)
    made = model.generator(content, model.modulation(class_code))
    numbers.same("fwd/content_code", content)
    numbers.same("fwd/class_code", class_code)
    numbers.same("fwd/img", made)
    with torch.no_grad():
        swapped = model.decode(content[:1].expand(len(class_code), -1), class_code)
        numbers.same("convert/content0_class_k", (swapped + 1) / 2)

    total, terms = stage.losses(images, rows, classes)
    given = {
        "perceptual": terms["loss/perceptual"],
        "content": terms["loss/content_code"],
        "class": terms["loss/class_code"],
    }
    losses_are_golden(numbers, case, made, images, given, total)
    total.backward()
    gradients_are_golden(numbers, model)

    for step in range(case.steps):
        values = stage.step(*case.at(recipe, "am", step), step)
        numbers.same(f"log/{step}/loss", values["loss/total_amortized"])
        rate = stage.optimizer.param_groups[0]["lr"]
        numbers.same(f"log/{step}/lr", torch.tensor([rate], dtype=torch.float64))
        numbers.same(f"log/{step}/grad_norm/amortised", values["health/grad_norm_amortized"])
        weights_are_golden(numbers, f"after{step + 1}/amortised", model)
    # The tables are targets only.
    assert all(torch.equal(case.latent.state_dict()[key], value) for key, value in before.items())
