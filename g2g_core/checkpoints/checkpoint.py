"""Restores the named parts of a checkpoint into networks and optimizers, and says what was restored
and what not."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Part, Saved, tensors_digest
from g2g_core.checkpoints.layouts import read
from g2g_core.config import TrialConfig
from g2g_core.models.narrow_content import NarrowContent
from g2g_core.models.networks import Networks
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
"""What `restore` of a config may name."""


def parts_of(networks: Networks, step: TrainingStep) -> dict[str, Part]:
    """The parts of a running training, as `Saved.parts` has them; the tensors are the live ones."""
    parts = {name: dict(network.state_dict()) for name, network in _networks(networks).items()}
    parts["optimizers"] = {}
    for name, network, optimizer in _optimizers(networks, step):
        for parameter, value in _trainable(network):
            for key, state in optimizer.state.get(value, {}).items():
                parts["optimizers"][f"{name}/{parameter}/{key}"] = state
    return parts


def restore_all(saved: Saved, networks: Networks, step: TrainingStep) -> None:
    """Put everything back for going on with a run; what no optimizer has a state for was never
    updated, and stays so.

    Raises:
        CheckpointError: a network is missing, or anything does not fit.
    """
    for name, network in _networks(networks).items():
        if name not in saved.parts:
            raise CheckpointError(
                f"{saved.path}: it holds no {name}, so the run cannot go on from it"
            )
        _load(saved, name, network)
    _load_optimizers(saved, networks, step)


def restore(
    saved: Saved, config: TrialConfig, networks: Networks, step: TrainingStep
) -> dict[str, Any]:
    """Restore the parts that `config.restore` names; what is not named starts fresh.

    An average that is not restored starts as a copy of the generator. A part that the model does
    not have at all (a discriminator, an average) is passed over.

    Returns:
        JSON-ready facts: `checkpoint`, `layout`, `step`, and `parts`: part -> what became of it, in
            words.

    Raises:
        CheckpointError: an unknown part, a part that the file lacks, or one that does not fit.
    """
    if unknown := [name for name in config.restore if name not in PARTS]:
        raise CheckpointError(f"restore: {unknown[0]!r} is not one of {', '.join(PARTS)}")
    there = _networks(networks)
    wanted = [name for name in config.restore if name in there or name == "optimizers"]
    if lacking := [name for name in wanted if name not in saved.parts]:
        raise CheckpointError(
            f"{saved.path}: restore names {', '.join(lacking)}, but the file ({saved.layout}) holds "
            f"{', '.join(saved.parts) or 'nothing'}; leave it out of restore to start it fresh"
        )
    became = {}
    for name in PARTS:
        if name == "optimizers":
            became[name] = (
                _load_optimizers(saved, networks, step) if name in wanted else _fresh(name, saved)
            )
        elif name not in there:
            became[name] = "the model has none"
        elif name in wanted:
            became[name] = _load(saved, name, there[name])
        else:
            became[name] = _fresh(name, saved)
    if networks.average is not None and "average" not in wanted:
        networks.average.load_state_dict(networks.generator.state_dict())
        became["average"] = f"copy of the generator: {_reason('average', saved)}"
    step_number = saved.facts.get("step", saved.facts.get("source_step"))
    return {
        "checkpoint": str(saved.path),
        "layout": saved.layout,
        "step": step_number,
        "parts": became,
    }


def weights_digest(networks: Networks) -> str:
    """SHA-256 (hex) of all weights of a model."""
    whole = {
        f"{name}/{k}": v
        for name, one in _networks(networks).items()
        for k, v in one.state_dict().items()
    }
    return tensors_digest(whole)


def _fresh(name: str, saved: Saved) -> str:
    return f"fresh: {_reason(name, saved)}"


def _reason(name: str, saved: Saved) -> str:
    return "not named in restore" if name in saved.parts else "the file holds none"


def _networks(networks: Networks) -> dict[str, nn.Module]:
    all_parts = {
        "generator": networks.generator,
        "average": networks.average,
        "discriminator": networks.discriminator,
    }
    return {name: network for name, network in all_parts.items() if network is not None}


def _optimizers(networks: Networks, step: TrainingStep) -> list[tuple[str, nn.Module, Optimizer]]:
    found = [("generator", networks.generator, step.generator_optimizer)]
    if networks.discriminator is not None and step.discriminator_optimizer is not None:
        found.append(("discriminator", networks.discriminator, step.discriminator_optimizer))
    return found


def _trainable(network: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """In the order in which `make_optimizer` takes them."""
    return [(name, value) for name, value in network.named_parameters() if value.requires_grad]


def _load(saved: Saved, part: str, network: nn.Module) -> str:
    """Copy a network's tensors; says so, and what the file did not have."""
    wanted = network.state_dict()
    state = dict(saved.parts[part])
    added: list[str] = []
    if isinstance(network, NarrowContent) and not any(name.startswith("inner.") for name in state):
        # A plain generator's checkpoint under a narrowed content code: the narrowing itself starts
        # fresh.
        state = {f"inner.{name}": value for name, value in state.items()}
        added = [name for name in wanted if not name.startswith("inner.")]
        state |= {name: wanted[name] for name in added}
    _check(saved, part, wanted, state)
    network.load_state_dict(state)
    return f"restored, but {', '.join(added)} fresh" if added else "restored"


def _check(
    saved: Saved, part: str, wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]
) -> None:
    """Raises CheckpointError with the first keys that differ, or the first values that are no
    weights."""
    wrong = [f"{name} is missing" for name in wanted if name not in state]
    wrong += [
        f"{name} is {tuple(state[name].shape)} where the model has {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in state and state[name].shape != value.shape
    ]
    wrong += [f"{name} is not in the model" for name in state if name not in wanted]
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise CheckpointError(f"{saved.path}: {part} does not fit: {'; '.join(wrong[:3])}{more}")
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{saved.path}: {part} holds values that are not finite: {name}")


def _load_optimizers(saved: Saved, networks: Networks, step: TrainingStep) -> str:
    """Copy the optimizers' states; a parameter whose state the file lacks starts fresh."""
    states = saved.parts.get("optimizers", {})
    missing = 0
    for name, network, optimizer in _optimizers(networks, step):
        inner = "inner." if isinstance(network, NarrowContent) else ""
        document = optimizer.state_dict()
        document["state"] = {}
        for index, (parameter, value) in enumerate(_trainable(network)):
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
    return {
        name.removeprefix(prefix): value
        for name, value in states.items()
        if name.startswith(prefix)
    }


def _check_state(
    saved: Saved, name: str, entry: Part, value: nn.Parameter, optimizer: Optimizer
) -> None:
    keys = (
        {"step", "square_avg"}
        if isinstance(optimizer, torch.optim.RMSprop)
        else {"step", "exp_avg", "exp_avg_sq"}
    )
    if set(entry) != keys:
        raise CheckpointError(
            f"{saved.path}: optimizers do not fit {type(optimizer).__name__}: {name} has {', '.join(sorted(entry))}"
        )
    for key, state in entry.items():
        if key != "step" and state.shape != value.shape:
            shapes = f"{tuple(state.shape)} where the model has {tuple(value.shape)}"
            raise CheckpointError(f"{saved.path}: optimizers do not fit: {name}/{key} is {shapes}")
