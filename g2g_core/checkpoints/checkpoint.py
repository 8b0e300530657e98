"""Restore the named parts of a checkpoint into networks and optimizers.

`restore` also returns which parts were restored and which were not, and why.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Part, Saved, tensors_digest
from g2g_core.checkpoints.layouts import read
from g2g_core.config import TrialConfig
from g2g_core.models.narrow_content import NarrowContent
from g2g_core.models.networks import Networks

if TYPE_CHECKING:
    from g2g_core.training.step import TrainingStep

__all__ = [
    "PARTS",
    "CheckpointError",
    "parts_of",
    "read",
    "restore",
    "restore_all",
    "weights_digest",
]

PARTS = ("generator", "average", "discriminator", "optimizers")
"""Parts that `restore` in a config can name."""


def parts_of(networks: Networks, step: "TrainingStep") -> dict[str, Part]:
    """Return the parts of a running training, laid out as in `Saved.parts`.

    The tensors are the live ones, not copies: the next training step changes them.

    Args:
        networks: the model.
        step: holds the optimizers.

    Returns:
        Part -> name -> tensor.
    """
    parts = {name: dict(network.state_dict()) for name, network in _networks(networks).items()}
    parts["optimizers"] = {}
    for name, network, optimizer in _optimizers(networks, step):
        for parameter, value in _trainable(network):
            for key, state in optimizer.state.get(value, {}).items():
                parts["optimizers"][f"{name}/{parameter}/{key}"] = state
    return parts


def restore_all(saved: Saved, networks: Networks, step: "TrainingStep") -> None:
    """Put every part back to resume an interrupted trial.

    A parameter without a stored optimizer state was never updated. Its state stays empty.

    Args:
        saved: the trial's own checkpoint.
        networks: the model; its weights are overwritten.
        step: holds the optimizers; their states are overwritten.

    Raises:
        CheckpointError: the checkpoint lacks a network, or a tensor does not fit the model.
    """
    for name, network in _networks(networks).items():
        if name not in saved.parts:
            raise CheckpointError(
                f"{saved.path}: it holds no {name}, so the run cannot go on from it"
            )
        _load(saved, name, network)
    _load_optimizers(saved, networks, step)


def restore(
    saved: Saved, config: TrialConfig, networks: Networks, step: "TrainingStep"
) -> dict[str, Any]:
    """Restore the parts that `config.restore` names; all other parts start fresh.

    An average that is not restored starts as a copy of the generator. A part that the model
    lacks (a discriminator or an average) is skipped.

    Args:
        saved: the checkpoint to start from.
        config: its `restore` names parts of `PARTS`.
        networks: the model; the weights of restored parts are overwritten.
        step: holds the optimizers.

    Returns:
        JSON-ready facts: `checkpoint`, `layout`, `step`, and `parts`, which maps each part to a
        phrase that says whether it was restored.

    Raises:
        CheckpointError: a part is unknown, missing from the file, or does not fit the model.
    """
    if unknown := [name for name in config.restore if name not in PARTS]:
        raise CheckpointError(f"restore: {unknown[0]!r} is not one of {', '.join(PARTS)}")

    networks_by_part = _networks(networks)
    wanted = [name for name in config.restore if name in networks_by_part or name == "optimizers"]
    if lacking := [name for name in wanted if name not in saved.parts]:
        raise CheckpointError(
            f"{saved.path}: restore names {', '.join(lacking)}, "
            f"but the file ({saved.layout}) holds "
            f"{', '.join(saved.parts) or 'nothing'}; leave it out of restore to start it fresh"
        )

    outcomes = {}
    for name in PARTS:
        if name == "optimizers":
            outcomes[name] = (
                _load_optimizers(saved, networks, step) if name in wanted else _fresh(name, saved)
            )
        elif name not in networks_by_part:
            outcomes[name] = "the model has none"
        elif name in wanted:
            outcomes[name] = _load(saved, name, networks_by_part[name])
        else:
            outcomes[name] = _fresh(name, saved)

    if networks.average is not None and "average" not in wanted:
        networks.average.load_state_dict(networks.generator.state_dict())
        outcomes["average"] = f"copy of the generator: {_reason('average', saved)}"

    # The files of FUNIT's code carry the step in their name, as `source_step`.
    step_number = saved.facts.get("step", saved.facts.get("source_step"))
    return {
        "checkpoint": str(saved.path),
        "layout": saved.layout,
        "step": step_number,
        "parts": outcomes,
    }


def weights_digest(networks: Networks) -> str:
    """Return the SHA-256 (hex) of all weights of a model."""
    weights = {
        f"{name}/{key}": value
        for name, network in _networks(networks).items()
        for key, value in network.state_dict().items()
    }
    return tensors_digest(weights)


def _fresh(name: str, saved: Saved) -> str:
    """Return the phrase for a part that starts fresh."""
    return f"fresh: {_reason(name, saved)}"


def _reason(name: str, saved: Saved) -> str:
    """Return why a part was not restored."""
    return "not named in restore" if name in saved.parts else "the file holds none"


def _networks(networks: Networks) -> dict[str, nn.Module]:
    """Return the networks that the model has, by part."""
    all_parts = {
        "generator": networks.generator,
        "average": networks.average,
        "discriminator": networks.discriminator,
    }
    return {name: network for name, network in all_parts.items() if network is not None}


def _optimizers(networks: Networks, step: "TrainingStep") -> list[tuple[str, nn.Module, Optimizer]]:
    """Return (part, network, optimizer) for each optimizer of the training step."""
    optimizers = [("generator", networks.generator, step.generator_optimizer)]
    if networks.discriminator is not None and step.discriminator_optimizer is not None:
        optimizers.append(("discriminator", networks.discriminator, step.discriminator_optimizer))
    return optimizers


def _trainable(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Return the trainable parameters in the order in which `make_optimizer` takes them."""
    return [(name, value) for name, value in network.named_parameters() if value.requires_grad]


def _load(saved: Saved, part: str, network: nn.Module) -> str:
    """Copy a part's tensors into its network; return what was restored and what starts fresh."""
    wanted = network.state_dict()
    state = dict(saved.parts[part])
    added: list[str] = []

    if isinstance(network, NarrowContent) and not any(name.startswith("inner.") for name in state):
        # The checkpoint is of a plain generator, but this model narrows the content code. The
        # plain generator is its inner network; the narrowing layers start fresh.
        state = {f"inner.{name}": value for name, value in state.items()}
        added = [name for name in wanted if not name.startswith("inner.")]
        state |= {name: wanted[name] for name in added}

    _check(saved, part, wanted, state)
    network.load_state_dict(state)
    return f"restored, but {', '.join(added)} fresh" if added else "restored"


def _check(
    saved: Saved, part: str, wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]
) -> None:
    """Raise CheckpointError if names or shapes differ, or if a value is not finite."""
    mismatches = [f"{name} is missing" for name in wanted if name not in state]
    mismatches += [
        f"{name} is {tuple(state[name].shape)} where the model has {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    mismatches += [f"{name} is not in the model" for name in state if name not in wanted]

    if mismatches:
        more = f"; and {len(mismatches) - 3} more" if len(mismatches) > 3 else ""
        raise CheckpointError(
            f"{saved.path}: {part} does not fit: {'; '.join(mismatches[:3])}{more}"
        )

    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{saved.path}: {part} holds values that are not finite: {name}")


def _load_optimizers(saved: Saved, networks: Networks, step: "TrainingStep") -> str:
    """Copy the optimizer states; a parameter whose state the file lacks starts fresh."""
    states = saved.parts.get("optimizers", {})
    missing = 0

    for name, network, optimizer in _optimizers(networks, step):
        inner = "inner." if isinstance(network, NarrowContent) else ""
        document = optimizer.state_dict()
        document["state"] = {}

        for index, (parameter, value) in enumerate(_trainable(network)):
            # A plain generator's checkpoint names the parameters without the prefix `inner.`.
            plain = parameter.removeprefix(inner)
            entry = _entry(states, f"{name}/{parameter}/") or _entry(states, f"{name}/{plain}/")
            if not entry:
                missing += 1
                continue
            _check_state(saved, f"{name}/{parameter}", entry, value, optimizer)
            document["state"][index] = {key: state.clone() for key, state in entry.items()}

        optimizer.load_state_dict(document)

    return f"restored, but {missing} parameters fresh" if missing else "restored"


def _entry(states: Mapping[str, Tensor], prefix: str) -> Part:
    """Return the states whose names start with a prefix, without the prefix."""
    return {
        name.removeprefix(prefix): value
        for name, value in states.items()
        if name.startswith(prefix)
    }


def _check_state(
    saved: Saved, name: str, entry: Part, value: nn.Parameter, optimizer: Optimizer
) -> None:
    """Raise CheckpointError if one parameter's state does not fit the optimizer."""
    keys = (
        {"step", "square_avg"}
        if isinstance(optimizer, torch.optim.RMSprop)
        else {"step", "exp_avg", "exp_avg_sq"}
    )
    if set(entry) != keys:
        raise CheckpointError(
            f"{saved.path}: optimizers do not fit {type(optimizer).__name__}: "
            f"{name} has {', '.join(sorted(entry))}"
        )

    for key, state in entry.items():
        if key != "step" and state.shape != value.shape:
            shapes = f"{tuple(state.shape)} where the model has {tuple(value.shape)}"
            raise CheckpointError(f"{saved.path}: optimizers do not fit: {name}/{key} is {shapes}")
