"""Makes the config of a cell: the patches of its levels, applied to the base.

A field of the config is computed once per combination of the levels that touch it. All cells with
that combination share the field, so 100,000 cells take only seconds and little memory.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from ablate.study.nouns import Config, Factor

Levels = Mapping[str, str]


class Patched:
    """The configs of a study's cells.

    Args:
        base: the config that levels are patches of; its seed is ignored.
        factors: where patches of two factors overlap, the one with the shorter path is applied
            first.

    Attributes:
        base: the base as plain lists and dicts.
        fields: the config's fields, without the seed.
        factors: the factors.
        patches: field -> (factor, level) -> the paths inside the field and their new values.
        touching: field -> the factors with a level that changes it.
        any_cell: the cell with every factor at its first level.
    """

    def __init__(self, base: Config, factors: Sequence[Factor]) -> None:
        self.base = base.to_dict()
        self.fields = tuple(name for name in self.base if name != "seed")
        self.factors = tuple(factors)

        self.patches: dict[str, dict[tuple[str, str], list[tuple[list[str], Any]]]] = {
            name: {} for name in self.fields
        }
        for factor in factors:
            for label, patch in factor.levels.items():
                for path, value in patch.items():
                    field, *rest = path.split(".")
                    self.patches[field].setdefault((factor.name, label), []).append((rest, value))

        self.touching = {
            name: tuple(dict.fromkeys(factor for factor, _ in self.patches[name]))
            for name in self.fields
        }
        self.any_cell: Levels = {factor.name: factor.reference for factor in factors}
        self._values: dict[tuple[str, ...], Any] = {}

    def levels_matter(self, names: Sequence[str]) -> bool:
        """Return whether any level touches one of the fields."""
        return any(self.touching[name] for name in names)

    def value(self, field: str, cell: Levels) -> Any:
        """Return one field of a cell's config, in plain lists and dicts.

        Cells share the value, so don't change it.
        """
        key = (field, *(cell[factor] for factor in self.touching[field]))
        if key not in self._values:
            self._values[key] = self._patch(field, cell)
        return self._values[key]

    def values(self, cell: Levels) -> dict[str, Any]:
        """Return all fields of a cell's config, without the seed."""
        return {field: self.value(field, cell) for field in self.fields}

    def _patch(self, field: str, cell: Levels) -> Any:
        """Return the field with the patches of the cell's levels applied."""
        changes = [
            change
            for factor in self.touching[field]
            for change in self.patches[field].get((factor, cell[factor]), [])
        ]
        value = self.base[field]
        for rest, new in sorted(changes, key=lambda change: len(change[0])):
            value = _replaced(value, rest, new)
        return value


class PerLevels:
    """A function of some fields of a config, called once per combination of levels that matter.

    Args:
        patched: the configs of the study's cells.
        names: the fields that the function needs.
        function: called with field -> value.
    """

    def __init__(
        self, patched: Patched, names: Sequence[str], function: Callable[[dict[str, Any]], Any]
    ) -> None:
        self.patched = patched
        self.names = tuple(names)
        self.function = function
        self.factors = tuple(
            dict.fromkeys(factor for name in names for factor in patched.touching[name])
        )
        self._results: dict[tuple[str, ...], Any] = {}

    def __call__(self, cell: Levels) -> Any:
        """Return the function's result for a cell; cells share it, so don't change it."""
        key = tuple([cell[factor] for factor in self.factors])
        if key not in self._results:
            self._results[key] = self.function(
                {name: self.patched.value(name, cell) for name in self.names}
            )
        return self._results[key]

    def every(self) -> list[Any]:
        """Return the function's result for every combination of the levels that matter."""
        touching = [factor for factor in self.patched.factors if factor.name in self.factors]
        combinations = product(*(factor.levels for factor in touching))
        names = [factor.name for factor in touching]
        return [
            self({**self.patched.any_cell, **dict(zip(names, cell, strict=True))})
            for cell in combinations
        ]


def _replaced(value: Any, rest: list[str], new: Any) -> Any:
    """Return a copy of a nested dict with the value at the path `rest` replaced."""
    if not rest:
        return new
    inner = value if isinstance(value, dict) else {}
    return {**inner, rest[0]: _replaced(inner.get(rest[0], {}), rest[1:], new)}
