"""The layouts of FUNIT's and FUNIT2FUNIT's own checkpoint files, read and written."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from g2g_core.checkpoints.checkpoint_file import CheckpointError, Part, Saved, load_document, parse
from g2g_core.checkpoints.names import counterpart, files_of

# Two buffers of each AdaIN layer: FUNIT's code registers them, never changes them and never uses
# them.
UNUSED = re.compile(r"\.norm\.running_(mean|var)$")


def read(path: Path) -> Saved:
    """What a checkpoint file holds: ours, FUNIT's generator or discriminator file, or the authors'
        snapshots.

    With a generator's file those of `files_of` are read.

    Raises:
        CheckpointError: the file is missing, unreadable, damaged, or of an unknown layout.
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
    found = {key: value for key, value in document.items() if key in ("gen", "gen_test", "dis")}
    for beside in files_of(path)[1:] if "gen" in document else []:
        files.append(beside.name)
        found |= {"optimizer" if beside.name == "optimizer.pt" else "dis": load_document(beside)}
    if "dis" in found and "dis" in found["dis"]:
        found["dis"] = found["dis"]["dis"]
    parts: dict[str, Part] = {}
    for key, part in (("gen", "generator"), ("gen_test", "average"), ("dis", "discriminator")):
        if key in found:
            parts[part] = _state(path, key, found[key])
    if "optimizer" in found:
        parts["optimizers"] = _optimizers(path, found["optimizer"], parts)
    digits = re.search(r"gen_(\d{8})\.pt$", path.name)
    facts = {"source_step": int(digits[1])} if digits else {}
    return Saved(path, f"FUNIT ({', '.join(files)})", parts, facts)


def write_funit(saved: Saved, folder: Path, name: str = "gen_00000000.pt") -> list[Path]:
    """Write the networks of a checkpoint as FUNIT's code reads them: `{gen, gen_test}` and, beside,
    `{dis}`.

    Args:
        saved: of a FUNIT model; without an average, the generator is written in its place.
        folder: made when missing.
        name: file of the generator, with `gen` in it.

    Returns:
        The files written.

    Raises:
        CheckpointError: there is no generator, or it is not FUNIT's.
    """
    generator = saved.parts.get("generator")
    if generator is None or not any(key.startswith("enc_class_model.") for key in generator):
        raise CheckpointError(f"{saved.path}: no FUNIT generator to export")
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
    """A generator's state dict with the two unused buffers of each AdaIN layer, as FUNIT's loader
    wants it."""
    state: Part = {}
    for name, value in generator.items():
        if adain := re.match(r"(dec\.model\.0\.model\.\d+\.model\.\d)\.conv\.weight$", name):
            state[f"{adain[1]}.norm.running_mean"] = torch.zeros(len(value), dtype=value.dtype)
            state[f"{adain[1]}.norm.running_var"] = torch.ones(len(value), dtype=value.dtype)
        state[name] = value
    return state


def _state(path: Path, key: str, state: Any) -> Part:
    if not isinstance(state, dict) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise CheckpointError(f"{path}: {key} is no state dict")
    return {name: value for name, value in state.items() if not UNUSED.search(name)}


def _optimizers(path: Path, states: Mapping[str, Any], parts: Mapping[str, Part]) -> Part:
    """Optimizer states by parameter name: FUNIT's optimizers number the parameters in the order of
    the state dict."""
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
