"""The numbers of mask-based content transfer against those of the authors' code, by the steps that
a study takes."""

import json

import pytest
import torch

from g2g_core.systems.mokady import MokadyConfig, MokadySteps

AFTER = 1e-8
"""Absolute limit for weights after steps."""
ZERO_GRADIENT = 1e-12
"""Limit for gradients of biases in front of a norm, which are rounding errors."""
LOGGED = {
    "loss/recon1_with": "l1_recon1_A",
    "loss/recon1_without": "l1_recon1_B",
    "loss/cycle_common": "mse_cycle_common",
    "loss/cycle_separate": "mse_cycle_separate",
    "loss/recon2_with": "l1_recon2_A",
    "loss/recon2_without": "l1_recon2_B",
    "loss/judge_fooled_with": "bce_ae_A",
    "loss/judge_fooled_without": "bce_ae_B",
    "loss/judge_with": "bce_disc_A",
    "loss/judge_without": "bce_disc_B",
    "loss/total": "total_ae",
    "health/grad_norm_translator": "grad_norm_ae_before_clip",
    "health/grad_norm_judge": "grad_norm_disc_after_clip",
}
"""Our names of the numbers of a step -> the golden ones."""


class Case:
    """The networks and the images of one golden file."""

    def __init__(self, numbers, recipe):
        meta = json.loads(str(numbers.arrays["meta"]))
        args, self.seed, self.steps = meta["args"], meta["seed"], meta["iterations"]
        self.args, self.recipe = args, recipe
        config = MokadyConfig(
            image_size=args["resize"],
            batch_size=args["bs"],
            widths=tuple(meta.get("widths", (32, 64, 128, 256, 512))),
            separate=args["sep"],
            hidden=512 // meta.get("scale", 1),
            recon1_with=args["gama"],
            recon1_without=args["delta"],
            recon2_with=args["alpha1"],
            recon2_without=args["alpha2"],
            cycle_common=args["beta1"],
            cycle_separate=args["beta2"],
            judge=args["discweight"],
            learning_rate=args["lr"],
            lr_judge=args["disclr"],
        )
        self.training = MokadySteps(config)
        self.networks = {
            **{
                name: getattr(self.training.translator, name) for name in ("e1", "e2", "d_a", "d_b")
            },
            "disc": self.training.judge,
        }
        for name, network in self.networks.items():
            recipe.fill(network.double(), f"mokady.{name}.", self.seed)
        self.training.start(torch.device("cpu"), torch.float64)

    def images(self, step):
        side = self.args["resize"]
        shape = (self.args["bs"], 3, side, side)
        return (self.recipe.image(f"mokady_{domain}{step}", shape, self.seed) for domain in "AB")


def passes_are_golden(numbers, case):
    """The codes and images of both modes at the start."""
    nets = case.training.translator
    a, b = case.images(0)
    for mode in ("eval", "train"):
        for network in case.networks.values():
            network.train(mode == "train")
        with torch.no_grad():
            common_a, separate_a, common_b = nets.e1(a), nets.e2(a), nets.e1(b)
            bare = nets.without(common_a)
            moved, mask = nets.laid_over(b, common_b, separate_a)
            made = {
                "common_A": common_a,
                "separate_A": separate_a,
                "common_B": common_b,
                "d_a_A_without_separate": bare,
                "d_a_B": nets.without(common_b),
                "recon1_A": nets.laid_over(bare, common_a, separate_a)[0],
                "transfer_A_to_B": moved,
                "transfer_mask": mask,
                "disc_A": case.training.judge(common_a),
                "disc_B": case.training.judge(common_b),
            }
        for name, value in made.items():
            numbers.same(f"fwd/{mode}/{name}", value)


def steps_are_golden(numbers, case):
    """The numbers, gradients, and weights of every step."""
    for step in range(case.steps):
        values = case.training.iterate(*case.images(step))
        for name, theirs in LOGGED.items():
            # Gradients after a step are chaotic in the last digits, as the weights are.
            numbers.same(f"log/{step}/{theirs}", values[name], rtol=1e-8)
        for name, network in case.networks.items():
            for key, parameter in network.named_parameters():
                stored = f"grad0_clipped/{name}/{key}"
                if step == 0:
                    norm = parameter.grad.norm()
                    numbers.same(f"grad0_clipped/{name}_norm/{key}", norm, atol=ZERO_GRADIENT)
                if step == 0 and (stored in numbers.keys or f"{stored}#val" in numbers.keys):
                    numbers.same(stored, parameter.grad, atol=ZERO_GRADIENT)
            for key, value in network.state_dict().items():
                stored = f"after{step + 1}/{name}/{key}"
                if stored in numbers.keys or f"{stored}#val" in numbers.keys:
                    numbers.same(stored, value.double(), atol=AFTER)


@pytest.mark.parametrize("check", [passes_are_golden, steps_are_golden])
def test_small_networks(golden, recipe, check):
    numbers = golden("mokady_tiny_s0_f64")
    check(numbers, Case(numbers, recipe))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mokady_tiny128_s0_f64", "mokady_full_s0_f64"])
@pytest.mark.parametrize("check", [passes_are_golden, steps_are_golden])
def test_larger_images_and_full_networks(golden, recipe, name, check):
    numbers = golden(name)
    check(numbers, Case(numbers, recipe))
