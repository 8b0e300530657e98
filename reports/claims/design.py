"""The geometry of a study: which cells differ in one change alone, and which in several that form a
block."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np
import numpy.typing as npt

Levels = Mapping[str, str]
Floats = npt.NDArray[np.float64]

MOST_FACTORS_ALL_ORDERS = 6
"""Factors up to which interactions of every order are tested; with more, up to `MOST_ORDER`."""
MOST_ORDER = 3


@dataclass(frozen=True)
class Change:
    """A factor at a level that is not its first.

    Attributes:
        name: of its verdict: the factor, or `factor=level` of a factor with more than two levels.
    """

    name: str
    factor: str
    level: str
    first: str


@dataclass(frozen=True)
class Block:
    """Cells that differ in the changes of a term alone: `cells[bits]`, bit i set where change i is
    made.

    Attributes:
        at: the levels of the other factors.
    """

    at: Levels
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One or more changes of different factors, with the blocks of cells in which they can be seen.

    Attributes:
        aliases: the names of terms that the design cannot tell from it, itself included; of a
            fraction.
    """

    changes: tuple[Change, ...]
    blocks: tuple[Block, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`a × b`."""
        return " × ".join(change.name for change in self.changes)

    @property
    def order(self) -> int:
        """How many changes it has."""
        return len(self.changes)

    @cached_property
    def signs(self) -> Floats:
        """Sign of each cell of a block, divided by half their number: the factorial contrast."""
        order = self.order
        bits = [sum(bit >> i & 1 for i in range(order)) for bit in range(2**order)]
        signs: Floats = np.array([(-1.0) ** (order - ones) for ones in bits]) / 2 ** (order - 1)
        return signs


@dataclass(frozen=True)
class Design:
    """Factors, cells, and what can be compared.

    Attributes:
        kind: name of the design.
        factors: factor -> levels, the first level first.
        settings: (cell id, levels of all factors); cells with equal configs share an id.
        reference: id of the arm that others are compared with; None: there is none.
    """

    kind: str
    factors: Mapping[str, tuple[str, ...]]
    settings: tuple[tuple[str, Levels], ...]
    reference: str | None = None

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any]) -> "Design":
        """The design of a plan.json."""
        factors = {}
        for name, entry in plan.get("factors", {}).items():
            levels = [str(level) for level in entry["levels"]]
            first = str(entry.get("reference") or levels[0])
            factors[str(name)] = (first, *(level for level in levels if level != first))
        start = {name: levels[0] for name, levels in factors.items()}
        settings = tuple(
            (str(cell["cell_id"]), {**start, **{str(f): str(x) for f, x in cell["levels"].items()}})
            for cell in plan["cells"]
        )
        reference = plan.get("reference_cell")
        return cls(
            design_kind(plan), factors, settings, None if reference is None else str(reference)
        )

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Ids of the cells, each once, in the plan's order."""
        return tuple(dict.fromkeys(cell for cell, _ in self.settings))

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Cell id -> its place in `cells`."""
        return {cell: place for place, cell in enumerate(self.cells)}

    @cached_property
    def _cell_at(self) -> Mapping[tuple[str, ...], int]:
        return {
            tuple(levels[f] for f in self.factors): self.index[cell]
            for cell, levels in self.settings
        }

    def cell(self, levels: Levels) -> int | None:
        """The place of the cell with these levels of all factors."""
        return self._cell_at.get(tuple(levels[factor] for factor in self.factors))

    @cached_property
    def two_level(self) -> bool:
        """Whether every factor has two levels."""
        return bool(self.factors) and all(len(levels) == 2 for levels in self.factors.values())

    @cached_property
    def complete(self) -> bool:
        """Whether every combination of levels is a cell."""
        wanted = math.prod(len(levels) for levels in self.factors.values())
        return bool(self.factors) and len(self._cell_at) == wanted

    @cached_property
    def fraction(self) -> bool:
        """Whether the cells are a whole regular fraction: of a part of one other terms would be
        aliased.

        Cells of a fraction and its fold-over, listed one by one, are one too.
        """
        kinds = ("fractional_factorial", "custom")
        many = len(self._cell_at)
        if (
            not self.two_level
            or self.kind not in kinds
            or self.complete
            or many < 4
            or many & (many - 1)
        ):
            return False
        if len(self.cells) < many or any(term.blocks for term in self.mains):
            return False

        # Regular: products of sign columns are balanced, or constant where they define the
        # fraction.
        columns = [self._sign((factor,)) for factor in self.factors]
        if any(column.sum() for column in columns):
            return False
        sums = {abs(int((a * b).sum())) for a, b in combinations(columns, 2)}
        triples = {abs(int((a * b * c).sum())) for a, b, c in combinations(columns, 3)}
        return sums <= {0} and triples <= {0, many}

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """Every change by its name."""
        found = {}
        for factor, (first, *others) in self.factors.items():
            for level in others:
                name = factor if len(others) == 1 else f"{factor}={level}"
                found[name] = Change(name, factor, level, first)
        return found

    @cached_property
    def mains(self) -> tuple[Term, ...]:
        """Each change with the pairs of cells that differ in it alone; without pairs where there
        are none."""
        return tuple(Term((change,), self._blocks((change,))) for change in self.changes.values())

    @cached_property
    def compared(self) -> tuple[Term, ...]:
        """The changes that the cells allow a verdict on; of a fraction every factor, as its
        balanced contrast."""
        if self.fraction:
            return tuple(Term(term.changes, (), self._aliases(term.changes)) for term in self.mains)
        return tuple(
            term
            for term in self.mains
            if any(a != b for a, b in (block.cells for block in term.blocks))
        )

    @cached_property
    def uncompared(self) -> tuple[str, ...]:
        """Changes that no two cells differ in alone."""
        there = {term.name for term in self.compared}
        return tuple(name for name in self.changes if name not in there)

    @cached_property
    def interactions(self) -> tuple[Term, ...]:
        """The terms of two and more changes that can be tested; of a fraction one for each alias
        group."""
        if self.fraction:
            return self._fraction_groups()
        changes = [term.changes[0] for term in self.compared]
        whole = self.two_level and self.complete
        most = (
            len(self.factors)
            if whole and len(self.factors) <= MOST_FACTORS_ALL_ORDERS
            else MOST_ORDER
        )
        found = []
        for order in range(2, (most if whole else 2) + 1):
            for chosen in combinations(changes, order):
                if len({change.factor for change in chosen}) < order:
                    continue
                blocks = tuple(b for b in self._blocks(chosen) if self._moves(b, order))
                if blocks:
                    found.append(Term(chosen, blocks))
        return tuple(found)

    @staticmethod
    def _moves(block: Block, order: int) -> bool:
        """Whether the contrast of a block is not zero by construction, as where equal configs share
        a cell."""
        weights: dict[int, int] = {}
        for bits, cell in enumerate(block.cells):
            weights[cell] = weights.get(cell, 0) + (
                1 if (order - bits.bit_count()) % 2 == 0 else -1
            )
        return any(weights.values())

    def _blocks(self, changes: Sequence[Change]) -> tuple[Block, ...]:
        """All blocks of cells for these changes, in the order of the other factors' levels in the
        plan."""
        moved = {change.factor for change in changes}
        others = dict.fromkeys(
            tuple((f, level) for f, level in levels.items() if f not in moved)
            for _, levels in self.settings
        )
        found = []
        for at in others:
            cells = [self.cell({**dict(at), **move}) for move in _moves(changes)]
            if all(cell is not None for cell in cells):
                found.append(Block(dict(at), tuple(cell for cell in cells if cell is not None)))
        return tuple(found)

    def _sign(self, factors: Sequence[str]) -> Floats:
        """Product of -1 (first level) and +1 over these factors, for each cell."""
        signs = np.ones(len(self.cells))
        for cell, levels in self.settings:
            signs[self.index[cell]] = math.prod(
                -1 if levels[f] == self.factors[f][0] else 1 for f in factors
            )
        return signs

    def fraction_weights(self, term: Term) -> Floats:
        """The balanced contrast of a term of a fraction: mean of the cells with sign + less that of
        the others."""
        return self._sign([change.factor for change in term.changes]) / (len(self.cells) / 2)

    def _fraction_groups(self) -> tuple[Term, ...]:
        """Alias groups of pairs that hold no main effect, named by their first pair."""
        mains = {self._pattern(term.changes) for term in self.mains}
        found: dict[tuple[float, ...], Term] = {}
        for pair in combinations(self.changes.values(), 2):
            pattern = self._pattern(pair)
            if pattern not in mains and abs(sum(pattern)) < len(pattern):
                found.setdefault(pattern, Term(pair, (), self._aliases(pair)))
        return tuple(found.values())

    def _pattern(self, changes: Sequence[Change]) -> tuple[float, ...]:
        """The signs of a term's cells, turned so that the first is +: equal for terms that are
        aliased."""
        signs = self._sign([change.factor for change in changes])
        return tuple(signs * signs[0])

    def _aliases(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """Main effects and pairs that have the signs of a term, itself first."""
        mine = self._pattern(changes)
        terms = [*((c,) for c in self.changes.values()), *combinations(self.changes.values(), 2)]
        same = [
            " × ".join(c.name for c in other) for other in terms if self._pattern(other) == mine
        ]
        own = " × ".join(c.name for c in changes)
        return (own, *(name for name in same if name != own))

    @cached_property
    def alone(self) -> bool:
        """Whether the arms of one change can stop without the others: no cell serves two changes
        but the reference."""
        if self.fraction or self.interactions:
            return False
        cells = [{cell for block in term.blocks for cell in block.cells} for term in self.compared]
        shared = {place for cell, place in self.index.items() if cell == self.reference}
        return all(not (a & b) - shared for a, b in combinations(cells, 2))


def design_kind(plan: Mapping[str, Any]) -> str:
    """The name of a study's design; `custom` where the plan has none."""
    design = plan.get("design", "custom")
    return str(design.get("kind", "custom") if isinstance(design, Mapping) else design)


def _moves(changes: Sequence[Change]) -> Iterator[dict[str, str]]:
    """Levels of the changed factors for bits 0, 1, ...: bit i set where change i is made."""
    for bits in product((False, True), repeat=len(changes)):
        made = bits[::-1]
        yield {c.factor: c.level if on else c.first for c, on in zip(changes, made, strict=True)}
