"""The verdict of each change at one look at the trials.

For each factor, the first of these that holds is its verdict: equivalent in every setting, depends
on another factor, harms or helps, harms or helps on average only, no harm or no benefit, equivalent
on average, not enough data. No average is claimed of a factor in an established interaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.claims import divergence
from reports.claims.budget import ERROR
from reports.claims.claim import Claim, Scope, interacting
from reports.claims.estimates import Estimates, Floats
from reports.claims.interactions import Established, interactions
from reports.claims.look import Look, Seen, largest, mean_contrast
from reports.claims.lost import composite, dual
from reports.claims.making import Maker
from reports.claims.rule import OPEN, SIDES, WORDS, Numbers


@dataclass(frozen=True)
class Found:
    """Claims and verdicts of one look.

    Attributes:
        look: The look.
        claims: All claims of the look.
        words: Name of a change -> its verdict.
        numbers: Name of a change or interaction -> its estimate.
    """

    look: Look
    claims: tuple[Claim, ...]
    words: Mapping[str, str]
    numbers: Mapping[str, Numbers]


@dataclass(frozen=True)
class _Side:
    """All tests of one change, as corrected p values.

    Attributes:
        maker: Maker of claims about its average.
        settings: Its effect in each usable setting.
        direction: Its average is not 0.
        everywhere: Its effect is within the margin in every setting.
        on_average: Its average is within the margin.
        one_sided: +1: nowhere worse by the margin, -1: nowhere better.
        nowhere: Nowhere the opposite of its average by the margin.
    """

    maker: Maker
    settings: Estimates
    direction: float
    everywhere: float
    on_average: float
    one_sided: Mapping[int, float]
    nowhere: float

    @property
    def seen(self) -> Seen:
        """Blocks of the change that count."""
        return self.maker.seen

    @property
    def aliased(self) -> bool:
        """Whether the change is the contrast of a fraction, which shows no single setting."""
        return not self.seen.term.blocks


def judge_once(look: Look, equivalent: Mapping[str, float]) -> Found:
    """Return the claims and verdicts of one look.

    Args:
        look: The trials so far, with the levels of this look.
        equivalent: Change found equivalent at an earlier look -> its corrected p there; its level
            passes to the other changes.
    """
    terms = look.design.compared
    lost = (
        divergence.diverging(look.trials, look.design, terms, look.spending)
        if look.rule.divergence
        else []
    )
    established, numbers = interactions(look)

    claims, words = [*lost, *(one.claim for one in established), *_conditional(established)], {}
    for side in _sides(look, equivalent):
        name = side.seen.term.name
        numbers[name] = side.maker.numbers(side.direction)
        word, made = _verdict(
            look, side, established, diverges=any(claim.subject == name for claim in lost)
        )
        claims += made
        words[name] = word
        if len(side.settings) and side.settings.flat.all():
            claims.append(side.maker.claim("idle", "", np.nan, "", side.seen.scope(every=True)))

    for name in look.design.uncompared:
        words[name] = OPEN
        claims.append(_uncompared(look, name))
    return Found(look, tuple(claims), words, numbers)


def _conditional(established: Sequence[Established]) -> list[Claim]:
    """Return the effects at single levels.

    If several interactions give claims about the same effect, only the one with the smallest p
    counts.
    """
    clearest: dict[str, Claim] = {}
    for claim in (claim for one in established for claim in one.conditional):
        known = clearest.get(claim.id)
        if known is None or claim.p_adjusted < known.p_adjusted:
            clearest[claim.id] = claim
    return list(clearest.values())


def _sides(look: Look, equivalent: Mapping[str, float]) -> list[_Side]:
    """Run every test of every change, and correct each family of tests over all changes."""
    terms, spending = look.design.compared, look.spending
    seen = [look.seen(term) for term in terms]
    rows = [look.weights(one) for one in seen]
    averages = look.estimates(rows)
    settings = [_settings(look, one, row) for one, row in zip(seen, rows, strict=True)]

    same = look.budget.equivalences
    directions = spending.adjusted(averages.apart(), look.level)
    before = [term.name in equivalent for term in terms]
    everywhere = spending.holm(
        _known([largest(one.inside(look.margin)) for one in settings], before), same
    )
    on_average = spending.holm(_known(list(averages.inside(look.margin)), before), same)
    one_sided = spending.holm(
        [largest(one.within(look.margin, side)) for one in settings for side in SIDES], same
    )
    return [
        _Side(
            maker=Maker(look, one, rows[i], averages, i),
            settings=settings[i],
            direction=float(directions[i]),
            everywhere=equivalent.get(one.term.name, float(everywhere[i])),
            on_average=float(on_average[i]),
            one_sided=dict(zip(SIDES, one_sided[len(SIDES) * i :], strict=False)),
            nowhere=_nowhere_opposite(look, settings[i], averages.mean[i]),
        )
        for i, one in enumerate(seen)
    ]


def _known(p: Sequence[float], before: Sequence[bool]) -> list[float]:
    """Return the p values of a family; a claim that was made before counts as passed."""
    return [0.0 if claimed else value for value, claimed in zip(p, before, strict=True)]


def _settings(look: Look, seen: Seen, average: Floats) -> Estimates:
    """Return the effect of a change in each of its usable settings; in a fraction its contrast."""
    if not seen.term.blocks:
        return look.estimates([average])
    cells = len(look.design.cells)
    rows = [mean_contrast((block,), seen.term.signs, cells) for block in seen.usable]
    return look.estimates(rows, guard=len(rows) == 1)


def _nowhere_opposite(look: Look, settings: Estimates, mean: float) -> float:
    """Return the corrected p of "some setting has the opposite effect, by at least the margin"."""
    p = settings.above(-look.margin) if mean > 0 else settings.below(look.margin)
    return largest(look.spending.adjusted(p, look.level, sides=1))


def _verdict(
    look: Look, side: _Side, established: Sequence[Established], diverges: bool
) -> tuple[str, list[Claim]]:
    """Return the verdict on a change and the claims that carry it."""
    name = side.seen.term.name
    mine = [one for one in established if name in interacting(one.claim)]
    # An interaction with aliases may be one of other factors, so it doesn't make this one depend.
    depends = any(len(one.term.aliases) <= 1 for one in mine)

    claim = _claim(look, side, blocked=bool(mine), alone=not established)
    made = [] if claim is None else [claim]
    word = "depends" if claim is None and depends else OPEN if claim is None else claim.word
    if word == "depends" and (extra := _no_side(side)):
        made.append(extra)

    if diverges:
        return "diverges", made
    if word == OPEN:
        scope = side.seen.scope(every=False)
        made.append(
            composite(look, side.seen) or side.maker.claim("undecided", OPEN, np.nan, "", scope)
        )
    return word, made


def _claim(look: Look, side: _Side, blocked: bool, alone: bool) -> Claim | None:
    """Return the claim that is a change's verdict, or None if there is none or the change depends.

    The first claim that holds in the order of the rule counts, see the module.

    Args:
        look: The trials so far.
        side: The tests of the change.
        blocked: Whether the change is in an established interaction, or aliased with one.
        alone: Whether no interaction is established at all.
    """
    seen, make = side.seen, side.maker.claim
    if not len(side.settings) and not side.aliased:
        return dual(look, seen) if len(seen.moving) == 1 else None
    if side.everywhere < ERROR and not side.aliased:
        return make(
            "equivalent", "equivalent", side.everywhere, "equivalence", seen.scope(every=True)
        )
    if blocked:
        return None

    if side.direction < ERROR:
        word = WORDS[1 if side.maker.mean > 0 else -1]
        single = len(side.settings) == 1 and not side.aliased
        if single or (side.nowhere < ERROR and not side.aliased):
            p = side.direction if single else max(side.direction, side.nowhere)
            return make("direction", word, p, "direction", seen.scope(every=True))
        return make(
            "direction", f"{word} on average", side.direction, "direction", seen.scope(every=False)
        )
    if not side.aliased and (claim := _no_side(side)):
        return claim
    if side.on_average < ERROR and (alone or not side.aliased):
        return make(
            "equivalent",
            "equivalent on average",
            side.on_average,
            "equivalence",
            seen.scope(every=False),
        )
    return None


def _no_side(side: _Side) -> Claim | None:
    """Return the claim of no harm, or no benefit, in any setting; None if it can't be made."""
    sign, p = min(side.one_sided.items(), key=lambda entry: (not entry[1] < ERROR, entry[1]))
    if not p < ERROR:
        return None
    return side.maker.claim("one_sided", SIDES[sign], p, "one_sided", side.seen.scope(every=True))


def _uncompared(look: Look, name: str) -> Claim:
    """Return the claim that no two cells differ in a change alone."""
    change = look.design.changes[name]
    ends = (change.factor, change.level, change.first)
    return Claim(f"uncompared:{name}", "uncompared", name, Scope("everywhere"), *ends)
