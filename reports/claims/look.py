"""One look at the trials of a study: the blocks of cells that count, and estimates over them."""

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
    """Blocks of a term that have results and lost no trial to divergence.

    Attributes:
        term: The term.
        usable: Blocks that a mean may be taken over; empty if no mean may be taken.
        clean: Whether blocks were left out because trials diverged in them.
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
        """Blocks in which the signs of cells with identical configs don't cancel."""
        return tuple(block for block in self.term.blocks if moved_cells(block, self.term.signs))

    def scope(self, every: bool) -> Scope:
        """Return where a claim about these blocks holds.

        Args:
            every: Whether it holds in each block, and not only on their average.
        """
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
    """Trials of a study so far, with the levels at which claims about them are tested.

    Attributes:
        trials: The trials.
        design: What can be compared.
        rule: The study's rule.
        spending: Levels at this look.
        lost: (cells,) whether a trial of each cell diverged.
        known: (cells,) whether each cell has a result.
        budget: Shares of the error.
    """

    def __init__(self, trials: Trials, design: Design, rule: Rule, spending: Spending) -> None:
        self.trials, self.design, self.rule, self.spending = trials, design, rule, spending
        self.lost: Flags = np.asarray(trials.diverged.any(axis=0))
        self.known: Flags = np.asarray(np.isfinite(trials.values).any(axis=0))
        self.budget = Budget.of_design(design, rule.share)

    @property
    def margin(self) -> float:
        """Smallest effect that matters; nan without one, so that no effect is ever within it."""
        return float("nan") if self.rule.margin is None else self.rule.margin

    @property
    def level(self) -> float:
        """Two-sided level of the direction of one change, over all looks."""
        return self.budget.one_direction(len(self.design.compared))

    def grew(self, name: str) -> bool:
        """Return whether the arms of a change have trials of the last seed.

        Arms that were stopped have none.
        """
        term = next(term for term in self.design.mains if term.name == name)
        ended = (self.trials.diverged | np.isfinite(self.trials.values))[-1]
        pairs = [list(block.cells) for block in term.blocks] or [list(range(len(ended)))]
        return any(bool(ended[pair].all()) for pair in pairs)

    def seen(self, term: Term) -> Seen:
        """Return the blocks of a term that count.

        Those are the blocks with results in which no trial diverged. If trials diverged in more
        than half of the blocks, no block counts.
        """
        if not term.blocks:
            return Seen(term, (), False)
        cells = [moved_cells(block, term.signs) for block in term.blocks]
        lost = [bool(self.lost[moved].any()) for moved in cells]
        known = [bool(self.known[moved].all()) for moved in cells]
        usable = tuple(
            block
            for block, diverged, has_results in zip(term.blocks, lost, known, strict=True)
            if has_results and not diverged
        )

        # A block whose signs cancel has an effect of 0 whatever happens. It counts only together
        # with blocks that can show an effect.
        moving = [bool(moved) for moved in cells]
        enough = 2 * sum(lost) <= sum(moving) and any(
            moved_cells(block, term.signs) for block in usable
        )
        return Seen(term, usable if enough else (), any(lost))

    def weights(self, seen: Seen) -> Floats:
        """Return the contrast of a term over its usable blocks; nan without a usable block."""
        if not seen.term.blocks:
            whole = not self.lost.any() and self.known.all()
            weights = self.design.fraction_weights(seen.term)
            return weights if whole else np.full(len(self.design.cells), np.nan)
        return mean_contrast(seen.usable, seen.term.signs, len(self.design.cells))

    def estimates(
        self, rows: Sequence[Floats], trials: Trials | None = None, guard: bool = True
    ) -> Estimates:
        """Return estimates of contrasts; contrasts that are nan have nan estimates.

        Args:
            rows: Contrasts, each of shape (cells,).
            trials: Other trials to estimate from; None for those of this look.
            guard: See `Estimates.guard`.
        """
        weights = np.array(rows).reshape(len(rows), len(self.design.cells))
        absent = np.asarray(np.isnan(weights).any(axis=1))
        estimates = Estimates.of(
            trials or self.trials, np.where(absent[:, None], 0.0, weights), self.rule.peeked, guard
        )

        mask = np.where(absent, np.nan, 1.0)
        n = np.where(absent, 0, estimates.n)
        values = np.where(absent, np.nan, estimates.values)
        mean, se, df = estimates.mean * mask, estimates.se * mask, estimates.df * mask
        return replace(estimates, mean=mean, se=se, df=df, n=n, values=values)


def mean_contrast(blocks: Sequence[Block], signs: Floats, cells: int) -> Floats:
    """Return the contrast of these signs, averaged over blocks; nan without a block.

    Args:
        blocks: The blocks.
        signs: Sign of each cell of a block, see `Term.signs`.
        cells: Number of cells of the design.
    """
    if not blocks:
        return np.full(cells, np.nan)
    row = np.zeros(cells)
    for block in blocks:
        np.add.at(row, list(block.cells), signs / len(blocks))
    return row


def moved_cells(block: Block, signs: Floats) -> list[int]:
    """Return the cells that count in a block; signs cancel in cells with identical configs."""
    weights: dict[int, float] = {}
    for cell, sign in zip(block.cells, signs, strict=True):
        weights[cell] = weights.get(cell, 0.0) + float(sign)
    return [cell for cell, weight in weights.items() if weight]


def largest(p: Floats) -> float:
    """Return the largest p; nan if there is none, or if one is unknown."""
    return float(p.max()) if len(p) and not np.isnan(p).any() else float("nan")
