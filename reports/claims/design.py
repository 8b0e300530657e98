"""Geometry of a study: cells that differ in one change alone, and blocks that differ in several."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from reports.documents.plan import PlanDocument, design_kind

Levels = Mapping[str, str]
Floats = npt.NDArray[np.float64]

MOST_FACTORS_ALL_ORDERS = 6
"""Factors up to which interactions of every order are tested; with more, up to `MOST_ORDER`."""
MOST_ORDER = 3


@dataclass(frozen=True)
class Change:
    """A factor at a level that is not its first.

    Attributes:
        name: Name of its verdict: the factor, or `factor=level` for a factor with more than two
            levels.
        factor: Name of the factor.
        level: The level that it is changed to.
        first: The factor's first level.
    """

    name: str
    factor: str
    level: str
    first: str


@dataclass(frozen=True)
class Block:
    """Cells that differ in the changes of a term alone.

    Attributes:
        at: Levels of the other factors.
        cells: `cells[bits]` is the place of a cell; bit i is set where change i is made.
    """

    at: Levels
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One or more changes of different factors, with the blocks of cells that show them.

    Attributes:
        changes: The changes.
        blocks: The blocks; empty in a fraction.
        aliases: In a fraction, the names of terms that the design can't distinguish from this term,
            and its own name.
    """

    changes: tuple[Change, ...]
    blocks: tuple[Block, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the term: `a × b`."""
        return " × ".join(change.name for change in self.changes)

    @property
    def order(self) -> int:
        """Number of changes."""
        return len(self.changes)

    @cached_property
    def signs(self) -> Floats:
        """Factorial contrast of a block: signs of its cells, divided by half their number."""
        order = self.order
        bits = [sum(bit >> i & 1 for i in range(order)) for bit in range(2**order)]
        signs: Floats = np.array([(-1.0) ** (order - ones) for ones in bits]) / 2 ** (order - 1)
        return signs


@dataclass(frozen=True)
class Design:
    """Factors and cells of a study, and what can be compared.

    Attributes:
        kind: Name of the design.
        factors: Factor -> levels, the first level first.
        settings: (cell id, levels of all factors); cells with identical configs share an id.
        reference: Id of the arm that others are compared with; None if there is none.
    """

    kind: str
    factors: Mapping[str, tuple[str, ...]]
    settings: tuple[tuple[str, Levels], ...]
    reference: str | None = None

    @classmethod
    def of_plan(cls, plan: PlanDocument) -> "Design":
        """Return the design of a plan.json."""
        factors = {}
        for name, entry in plan.get("factors", {}).items():
            levels = [str(level) for level in entry["levels"]]
            first = str(entry.get("reference") or levels[0])
            factors[str(name)] = (first, *(level for level in levels if level != first))

        # A cell names only the levels that differ from the first ones.
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
        """Levels of all factors -> place of the cell."""
        return {
            tuple(levels[f] for f in self.factors): self.index[cell]
            for cell, levels in self.settings
        }

    def cell(self, levels: Levels) -> int | None:
        """Return the place of the cell with these levels of all factors, or None."""
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
        """Whether the cells are a whole regular fraction of a factorial.

        Only the cells decide, not the name of the design: those of a fraction and its fold-over
        count even if the study lists them one by one. A part of a fraction doesn't count, because
        other terms would be aliased there.
        """
        size = len(self._cell_at)
        if not self.two_level or self.complete or size < 4 or size & (size - 1):
            return False
        if len(self.cells) < size or any(term.blocks for term in self.mains):
            return False

        # In a regular fraction, products of sign columns are balanced, or constant where they
        # define the fraction.
        columns = [self._sign((factor,)) for factor in self.factors]
        if any(column.sum() for column in columns):
            return False
        sums = {abs(int((a * b).sum())) for a, b in combinations(columns, 2)}
        triples = {abs(int((a * b * c).sum())) for a, b, c in combinations(columns, 3)}
        return sums <= {0} and triples <= {0, size}

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """Every change by its name."""
        changes = {}
        for factor, (first, *others) in self.factors.items():
            for level in others:
                name = factor if len(others) == 1 else f"{factor}={level}"
                changes[name] = Change(name, factor, level, first)
        return changes

    @cached_property
    def mains(self) -> tuple[Term, ...]:
        """Each change with the pairs of cells that differ in it alone, if there are any."""
        return tuple(Term((change,), self._blocks((change,))) for change in self.changes.values())

    @cached_property
    def compared(self) -> tuple[Term, ...]:
        """Changes that can have a verdict; in a fraction, the balanced contrast of every factor."""
        if self.fraction:
            return tuple(Term(term.changes, (), self._aliases(term.changes)) for term in self.mains)
        return tuple(
            term
            for term in self.mains
            if any(a != b for a, b in (block.cells for block in term.blocks))
        )

    @cached_property
    def uncompared(self) -> tuple[str, ...]:
        """Changes in which no two cells differ alone."""
        compared = {term.name for term in self.compared}
        return tuple(name for name in self.changes if name not in compared)

    @cached_property
    def interactions(self) -> tuple[Term, ...]:
        """Testable terms of two or more changes; in a fraction one term per alias group."""
        if self.fraction:
            return self._fraction_groups()

        changes = [term.changes[0] for term in self.compared]
        whole = self.two_level and self.complete
        most = (
            len(self.factors)
            if whole and len(self.factors) <= MOST_FACTORS_ALL_ORDERS
            else MOST_ORDER
        )

        # Two levels of one factor can't be combined. Outside whole two-level factorials, only
        # pairs are tested.
        terms = []
        for order in range(2, (most if whole else 2) + 1):
            for chosen in combinations(changes, order):
                if len({change.factor for change in chosen}) < order:
                    continue
                blocks = tuple(b for b in self._blocks(chosen) if self._is_nonzero(b, order))
                if blocks:
                    terms.append(Term(chosen, blocks))
        return tuple(terms)

    @staticmethod
    def _is_nonzero(block: Block, order: int) -> bool:
        """Return whether the contrast of a block is not zero by construction.

        It is zero where cells with identical configs share an id and their signs cancel.
        """
        weights: dict[int, int] = {}
        for bits, cell in enumerate(block.cells):
            weights[cell] = weights.get(cell, 0) + (
                1 if (order - bits.bit_count()) % 2 == 0 else -1
            )
        return any(weights.values())

    def _blocks(self, changes: Sequence[Change]) -> tuple[Block, ...]:
        """Return all blocks of cells for these changes, ordered by the other factors' levels."""
        moved = {change.factor for change in changes}
        others = dict.fromkeys(
            tuple((f, level) for f, level in levels.items() if f not in moved)
            for _, levels in self.settings
        )

        blocks = []
        for at in others:
            cells = [self.cell({**dict(at), **levels}) for levels in _level_choices(changes)]
            if all(cell is not None for cell in cells):
                blocks.append(Block(dict(at), tuple(cell for cell in cells if cell is not None)))
        return tuple(blocks)

    def _sign(self, factors: Sequence[str]) -> Floats:
        """Return the product of -1 (first level) and +1 over these factors, for each cell."""
        signs = np.ones(len(self.cells))
        for cell, levels in self.settings:
            signs[self.index[cell]] = math.prod(
                -1 if levels[f] == self.factors[f][0] else 1 for f in factors
            )
        return signs

    def fraction_weights(self, term: Term) -> Floats:
        """Return the balanced contrast of a term of a fraction: (cells,).

        It is the mean of the cells with sign + less the mean of the other cells.
        """
        return self._sign([change.factor for change in term.changes]) / (len(self.cells) / 2)

    def _fraction_groups(self) -> tuple[Term, ...]:
        """Return alias groups of pairs without a main effect, named by their first pair."""
        mains = {self._pattern(term.changes) for term in self.mains}
        groups: dict[tuple[float, ...], Term] = {}
        for pair in combinations(self.changes.values(), 2):
            pattern = self._pattern(pair)
            if pattern not in mains and abs(sum(pattern)) < len(pattern):
                groups.setdefault(pattern, Term(pair, (), self._aliases(pair)))
        return tuple(groups.values())

    def _pattern(self, changes: Sequence[Change]) -> tuple[float, ...]:
        """Return the signs of a term's cells, flipped so that the first is +.

        Aliased terms have the same pattern.
        """
        signs = self._sign([change.factor for change in changes])
        return tuple(signs * signs[0])

    def _aliases(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """Return the main effects and pairs with the same signs as a term, itself first."""
        pattern = self._pattern(changes)
        terms = [*((c,) for c in self.changes.values()), *combinations(self.changes.values(), 2)]
        same = [
            " × ".join(c.name for c in other) for other in terms if self._pattern(other) == pattern
        ]
        own = " × ".join(c.name for c in changes)
        return (own, *(name for name in same if name != own))

    @cached_property
    def alone(self) -> bool:
        """Whether the arms of one change can stop without stopping those of another.

        That holds if no cell but the reference serves two changes.
        """
        if self.fraction or self.interactions:
            return False
        cells = [{cell for block in term.blocks for cell in block.cells} for term in self.compared]
        shared = {place for cell, place in self.index.items() if cell == self.reference}
        return all(not (a & b) - shared for a, b in combinations(cells, 2))


def _level_choices(changes: Sequence[Change]) -> Iterator[dict[str, str]]:
    """Yield the changed factors' levels for bits 0, 1, ...; bit i is set where change i is made."""
    for bits in product((False, True), repeat=len(changes)):
        made = bits[::-1]
        yield {c.factor: c.level if on else c.first for c, on in zip(changes, made, strict=True)}
