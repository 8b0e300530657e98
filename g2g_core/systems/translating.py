"""Use a trained system without its trial: mix images with LORD, fade attributes with Fader."""

from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Saved
from g2g_core.data.pairs import DataError
from g2g_core.systems.fader import FaderConfig
from g2g_core.systems.fader_networks import FaderAutoencoder
from g2g_core.systems.lord import LordConfig, amortized_model
from g2g_core.systems.randomness import Randomness

FADED = 9
"""Images of a fade, from one value to the other."""


def mixing_generator(saved: Saved) -> nn.Module:
    """Return the generator of a system's checkpoint, with codes of images, in evaluation mode.

    Raises:
        CheckpointError: the system can't mix two images, or its encoders aren't trained yet.
    """
    if saved.facts["system"] != "lord":
        raise CheckpointError(
            f"{saved.path}: a network of {saved.facts['system']} takes no class from an image; "
            "use --fade"
        )
    config = LordConfig(**_options(saved))
    if saved.step <= config.latent_steps:
        raise CheckpointError(
            f"{saved.path}: the encoders of this LORD are not trained (step {saved.step}; the "
            f"latent stage has {config.latent_steps} of {config.steps} steps)"
        )
    return _loaded(amortized_model(config), saved, "amortized")


@torch.no_grad()
def fade(
    saved: Saved, image: Tensor, request: str, beyond: float = 0.0
) -> tuple[Tensor, tuple[str, str, str]]:
    """Return an image with an attribute faded from one value to another.

    Args:
        saved: checkpoint of Fader Networks.
        image: (3, H, W) in [-1, 1].
        request: `NAME` fades from the attribute's first value to its last; `NAME=FROM:TO` names
            them. All other attributes have their first value.
        beyond: how far the fade goes beyond both values; 1 goes as far again.

    Returns:
        The images (9, 3, H, W) in [-1, 1], and the attribute with the two values.

    Raises:
        CheckpointError: it is of another system.
        DataError: the request names no attribute or value of the checkpoint.
    """
    if saved.facts.get("system") != "fader":
        raise CheckpointError(f"{saved.path}: only Fader Networks can fade an attribute")
    known: dict[str, list[str]] = saved.facts["start"]["attributes"]
    name, _, ends = request.partition("=")
    values = _known(name, known, "attribute") and known[name]
    first, _, last = ends.partition(":")
    chosen = (first or values[0], last or (values[-1]))
    numbers = [values.index(_known(value, values, f"value of {name}")) for value in chosen]

    config = FaderConfig(**_options(saved))
    sizes = config.sizes(tuple(len(one) for one in known.values()))
    autoencoder = _loaded(FaderAutoencoder(sizes, Randomness(0, "fader")), saved, "autoencoder")
    assert isinstance(autoencoder, FaderAutoencoder)

    starts, place = {}, 0
    for attribute, its_values in known.items():
        starts[attribute] = place
        place += len(its_values)
    vectors = torch.zeros(FADED, sizes.entries)
    for attribute, start in starts.items():
        if attribute != name:
            vectors[:, start] = 1
    alphas = torch.linspace(-beyond, 1 + beyond, FADED)
    vectors[:, starts[name] + numbers[0]] += 1 - alphas
    vectors[:, starts[name] + numbers[1]] += alphas

    maps = [one.expand(FADED, -1, -1, -1) for one in autoencoder.encode(image[None])]
    return autoencoder.decode(maps, vectors)[-1], (name, *chosen)


def _options(saved: Saved) -> dict[str, Any]:
    """Return the options of a checkpoint's config, without its data, which may be gone."""
    config = {**saved.facts["config"], "dataset": "synthetic", "data": {}}
    lists = {name: tuple(value) for name, value in config.items() if isinstance(value, list)}
    return {**config, **lists, "precision": "float32"}


def _loaded(network: nn.Module, saved: Saved, part: str) -> nn.Module:
    """Return a network with the weights of a part of a checkpoint, for use."""
    try:
        network.load_state_dict(dict(saved.parts.get(part, {})))
    except RuntimeError as error:
        line = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{saved.path}: {part} does not fit: {line}") from error
    return network.float().eval().requires_grad_(False)


def _known(name: str, names: Any, what: str) -> str:
    """Return a name if it is known.

    Raises:
        DataError: it isn't.
    """
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join([*names][:8])}"
        raise DataError(f"--fade: no {what} {name!r}; {hint}")
    return name


def is_system(saved: Saved) -> bool:
    """Return whether a checkpoint is that of a system, and not of G2G."""
    return "system" in saved.facts
