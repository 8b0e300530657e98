"""Claims from the estimate of a contrast, with numbers in the outcome's own unit."""

from dataclasses import dataclass

import numpy as np

from reports.claims.budget import ERROR
from reports.claims.claim import Claim, Scope
from reports.claims.estimates import Estimates, Floats
from reports.claims.look import Look, Seen
from reports.claims.percent import own_unit, relative
from reports.claims.rule import WORDS, Numbers


@dataclass(frozen=True)
class Maker:
    """Maker of claims about one contrast, with numbers in the outcome's own unit.

    Attributes:
        look: The look at which the claims are made.
        seen: The blocks of the contrast's term that count.
        row: (cells,) the contrast.
        found: Estimates, this contrast's among them.
        place: Index of this contrast in `found`.
    """

    look: Look
    seen: Seen
    row: Floats
    found: Estimates
    place: int

    @property
    def mean(self) -> float:
        """Estimate of the contrast; + is worse."""
        return float(self.found.mean[self.place])

    @property
    def alpha(self) -> float:
        """One minus the confidence of intervals."""
        return self.look.spending.nominal(ERROR)

    def claim(
        self,
        kind: str,
        word: str,
        p_adjusted: float,
        family: str,
        scope: Scope,
        caveats: tuple[str, ...] = (),
    ) -> Claim:
        """Return a claim about this contrast.

        Args:
            kind: Kind of the claim.
            word: Verdict that the claim supports.
            p_adjusted: The corrected p value by which it is claimed.
            family: Family of claims whose share of the error it spends.
            scope: Settings that it holds in.
            caveats: Caveats in addition to those of the numbers.
        """
        look, estimates, place = self.look, self.found, self.place
        changes = self.seen.term.changes
        name = self.seen.term.name
        level, first = (changes[0].level, changes[0].first) if len(changes) == 1 else ("", "")

        alpha = self.alpha
        numbers = relative(
            look.trials, self.row, estimates, place, look.rule.worse, look.rule.log, alpha
        )
        # An interaction has no first level of which it could be a percentage.
        if len(changes) > 1:
            numbers |= dict.fromkeys(("percent", "percent_low", "percent_high"), np.nan)

        # One change may have claims at several levels of others, which need ids of their own.
        where = (
            "".join(f",{factor}={level}" for factor, level in scope.at.items())
            if family == "conditional"
            else ""
        )

        p = estimates.apart()[place] if kind in ("direction", "depends") else np.nan
        return Claim(
            id=f"{kind}:{name}{where}".replace(" ", "_")
            + (f":{word[3:]}" if kind == "one_sided" else ""),
            kind=kind,  # type: ignore[arg-type]
            subject=name,
            scope=scope,
            factor=changes[0].factor if len(changes) == 1 else "",
            level=level,
            against=first,
            word=word,
            estimate=numbers["estimate"],
            low=numbers["low"],
            high=numbers["high"],
            percent=numbers["percent"],
            percent_low=numbers["percent_low"],
            percent_high=numbers["percent_high"],
            confidence=1 - alpha,
            p=float(p),
            p_adjusted=float(p_adjusted),
            test=how_tested(estimates, place),
            df=float(estimates.df[place]),
            n_seeds=int(estimates.n[place]),
            n_pairs=int(estimates.n[place]) * max(1, len(self.seen.usable)),
            family=family,
            caveats=(*caveats, *self._caveats(word)),
        )

    def _caveats(self, word: str) -> tuple[str, ...]:
        """Return the caveats that apply to the numbers of this claim."""
        look, estimates, place = self.look, self.found, self.place
        low, high = estimates.interval(self.alpha)
        near = min(abs(low[place]), abs(high[place])) if np.isfinite(low[place]) else np.nan
        applies = {
            "small": near < look.margin and word.split(" ")[0] in WORDS.values(),
            "skewed": bool(estimates.flagged[place]),
            "quantised": look.trials.step is not None,
            "unplanned_look": look.rule.peeked,
            "missing": bool(self.seen.left_out) and not self.seen.clean,
        }
        return tuple(name for name, true in applies.items() if true)

    def numbers(self, adjusted: float) -> Numbers:
        """Return the estimate as readers see it.

        Args:
            adjusted: The corrected p value.
        """
        look, estimates, place = self.look, self.found, self.place
        ends = estimates.shown_interval(self.alpha)
        shown = own_unit(estimates, place, ends, look.rule.worse, look.rule.log)
        p, df, se, mean = (
            float(array[place])
            for array in (estimates.apart(), estimates.df, estimates.se, estimates.mean)
        )
        return Numbers(*shown, p, adjusted, int(estimates.n[place]), df, se, mean)


def how_tested(estimates: Estimates, place: int) -> str:
    """Return how a contrast was tested: `t`, `t by CR2`, or `sequence`."""
    if estimates.sequence:
        return "sequence"
    whole = np.isfinite(estimates.values[:, place]).sum() == estimates.n[place]
    return "t" if whole else "t by CR2"
