"""Read and write the checkpoint files of FUNIT's and FUNIT2FUNIT's own code."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Part, Saved, load_document, parse
from g2g_core.checkpoints.names import counterpart, files_of

# FUNIT's code registers two buffers in each AdaIN layer, but never changes or uses them.
UNUSED = re.compile(r"\.norm\.running_(mean|var)$")

WRAPPER = "module."


def read(path: Path) -> Saved:
    """Return the content of a checkpoint file of any known layout.

    Known layouts are G2G-Ablate's own, FUNIT's generator and discriminator files, and the snapshots
    of the authors' code. A generator's file is read together with its `files_of`.

    Raises:
        CheckpointError: a file is missing, unreadable, damaged, or of an unknown layout.
    """
    document = load_document(path)
    if "format" in document:
        return parse(path, document)
    if "gen" not in document and "dis" not in document:
        keys = ", ".join(str(key) for key in list(document)[:5])
        raise CheckpointError(
            f"{path}: unknown layout: it holds {keys or 'nothing'}; gen, dis or format was expected"
        )

    files = [path.name]
    states = {key: value for key, value in document.items() if key in ("gen", "gen_test", "dis")}
    for companion in files_of(path)[1:] if "gen" in document else []:
        files.append(companion.name)
        states |= {
            "optimizer" if companion.name == "optimizer.pt" else "dis": load_document(companion)
        }

    # A separate discriminator file wraps its state dict in another `dis`.
    if "dis" in states and "dis" in states["dis"]:
        states["dis"] = states["dis"]["dis"]

    parts: dict[str, Part] = {}
    for key, part in (("gen", "generator"), ("gen_test", "average"), ("dis", "discriminator")):
        if key in states:
            parts[part] = _state(path, key, states[key])
    if "optimizer" in states:
        parts["optimizers"] = _optimizers(path, states["optimizer"], parts)

    step = re.search(r"gen_(\d{8})\.pt$", path.name)
    facts = {"source_step": int(step[1])} if step else {}
    return Saved(path, f"FUNIT ({', '.join(files)})", parts, facts)


def write_funit(saved: Saved, folder: Path, name: str = "gen_00000000.pt") -> list[Path]:
    """Write the networks of a checkpoint in the layout that FUNIT's code reads.

    The generator's file contains `{gen, gen_test}`, the discriminator's file contains `{dis}`.

    Args:
        saved: checkpoint of a FUNIT model; without an average, `gen_test` is the generator.
        folder: created if it is missing.
        name: file name of the generator, containing `gen`.

    Returns:
        The files written.

    Raises:
        CheckpointError: the checkpoint has no generator, or a generator that is not FUNIT's.
    """
    generator = saved.parts.get("generator")
    if generator is None or not any(key.startswith("enc_class_model.") for key in generator):
        raise CheckpointError(f"{saved.path}: no FUNIT generator to export")
    if "enc_class_model.model.0.conv.weight" not in generator:
        raise CheckpointError(
            f"{saved.path}: its class encoder is not FUNIT's own, so FUNIT's code can't read it"
        )

    folder.mkdir(parents=True, exist_ok=True)
    average = saved.parts.get("average", generator)
    written = [folder / name]
    torch.save(
        {"gen": with_adain_buffers(generator), "gen_test": with_adain_buffers(average)}, written[0]
    )
    if "discriminator" in saved.parts:
        written.append(folder / counterpart(name))
        torch.save({"dis": dict(saved.parts["discriminator"])}, written[1])
    return written


def with_adain_buffers(generator: Mapping[str, Tensor]) -> Part:
    """Add the two unused buffers of each AdaIN layer to a generator's state dict.

    FUNIT's loader expects them.

    Args:
        generator: name -> tensor.

    Returns:
        A new dict with `running_mean` 0 and `running_var` 1 for each AdaIN layer.
    """
    state: Part = {}
    for name, value in generator.items():
        if adain := re.match(r"(dec\.model\.0\.model\.\d+\.model\.\d)\.conv\.weight$", name):
            state[f"{adain[1]}.norm.running_mean"] = torch.zeros(len(value), dtype=value.dtype)
            state[f"{adain[1]}.norm.running_var"] = torch.ones(len(value), dtype=value.dtype)
        state[name] = value
    return state


def _state(path: Path, key: str, state: Any) -> Part:
    """Return a state dict without unused buffers and prefixes; refuse anything else."""
    if not isinstance(state, dict) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise CheckpointError(f"{path}: {key} is no state dict")
    # Torch's wrappers for several GPUs put this before every name.
    wrapped = bool(state) and all(name.startswith(WRAPPER) for name in state)
    names = {name: name.removeprefix(WRAPPER) if wrapped else name for name in state}
    return {names[name]: value for name, value in state.items() if not UNUSED.search(name)}


def _optimizers(path: Path, states: Mapping[str, Any], parts: Mapping[str, Part]) -> Part:
    """Return optimizer states by parameter name.

    FUNIT's optimizers number the parameters in the order of the state dict.
    """
    named: Part = {}
    for key, part in (("gen", "generator"), ("dis", "discriminator")):
        if key not in states or part not in parts:
            continue
        names = list(parts[part])
        entries = states[key]["state"]
        if entries and max(entries) >= len(names):
            raise CheckpointError(f"{path}: optimizer.pt counts more parameters than {key} has")
        for index, entry in entries.items():
            for state, value in entry.items():
                as_tensor = value if isinstance(value, Tensor) else torch.tensor(float(value))
                named[f"{part}/{names[index]}/{state}"] = as_tensor
    return named
