"""What the numbers of a trial depend on, as digests: its config, data, checkpoint, named weights
and training code.

Two configs that train alike are equal here however they are written: losses of weight 0 are no
losses, `0` is `0.0`, a default that is named is the default. What changes no number is left out:
workers and caches, how often checkpoints are written, and where files lie (their content is in).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ablate.disk.remembered import remembered
from ablate.reading.menus import Menus, Schema
from ablate.study.patching import FIELDS, Levels, Patched, PerLevels
from g2g_core.config import TrialConfig, canonical

LENGTH = 12
"""Hex digits of a trial's id."""
PARTS = ("config", "data", "checkpoint", "weights", "code")
"""What an identity consists of."""
NEUTRAL = ("checkpoint_every",)
"""Fields of the config that change no number."""
DATA = ("dataset", "data", "image_size", "batch_size", "eval_pairs", "eval_shots")
"""Fields that the data must go with."""
TOGETHER: dict[str, tuple[str, ...]] = {
    "network": ("model", "network"),
    "data": ("dataset", "data"),
    "schedules": ("losses", "schedules"),
    "restore": ("checkpoint", "restore"),
}
"""Field -> fields that its canonical form depends on, where that is more than itself."""


class Canonical:
    """The canonical text of a cell's config, made of the texts of its fields.

    Args:
        patched: the configs of the cells.
        menus: the options of models and datasets, with their defaults.
    """

    def __init__(self, patched: Patched, menus: Menus) -> None:
        self.menus = menus
        self.template = ""
        self.moving: list[PerLevels] = []
        for field in FIELDS:
            if field in NEUTRAL:
                continue
            names = TOGETHER.get(field, (field,))
            text = PerLevels(patched, names, self._writer(field))
            if patched.levels_matter(names):
                self.moving.append(text)
                self.template += "%s\n"
            else:
                self.template += text(patched.any_cell).replace("%", "%%") + "\n"

    def text(self, cell: Levels) -> str:
        """A line `"field":value` for each field of a cell's config but the seed."""
        return self.template % tuple([part(cell) for part in self.moving])

    def _writer(self, field: str) -> Callable[[dict[str, Any]], str]:
        return lambda values: f'"{field}":{dumps(canonical_field(field, values, self.menus))}'


def canonical_field(field: str, values: Mapping[str, Any], menus: Menus) -> Any:
    """The canonical value of a field of a config, from the plain values of the fields it depends
    on."""
    value = values[field]
    if field == "network":
        return _options(value, menus.models[values["model"]].options)
    if field == "data":
        return _options(value, menus.datasets[values["dataset"]].options)
    return _number(canonical(field, values), menus.config[field])


def dumps(value: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """SHA-256, the first 32 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def cell_id(identity: Mapping[str, str]) -> str:
    """12 hex digits for all replicates of a cell."""
    return digest("/".join(identity[part] for part in PARTS))[:LENGTH]


def trial_id(identity: Mapping[str, str], seed: int) -> str:
    """12 hex digits for one trial: its cell's identity and the seed."""
    return digest("/".join([*(identity[part] for part in PARTS), str(seed)]))[:LENGTH]


def data_digest(config: TrialConfig, menus: Menus) -> str:
    """Of the content of a config's data, whose images are all tried (in large sets a sample of
    them).

    Raises:
        DataError: the data cannot be used.
    """
    rules = menus.datasets[config.dataset].options.values()
    if any(rule.get("format") == "path" for rule in rules):
        return _asked_digest(config)
    question = dumps({name: config.to_dict()[name] for name in DATA})
    return str(remembered(f"data {question}", lambda: _asked_digest(config)))


def _asked_digest(config: TrialConfig) -> str:
    from g2g_core.data import DATASETS, DataError
    from g2g_core.data.preflight import problems_of

    data = DATASETS[config.dataset](config)
    problems = problems_of(data, config)
    if problems:
        raise DataError("; ".join(problems))
    return data.digest


def weight_files(values: Mapping[str, Any], menus: Menus) -> dict[str, str]:
    """Option of the network -> the file of weights that it names."""
    rules = menus.models[values["model"]].options
    return {
        n: path
        for n, path in values["network"].items()
        if path and rules.get(n, {}).get("format") == "path"
    }


def file_digest(*files: Path) -> str | None:
    """Of the content of files of one folder, remembered by size and time of change; None: one
    cannot be read."""
    from g2g_core.hashing import file_digests

    found = file_digests(files[0].parent, [file.name for file in files])
    return None if "missing" in found else digest(dumps(found))


def _options(given: Mapping[str, Any], options: Mapping[str, Schema]) -> dict[str, Any]:
    """All options with their defaults, less those that change no number or name a place."""
    known = {
        name: rule
        for name, rule in options.items()
        if not rule.get("x-neutral") and rule.get("format") != "path"
    }
    return {
        name: _number(given.get(name, rule.get("default")), rule) for name, rule in known.items()
    }


def _number(value: Any, rule: Schema) -> Any:
    """A value as its type: whole numbers as floats where the rule is `number`."""
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, list | tuple):
        return [_number(item, rule.get("items", {})) for item in value]
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and "number" in kinds
        and "integer" not in kinds
    ):
        return float(value)
    return value
