"""What the numbers of a trial depend on, as digests: its config, data, checkpoint, named weights
and training code.

Two configs that train alike are equal here however they are written: losses of weight 0 are no
losses, `0` is `0.0`, a default that is named is the default. What changes no number is left out:
workers and caches, how often checkpoints are written, and where files lie (their content is in).
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from ablate.disk.remembered import remembered
from ablate.study.identity import canonical_number, canonical_options, dumps
from ablate.study.patching import Levels, Patched, PerLevels
from ablate.trainers.core.menus import Menus
from g2g_core.config import TrialConfig, canonical

FIELDS = tuple(field.name for field in fields(TrialConfig) if field.name != "seed")
"""Fields that levels can patch: all but the seed."""
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
        return canonical_options(value, menus.models[values["model"]].options)
    if field == "data":
        return canonical_options(value, menus.datasets[values["dataset"]].options)
    return canonical_number(canonical(field, values), menus.config[field])


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
