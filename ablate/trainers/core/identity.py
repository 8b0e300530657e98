"""Digests of all that the numbers of a trial depend on.

These are the trial's config, data, checkpoint, named weights, and training code. Two configs that
train in the same way have the same digest, however they are written: a loss with weight 0 is
absent, `0` is `0.0`, and a default may be written or left out. The digests leave out what cannot
change a number, such as how often checkpoints are written. Of files they hold the content, not the
path.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ablate.disk.remembered import remembered
from ablate.study.identity import canonical_number, canonical_options, dumps
from ablate.study.patching import Levels, Patched, PerLevels
from ablate.trainers.core.menus import Menus
from g2g_core.config import TrialConfig, canonical, facts

FACTS = facts()
"""Facts of every field of the config."""
FIELDS = tuple(name for name in FACTS if name != "seed")
"""Fields that levels can patch: all but the seed."""
DATA = tuple(name for name, field in FACTS.items() if field.data)
"""Fields that determine whether the data can be used."""
NEVER = object()
"""The default of a field whose value is always part of the identity."""


def together(field: str) -> tuple[str, ...]:
    """Return the fields that the canonical value of a field depends on, itself last."""
    return (*FACTS[field].depends_on, field)


class Canonical:
    """Writer of the canonical text of a cell's config, made of the texts of its fields.

    Args:
        patched: the configs of the cells.
        menus: the options of models and datasets, with their defaults.
    """

    def __init__(self, patched: Patched, menus: Menus) -> None:
        self.menus = menus
        self.template = ""
        self.moving: list[PerLevels] = []
        for field in FIELDS:
            if FACTS[field].neutral:
                continue
            names = together(field)
            text = PerLevels(patched, names, self._writer(field))
            if patched.levels_matter(names):
                self.moving.append(text)
                self.template += "%s"
            else:
                self.template += text(patched.any_cell).replace("%", "%%")

    def text(self, cell: Levels) -> str:
        """Return a line `"field":value` for each field of a cell's config except the seed.

        An added field has a line only if it isn't at its default.
        """
        return self.template % tuple([part(cell) for part in self.moving])

    def _writer(self, field: str) -> Callable[[dict[str, Any]], str]:
        """Return a function that writes the line of a field, empty for an added default."""
        default = self.menus.config[field].get("default") if FACTS[field].added else NEVER

        def line(values: dict[str, Any]) -> str:
            value = canonical_field(field, values, self.menus)
            return "" if value == default else f'"{field}":{dumps(value)}\n'

        return line


def canonical_field(field: str, values: Mapping[str, Any], menus: Menus) -> Any:
    """Return the canonical value of a field, which is the same for configs that train in one way.

    Args:
        field: name of the field.
        values: plain values of the field and of those that `TOGETHER` lists for it.
        menus: the options of models and datasets, with their defaults.
    """
    value = values[field]
    if field == "network":
        return canonical_options(value, menus.models[values["model"]].options)
    if field == "data":
        return canonical_options(value, menus.datasets[values["dataset"]].options)
    return canonical_number(canonical(field, values), menus.config[field])


def read_data(config: TrialConfig, menus: Menus) -> tuple[str, str | None]:
    """Return the digest of the content of a config's data, after checking its images.

    All images are opened, or a sample of them if the dataset is large.

    Returns:
        The digest, and a caution about suspicious images, or None.

    Raises:
        DataError: the data cannot be used.
    """
    rules = menus.datasets[config.dataset].options.values()
    if any(rule.get("format") == "path" for rule in rules):
        return _read_dataset(config)
    question = dumps({name: config.to_dict()[name] for name in DATA})
    content, caution = remembered(f"data {question}", lambda: _read_dataset(config))
    return content, caution


def _read_dataset(config: TrialConfig) -> tuple[str, str | None]:
    """Return the digest and the caution of a config's data; this imports torch."""
    from g2g_core.data import DataError, all_datasets
    from g2g_core.data.preflight import caution_about, problems_of

    data = all_datasets()[config.dataset](config)
    problems = problems_of(data, config)
    if problems:
        raise DataError("; ".join(problems))
    return data.digest, caution_about(data, config)


def weight_files(values: Mapping[str, Any], menus: Menus) -> dict[str, str]:
    """Return option of the network -> file of weights that the option names."""
    rules = menus.models[values["model"]].options
    return {
        n: path
        for n, path in values["network"].items()
        if path and rules.get(n, {}).get("format") == "path"
    }
