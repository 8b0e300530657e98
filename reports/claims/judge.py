"""The rule: from the trials of a study to what may be claimed of each change, with one budget of error for all.

For each factor the first of these that holds is its verdict: equivalent in every setting, depends on another factor,
harms or helps, the same on average only, no harm or no benefit, equivalent on average, not enough data. No average is
claimed of a factor of which an interaction is established. The levels and their measured error rates are in
docs/statistics.md; `benchmarks.claims` makes the table of false claims with this very function.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from reports.claims import divergence
from reports.claims.budget import ERROR, Budget, Spending
from reports.claims.claim import Claim, Scope, averaged, check
from reports.claims.design import Block, Design, Term
from reports.claims.estimates import Estimates, Flags, Floats, Trials
from reports.claims.percent import own_unit, relative

WORDS = {1: "harms", -1: "helps"}
SIDES = {1: "no harm", -1: "no benefit"}
"""Of a contrast in which + is worse: what its sign is called, and what the absence of that side is."""
OPEN = "not enough data"


@dataclass(frozen=True)
class Rule:
    """What a study decided before its runs.

    Attributes:
        better: `lower` or `higher`.
        margin: the smallest effect that matters, in the unit of the values; None: there is none.
        log: whether the values are logarithms, so that effects are ratios.
        looks: planned numbers of seeds.
        spend: how the error is spent over them.
        peeked: whether seeds were added after results had been looked at, without a plan.
        share: part of the error budget that this outcome may spend.
        divergence: whether claims about divergence are made of this outcome; of a second one they would say it twice.
    """

    better: str = "lower"
    margin: float | None = None
    log: bool = False
    looks: tuple[int, ...] = ()
    spend: str = "late"
    peeked: bool = False
    share: float = 1.0
    divergence: bool = True

    @property
    def worse(self) -> float:
        """+1 where larger values are worse, else -1."""
        return 1.0 if self.better == "lower" else -1.0


class Numbers(NamedTuple):
    """The estimate of a contrast as readers see it: in the outcome's own unit and direction.

    Attributes:
        estimate: on a log scale the ratio less 1, as are `low` and `high`.
        low: lower end of the interval.
        high: upper end.
        p: two-sided.
        p_adjusted: corrected for all claims of the report.
        n: seeds that count.
        df: degrees of freedom.
        se: standard error on the scale of the rule.
        mean: the estimate on that scale, + is worse.
    """

    estimate: float
    low: float
    high: float
    p: float
    p_adjusted: float
    n: int
    df: float
    se: float
    mean: float


@dataclass(frozen=True)
class Judgement:
    """What is claimed of a study.

    Attributes:
        claims: all of them, each once.
        verdicts: name of a change -> its word.
        numbers: name of a change or interaction -> its estimate.
        level: of a test of the direction of one change, two-sided.
        alpha: intervals have confidence 1 - alpha.
        look: seeds at the last planned look that was reached; None: none was planned, 0: none was reached.
    """

    claims: tuple[Claim, ...]
    verdicts: Mapping[str, str]
    numbers: Mapping[str, Numbers]
    level: float
    alpha: float
    look: int | None = None


def judge(trials: Trials, design: Design, rule: Rule, look: int | None = None) -> Judgement:
    """What may be claimed of a study's trials by its rule.

    Args:
        trials: values in which + is worse (see `Rule.worse`), on the scale of the rule.
        design: what can be compared.
        rule: the study's.
        look: judge all seeds at once, at the levels of this planned look; None: look by look as they were reached.
    """
    if not rule.looks or look is not None:
        spending = Spending() if look is None else Spending(rule.looks, max(look, 0), rule.spend)
        found = _Look(trials, design, rule, spending, frozenset())
        judgement = found.judgement(tuple(found.claims), found.words, None)
    else:
        judgement = _over_looks(trials, design, rule)
    check(judgement.claims)
    return judgement


def _over_looks(trials: Trials, design: Design, rule: Rule) -> Judgement:
    """Judge at each look that was reached; a verdict stays unless a later look reaches another one."""
    reached = [n for n in rule.looks if n <= len(trials.seeds) and not trials.open[:n].any()]
    words: dict[str, str] = dict.fromkeys(design.changes, OPEN)
    kept: dict[str, tuple[Claim, ...]] = {}
    found = _Look(trials, design, rule, Spending(rule.looks, 0, rule.spend), frozenset())
    for at, seeds in enumerate(reached):
        spending = Spending(rule.looks, at, rule.spend)
        equivalent = frozenset(name for name, word in words.items() if word == "equivalent")
        found = _Look(trials.first(seeds), design, rule, spending, equivalent)
        for name, word in found.words.items():
            # Data of arms that were stopped are not looked at again.
            if words[name] == OPEN or (word != OPEN and found.grew(name)):
                words[name] = word
                kept[name] = tuple(replace(c, look=seeds) for c in found.claims if _about(c, name))
    claims = {claim.id: claim for owned in kept.values() for claim in owned}
    return found.judgement(_consistent(claims.values()), words, reached[-1] if reached else 0)


def _about(claim: Claim, name: str) -> bool:
    """Whether a claim is a change's own, or an interaction that it is in."""
    return claim.subject == name or (claim.kind == "depends" and name in claim.subject.split(" × "))


def _consistent(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Claims without averages of changes that a later look found to depend on others."""
    claims = tuple(claims)
    depending = {name for claim in claims if claim.kind == "depends" for name in claim.subject.split(" × ")}
    return tuple(claim for claim in claims if not (averaged(claim) and claim.subject in depending))


@dataclass(frozen=True)
class _Seen:
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
        return tuple(block for block in self.term.blocks if _moved(block, self.term.signs))

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


class _Look:
    """All claims from the trials that there are now."""

    def __init__(
        self, trials: Trials, design: Design, rule: Rule, spending: Spending, equivalent: frozenset[str]
    ) -> None:
        self.trials, self.design, self.rule, self.spending = trials, design, rule, spending
        self.lost: Flags = np.asarray(trials.diverged.any(axis=0))
        self.known: Flags = np.asarray(np.isfinite(trials.values).any(axis=0))
        self.margin = rule.margin
        self.terms = design.interactions
        pairs = sum(term.order == 2 for term in self.terms)
        self.budget = Budget.of(len(design.factors), pairs, len(self.terms) - pairs, rule.share)
        self.claims: list[Claim] = []
        self.words: dict[str, str] = {}
        self.numbers: dict[str, Numbers] = {}
        self._judge(equivalent)

    @property
    def level(self) -> float:
        """The level of the direction of one change, two-sided, over all looks."""
        return self.budget.direction / max(1, len(self.design.compared)) * self.budget.share

    def judgement(self, claims: tuple[Claim, ...], words: Mapping[str, str], look: int | None) -> Judgement:
        """What is claimed, with the numbers of this look."""
        spending = self.spending
        return Judgement(claims, words, self.numbers, spending.nominal(self.level), spending.nominal(ERROR), look)

    def _number(self, name: str, found: Estimates, place: int, adjusted: float) -> None:
        """Keep the estimate of a contrast."""
        ends = found.valid_interval if found.sequence else found.interval
        numbers = own_unit(found, place, ends(self.spending.nominal(ERROR)), self.rule.worse, self.rule.log)
        p, df, se, mean = (float(array[place]) for array in (found.apart(), found.df, found.se, found.mean))
        self.numbers[name] = Numbers(*numbers, p, adjusted, int(found.n[place]), df, se, mean)

    def grew(self, name: str) -> bool:
        """Whether the arms of a change have a trial of the last seed: arms that were stopped have none."""
        term = next(term for term in self.design.mains if term.name == name)
        cells = sorted({cell for block in term.blocks for cell in block.cells}) or list(range(len(self.design.cells)))
        ended = self.trials.diverged | np.isfinite(self.trials.values)
        return bool(ended[-1, cells].any())

    # -- what is looked at ---------------------------------------------------------------------------------------

    def _seen(self, term: Term) -> _Seen:
        """The blocks of a term that count: those with results, of which none lost a trial to divergence."""
        if not term.blocks:
            return _Seen(term, (), False)
        cells = [_moved(block, term.signs) for block in term.blocks]
        lost = [bool(self.lost[moved].any()) for moved in cells]
        known = [bool(self.known[moved].all()) for moved in cells]
        usable = tuple(
            block for block, diverged, there in zip(term.blocks, lost, known, strict=True) if there and not diverged
        )

        # Cells that equal configs share differ by nothing, whatever happens: they count only beside cells that do not.
        moving = [bool(moved) for moved in cells]
        enough = 2 * sum(lost) <= sum(moving) and any(_moved(block, term.signs) for block in usable)
        return _Seen(term, usable if enough else (), any(lost))

    def _weights(self, seen: _Seen) -> Floats:
        """The contrast of a term over its usable blocks; nan where there is none."""
        if not seen.term.blocks:
            whole = not self.lost.any() and self.known.all()
            weights = self.design.fraction_weights(seen.term)
            return weights if whole else np.full(len(self.design.cells), np.nan)
        return _mean_contrast(seen.usable, seen.term.signs, len(self.design.cells))

    def _estimates(self, rows: Sequence[Floats], trials: Trials | None = None) -> Estimates:
        """Estimates of contrasts; those that do not exist are nan."""
        weights = np.array(rows).reshape(len(rows), len(self.design.cells))
        absent = np.asarray(np.isnan(weights).any(axis=1))
        found = Estimates.of(trials or self.trials, np.where(absent[:, None], 0.0, weights), self.rule.peeked)
        nothing = np.where(absent, np.nan, 1.0)
        n = np.where(absent, 0, found.n)
        values = np.where(absent, np.nan, found.values)
        return replace(found, mean=found.mean * nothing, se=found.se * nothing, n=n, values=values)

    # -- the rule ------------------------------------------------------------------------------------------------

    def _judge(self, equivalent: frozenset[str]) -> None:
        terms = self.design.compared
        lost = divergence.diverging(self.trials, self.design, terms, self.spending) if self.rule.divergence else []
        self.claims += lost
        seen = [self._seen(term) for term in terms]
        rows = [self._weights(one) for one in seen]
        averages = self._estimates(rows)
        settings = [self._settings(one, row) for one, row in zip(seen, rows, strict=True)]

        established = self._interactions()
        depending = self._depending(established)
        blocked = {n for term, _ in established for alias in (term.aliases or (term.name,)) for n in alias.split(" × ")}

        margin = np.nan if self.margin is None else self.margin
        everywhere = self._equivalence([_worst(one.inside(margin)) for one in settings], terms, equivalent)
        on_average = self._equivalence(list(averages.inside(margin)), terms, equivalent)
        one_sided = self._one_sided(settings)
        p = averages.apart()
        directions = self.spending.adjusted(p, self.level)

        for place, (term, one) in enumerate(zip(terms, seen, strict=True)):
            name = term.name
            self._number(name, averages, place, float(directions[place]))
            make = _Maker(self, one, rows[place], averages, place)
            claim = self._verdict(
                make,
                settings[place],
                directions[place],
                everywhere[place],
                on_average[place],
                one_sided[place],
                name in depending,
                name in blocked,
                established,
            )
            word = claim.word if claim is not None else OPEN
            if claim is not None:
                self.claims.append(claim)
            elif name in depending:
                word = "depends"
            if name in depending and word == "depends" and (extra := self._side(make, one_sided[place])):
                self.claims.append(extra)
            if any(claim.subject == name for claim in lost):
                word = "diverges"
            elif word == OPEN:
                composite = self._composite(term, one)
                self.claims.append(composite or make.claim("undecided", OPEN, np.nan, "", one.scope(False)))
            self.words[name] = word
            if settings[place].flat.all() and len(settings[place]):
                self.claims.append(make.claim("idle", "", np.nan, "", one.scope(True)))
        for name in self.design.uncompared:
            self.words[name] = OPEN
            change = self.design.changes[name]
            self.claims.append(
                Claim(
                    f"uncompared:{name}",
                    "uncompared",
                    name,
                    Scope("everywhere"),
                    change.factor,
                    change.level,
                    change.first,
                )
            )

    def _verdict(
        self,
        make: "_Maker",
        settings: Estimates,
        direction: float,
        everywhere: float,
        on_average: float,
        one_sided: Mapping[int, float],
        depends: bool,
        blocked: bool,
        established: Sequence[tuple[Term, str]],
    ) -> Claim | None:
        """The claim that is a change's verdict, in the order of the rule; None: nothing, or it depends."""
        seen = make.seen
        if not len(settings) and seen.term.blocks:
            return self._dual(make) if len(seen.moving) == 1 else None
        if everywhere < ERROR and seen.term.blocks:
            return make.claim("equivalent", "equivalent", everywhere, "equivalence", seen.scope(True))
        if depends or blocked:
            return None
        single = len(settings) == 1 and bool(seen.term.blocks)
        if direction < ERROR:
            sign = 1 if make.mean > 0 else -1
            nowhere = self._nowhere_opposite(settings, sign) if seen.term.blocks else np.nan
            if single or nowhere < ERROR:
                p = direction if single else max(direction, nowhere)
                return make.claim("direction", WORDS[sign], p, "direction", seen.scope(True))
            return make.claim("direction", f"{WORDS[sign]} on average", direction, "direction", seen.scope(False))
        if seen.term.blocks and (side := self._side(make, one_sided)):
            return side
        if on_average < ERROR and (seen.term.blocks or not established):
            return make.claim("equivalent", "equivalent on average", on_average, "equivalence", seen.scope(False))
        return None

    def _settings(self, seen: _Seen, average: Floats) -> Estimates:
        """The effect of a change in each of its usable settings; of a fraction only its contrast."""
        if not seen.term.blocks:
            return self._estimates([average])
        cells = len(self.design.cells)
        return self._estimates([_mean_contrast((block,), seen.term.signs, cells) for block in seen.usable])

    def _equivalence(self, p: Sequence[float], terms: Sequence[Term], before: frozenset[str]) -> Floats:
        """Corrected p over all changes; those found equivalent at an earlier look hand their level on."""
        if self.margin is None:
            return np.full(len(p), np.nan)
        known = [0.0 if term.name in before else value for term, value in zip(terms, p, strict=True)]
        return self.spending.holm(known, self.budget.equivalence * self.budget.share)

    def _one_sided(self, settings: Sequence[Estimates]) -> list[dict[int, float]]:
        """Corrected p of no harm (+1) and no benefit (-1) in any setting, over all changes and both sides."""
        if self.margin is None:
            return [dict.fromkeys(SIDES, np.nan) for _ in settings]
        p = [_worst(one.within(self.margin, side)) for one in settings for side in SIDES]
        adjusted = self.spending.holm(p, self.budget.equivalence * self.budget.share)
        return [dict(zip(SIDES, adjusted[2 * i : 2 * i + 2], strict=True)) for i in range(len(settings))]

    def _side(self, make: "_Maker", one_sided: Mapping[int, float]) -> Claim | None:
        """No harm, or no benefit, in any setting."""
        for side, p in sorted(one_sided.items(), key=lambda entry: entry[1]):
            if p < ERROR:
                return make.claim("one_sided", SIDES[side], p, "one_sided", make.seen.scope(True))
        return None

    def _nowhere_opposite(self, settings: Estimates, sign: int) -> float:
        """Corrected p of "in some setting the effect is the opposite, by the margin"."""
        if self.margin is None:
            return np.nan
        p = settings.above(-self.margin) if sign > 0 else settings.below(self.margin)
        return _worst(self.spending.adjusted(p, self.level, sides=1))

    # -- divergence in a single setting ----------------------------------------------------------------------------

    def _dual(self, make: "_Maker") -> Claim | None:
        """Of one setting in which trials diverged: a direction that survivors and worst values agree on."""
        (block,) = make.seen.moving
        row = _mean_contrast((block,), make.seen.term.signs, len(self.design.cells))
        survivors, worst = self._estimates([row]), self._estimates([row], self.trials.worst())
        adjusted = [float(self.spending.adjusted(one.apart(), self.level)[0]) for one in (survivors, worst)]
        signs = {float(np.sign(one.mean[0])) for one in (survivors, worst)}
        found = divergence.counts(self.trials, self.design, make.seen.term)
        loses = np.sign(found.diverged * found.ended_first - found.diverged_first * found.ended)
        if max(adjusted, default=np.nan) < ERROR and signs == {float(loses)}:
            maker = _Maker(self, make.seen, row, survivors, 0)
            # With one factor alone the setting has no levels to name: it is the whole design.
            scope = Scope("at", block.at) if block.at else Scope("everywhere")
            return maker.claim("direction", WORDS[int(loses)], max(adjusted), "direction", scope, ("diverged",))
        return None

    def _composite(self, term: Term, seen: _Seen) -> Claim | None:
        """That a level is worse when every diverged run counts as worst, where no mean may be given."""
        blocks = [block for block in term.blocks if bool((self.known | self.lost)[list(block.cells)].all())]
        if not seen.clean or seen.usable or not blocks:
            return None
        row = _mean_contrast(blocks, term.signs, len(self.design.cells))
        worst = self._estimates([row], self.trials.worst())
        p = worst.apart()
        adjusted = float(self.spending.adjusted(p, self.level)[0])
        if not adjusted < ERROR:
            return None
        sign = 1 if worst.mean[0] > 0 else -1
        change = term.changes[0]
        return Claim(
            id=f"composite:{change.name}",
            kind="composite",
            subject=change.name,
            scope=Scope("at", term.blocks[0].at)
            if len(term.blocks) == 1 and term.blocks[0].at
            else Scope("on_average"),
            factor=change.factor,
            level=change.level,
            against=change.first,
            word=WORDS[sign],
            p=float(p[0]),
            p_adjusted=adjusted,
            test=self._test(worst, 0),
            df=float(worst.df[0]),
            n_seeds=int(worst.n[0]),
            n_pairs=int(worst.n[0]) * len(blocks),
            family="direction",
            counts=divergence.counts(self.trials, self.design, term),
            caveats=("diverged",),
        )

    # -- interactions ------------------------------------------------------------------------------------------------

    def _interactions(self) -> list[tuple[Term, str]]:
        """The established terms that matter, with the ids of their claims, which are made on the way."""
        if not self.terms:
            return []
        seen = [self._seen(term) for term in self.terms]
        rows = [self._weights(one) for one in seen]
        found = self._estimates(rows)
        p = found.apart()
        pairs = sum(term.order == 2 for term in self.terms)
        established = []
        for place, (term, one) in enumerate(zip(self.terms, seen, strict=True)):
            share, many = (self.budget.pairs, pairs) if term.order == 2 else (self.budget.higher, len(p) - pairs)
            level = share / many * self.budget.share
            adjusted = float(self.spending.adjusted(p[place : place + 1], level)[0])
            self._number(term.name, found, place, adjusted)
            if adjusted < ERROR and not self._small(found, level)[place] < ERROR:
                maker = _Maker(self, one, rows[place], found, place)
                claim = maker.claim("depends", "depends", adjusted, "interactions", one.scope(False))
                self.claims.append(claim)
                established.append((term, claim.id))
                if term.blocks:
                    self._conditional(term, one, level, claim)
        return established

    def _small(self, found: Estimates, level: float) -> Floats:
        """Corrected p of "an interaction moves some effect by the margin or more".

        A contrast I moves the effects of its changes between two levels by 2 I. What is established and yet smaller
        than the margin does not make an effect depend on anything that matters.
        """
        if self.margin is None:
            return np.full(len(found), np.nan)
        return self.spending.adjusted(found.inside(self.margin / 2), level, sides=1)

    def _depending(self, established: Iterable[tuple[Term, str]]) -> set[str]:
        """Changes that are in an established interaction which the design can tell from all others."""
        return {change.name for term, _ in established if len(term.aliases) <= 1 for change in term.changes}

    def _conditional(self, term: Term, seen: _Seen, level: float, gate: Claim) -> None:
        """What each change of an established term does at each combination of the others' levels."""
        places, rows = [], []
        for i, change in enumerate(term.changes):
            for bits in range(2**term.order):
                if bits >> i & 1:
                    continue
                row = np.zeros(len(self.design.cells))
                for block in seen.usable:
                    row[block.cells[bits | 1 << i]] += 1 / len(seen.usable)
                    row[block.cells[bits]] -= 1 / len(seen.usable)
                at = {
                    other.factor: other.level if bits >> j & 1 else other.first
                    for j, other in enumerate(term.changes)
                    if j != i
                }
                places.append((change, at))
                rows.append(row)
        found = self._estimates(rows)
        directions = self.spending.holm(found.apart(), level, sides=2)
        same = np.full(len(rows), np.nan)
        if self.margin is not None:
            same = self.spending.adjusted(found.inside(self.margin), level / len(rows), sides=1)
        for place, (change, at) in enumerate(places):
            if directions[place] < ERROR:
                kind, word, p = "direction", WORDS[1 if found.mean[place] > 0 else -1], directions[place]
            elif same[place] < ERROR:
                kind, word, p = "equivalent", "equivalent", same[place]
            else:
                continue
            one = _Seen(Term((change,), seen.term.blocks), seen.usable, seen.clean)
            over = tuple(block.at for block in seen.usable) if seen.left_out else ()
            scope = Scope("at", at, over=over, left_out=tuple(block.at for block in seen.left_out))
            maker = _Maker(self, one, rows[place], found, place)
            p = max(float(p), gate.p_adjusted)
            self.claims.append(replace(maker.claim(kind, word, p, "conditional", scope), gate=gate.id))

    def _test(self, found: Estimates, place: int) -> str:
        if found.sequence:
            return "sequence"
        whole = np.isfinite(found.values[:, place]).sum() == found.n[place]
        return "t" if whole else "t by CR2"


@dataclass(frozen=True)
class _Maker:
    """Makes claims of one contrast, with its numbers in the outcome's own unit."""

    look: _Look
    seen: _Seen
    row: Floats
    found: Estimates
    place: int

    @property
    def mean(self) -> float:
        """The estimate, + is worse."""
        return float(self.found.mean[self.place])

    def claim(
        self, kind: str, word: str, p_adjusted: float, family: str, scope: Scope, caveats: tuple[str, ...] = ()
    ) -> Claim:
        """A claim about this contrast."""
        look, found, place = self.look, self.found, self.place
        changes = self.seen.term.changes
        name = self.seen.term.name
        level, first = (changes[0].level, changes[0].first) if len(changes) == 1 else ("", "")
        alpha = look.spending.nominal(ERROR)
        numbers = relative(look.trials, self.row, found, place, look.rule.worse, look.rule.log, alpha)
        where = "".join(f",{factor}={level}" for factor, level in scope.at.items()) if family == "conditional" else ""
        p = found.apart()[place] if kind in ("direction", "depends") else np.nan
        return Claim(
            id=f"{kind}:{name}{where}".replace(" ", "_") + (f":{word[3:]}" if kind == "one_sided" else ""),
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
            test=look._test(found, place),
            df=float(found.df[place]),
            n_seeds=int(found.n[place]),
            n_pairs=int(found.n[place]) * max(1, len(self.seen.usable)),
            family=family,
            caveats=(*caveats, *self._caveats(word)),
        )

    def _caveats(self, word: str) -> tuple[str, ...]:
        """What the numbers of this claim suffer from."""
        look, found, place = self.look, self.found, self.place
        margin = look.margin
        low, high = found.interval(look.spending.nominal(ERROR))
        near = min(abs(low[place]), abs(high[place])) if np.isfinite(low[place]) else np.nan
        names = {
            "small": margin is not None and word.split(" ")[0] in WORDS.values() and near < margin,
            "skewed": bool(found.flagged[place]),
            "quantised": look.trials.step is not None,
            "unplanned_look": look.rule.peeked,
            "missing": bool(self.seen.left_out) and not self.seen.clean,
        }
        return tuple(name for name, true in names.items() if true)


def _mean_contrast(blocks: Sequence[Block], signs: Floats, cells: int) -> Floats:
    """The contrast of these signs, averaged over blocks; nan without a block."""
    if not blocks:
        return np.full(cells, np.nan)
    row = np.zeros(cells)
    for block in blocks:
        np.add.at(row, list(block.cells), signs / len(blocks))
    return row


def _moved(block: Block, signs: Floats) -> list[int]:
    """The cells that count in a block: where equal configs share a cell its signs may cancel."""
    weights: dict[int, float] = {}
    for cell, sign in zip(block.cells, signs, strict=True):
        weights[cell] = weights.get(cell, 0.0) + float(sign)
    return [cell for cell, weight in weights.items() if weight]


def _worst(p: Floats) -> float:
    """The largest p; nan where there is none, or one is not known."""
    return float(p.max()) if len(p) and not np.isnan(p).any() else float("nan")
