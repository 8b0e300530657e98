"""One look at the trials of a study: which blocks of cells count, and the estimates of contrasts
over them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reports.claims.budget import Budget, Spending
from reports.claims.claim import Scope
from reports.claims.design import Block, Design, Term
from reports.claims.estimates import Estimates, Flags, Floats, Trials
from reports.claims.rule import Rule


@dataclass(frozen=True)
class Seen:
    """The blocks of a term that have results and lost no trial to divergence.

    Attributes:
        usable: those that a mean may be taken over; empty: none may.
        clean: whether blocks were left out because trials diverged in them.
    """

    term: Term
    usable: tuple[Block, ...]
    clean: bool

    @property
    def left_out(self) -> tuple[Block, ...]:
        """Blocks of the design that are not used."""
        return tuple(block for block in self.term.blocks if block not in self.usable)

    @property
    def moving(self) -> tuple[Block, ...]:
        """Blocks whose cells are not shared by equal configs."""
        return tuple(block for block in self.term.blocks if moved_cells(block, self.term.signs))

    def scope(self, every: bool) -> Scope:
        """Where a claim about these blocks holds: in each of them, or on their average."""
        if not self.term.blocks:
            return Scope("alias_group", terms=self.term.aliases)
        if len(self.term.blocks) == 1 and self.term.blocks[0].at:
            return Scope("at", self.term.blocks[0].at)
        every = every or len(self.usable) == 1
        left_out = tuple(block.at for block in self.left_out)
        over = tuple(block.at for block in self.usable) if left_out else ()
        kind = "clean" if self.clean else "everywhere" if every else "on_average"
        return Scope(kind, over=over, left_out=left_out, every=every)  # type: ignore[arg-type]


class Look:
    """The trials that there are now, with the levels that claims about them are tested at.

    Attributes:
        lost: whether a trial of each cell diverged.
        known: whether each cell has a result.
        budget: the shares of the error.
    """

    def __init__(self, trials: Trials, design: Design, rule: Rule, spending: Spending) -> None:
        self.trials, self.design, self.rule, self.spending = trials, design, rule, spending
        self.lost: Flags = np.asarray(trials.diverged.any(axis=0))
        self.known: Flags = np.asarray(np.isfinite(trials.values).any(axis=0))
        self.budget = Budget.of_design(design, rule.share)

    @property
    def margin(self) -> float:
        """The smallest effect that matters; nan without one, so that nothing is ever found within
        it."""
        return float("nan") if self.rule.margin is None else self.rule.margin

    @property
    def level(self) -> float:
        """The level of the direction of one change, two-sided, over all looks."""
        return self.budget.one_direction(len(self.design.compared))

    def grew(self, name: str) -> bool:
        """Whether the arms of a change have a trial of the last seed: arms that were stopped have
        none."""
        term = next(term for term in self.design.mains if term.name == name)
        ended = (self.trials.diverged | np.isfinite(self.trials.values))[-1]
        pairs = [list(block.cells) for block in term.blocks] or [list(range(len(ended)))]
        return any(bool(ended[pair].all()) for pair in pairs)

    def seen(self, term: Term) -> Seen:
        """The blocks of a term that count: those with results, of which none lost a trial to
        divergence."""
        if not term.blocks:
            return Seen(term, (), False)
        cells = [moved_cells(block, term.signs) for block in term.blocks]
        lost = [bool(self.lost[moved].any()) for moved in cells]
        known = [bool(self.known[moved].all()) for moved in cells]
        usable = tuple(
            block
            for block, diverged, there in zip(term.blocks, lost, known, strict=True)
            if there and not diverged
        )

        # Cells that equal configs share differ by nothing, whatever happens: they count only beside
        # cells that do not.
        moving = [bool(moved) for moved in cells]
        enough = 2 * sum(lost) <= sum(moving) and any(
            moved_cells(block, term.signs) for block in usable
        )
        return Seen(term, usable if enough else (), any(lost))

    def weights(self, seen: Seen) -> Floats:
        """The contrast of a term over its usable blocks; nan where there is none."""
        if not seen.term.blocks:
            whole = not self.lost.any() and self.known.all()
            weights = self.design.fraction_weights(seen.term)
            return weights if whole else np.full(len(self.design.cells), np.nan)
        return mean_contrast(seen.usable, seen.term.signs, len(self.design.cells))

    def estimates(
        self, rows: Sequence[Floats], trials: Trials | None = None, guard: bool = True
    ) -> Estimates:
        """Estimates of contrasts; those that do not exist are nan. See `Estimates.guard`."""
        weights = np.array(rows).reshape(len(rows), len(self.design.cells))
        absent = np.asarray(np.isnan(weights).any(axis=1))
        found = Estimates.of(
            trials or self.trials, np.where(absent[:, None], 0.0, weights), self.rule.peeked, guard
        )
        nothing = np.where(absent, np.nan, 1.0)
        n = np.where(absent, 0, found.n)
        values = np.where(absent, np.nan, found.values)
        mean, se, df = found.mean * nothing, found.se * nothing, found.df * nothing
        return replace(found, mean=mean, se=se, df=df, n=n, values=values)


def mean_contrast(blocks: Sequence[Block], signs: Floats, cells: int) -> Floats:
    """The contrast of these signs, averaged over blocks; nan without a block."""
    if not blocks:
        return np.full(cells, np.nan)
    row = np.zeros(cells)
    for block in blocks:
        np.add.at(row, list(block.cells), signs / len(blocks))
    return row


def moved_cells(block: Block, signs: Floats) -> list[int]:
    """The cells that count in a block: where equal configs share a cell its signs may cancel."""
    weights: dict[int, float] = {}
    for cell, sign in zip(block.cells, signs, strict=True):
        weights[cell] = weights.get(cell, 0.0) + float(sign)
    return [cell for cell, weight in weights.items() if weight]


def largest(p: Floats) -> float:
    """The largest p; nan where there is none, or one is not known."""
    return float(p.max()) if len(p) and not np.isnan(p).any() else float("nan")
