"""From the estimate of a contrast to a claim, with its numbers in the outcome's own unit."""

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
    """Makes claims of one contrast, with its numbers in the outcome's own unit."""

    look: Look
    seen: Seen
    row: Floats
    found: Estimates
    place: int

    @property
    def mean(self) -> float:
        """The estimate, + is worse."""
        return float(self.found.mean[self.place])

    @property
    def alpha(self) -> float:
        """Intervals have confidence 1 - alpha."""
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
        """A claim about this contrast."""
        look, found, place = self.look, self.found, self.place
        changes = self.seen.term.changes
        name = self.seen.term.name
        level, first = (changes[0].level, changes[0].first) if len(changes) == 1 else ("", "")
        alpha = self.alpha
        numbers = relative(
            look.trials, self.row, found, place, look.rule.worse, look.rule.log, alpha
        )
        if len(changes) > 1:  # an interaction has no first level to be a share of
            numbers |= dict.fromkeys(("percent", "percent_low", "percent_high"), np.nan)
        where = (
            "".join(f",{factor}={level}" for factor, level in scope.at.items())
            if family == "conditional"
            else ""
        )
        p = found.apart()[place] if kind in ("direction", "depends") else np.nan
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
            test=how_tested(found, place),
            df=float(found.df[place]),
            n_seeds=int(found.n[place]),
            n_pairs=int(found.n[place]) * max(1, len(self.seen.usable)),
            family=family,
            caveats=(*caveats, *self._caveats(word)),
        )

    def _caveats(self, word: str) -> tuple[str, ...]:
        """What the numbers of this claim suffer from."""
        look, found, place = self.look, self.found, self.place
        low, high = found.interval(self.alpha)
        near = min(abs(low[place]), abs(high[place])) if np.isfinite(low[place]) else np.nan
        names = {
            "small": near < look.margin and word.split(" ")[0] in WORDS.values(),
            "skewed": bool(found.flagged[place]),
            "quantised": look.trials.step is not None,
            "unplanned_look": look.rule.peeked,
            "missing": bool(self.seen.left_out) and not self.seen.clean,
        }
        return tuple(name for name, true in names.items() if true)

    def numbers(self, adjusted: float) -> Numbers:
        """The estimate as readers see it."""
        look, found, place = self.look, self.found, self.place
        shown = own_unit(
            found, place, found.shown_interval(self.alpha), look.rule.worse, look.rule.log
        )
        p, df, se, mean = (
            float(array[place]) for array in (found.apart(), found.df, found.se, found.mean)
        )
        return Numbers(*shown, p, adjusted, int(found.n[place]), df, se, mean)


def how_tested(found: Estimates, place: int) -> str:
    """How a contrast was tested: `t`, `t by CR2` or `sequence`."""
    if found.sequence:
        return "sequence"
    whole = np.isfinite(found.values[:, place]).sum() == found.n[place]
    return "t" if whole else "t by CR2"
