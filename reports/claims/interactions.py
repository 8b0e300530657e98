"""Changes that act together, and what each of them does at the levels of the others."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from reports.claims.budget import ERROR
from reports.claims.claim import Claim, Scope
from reports.claims.design import Change, Term
from reports.claims.estimates import Estimates, Floats
from reports.claims.look import Look, Seen
from reports.claims.making import Maker
from reports.claims.rule import WORDS, Numbers


@dataclass(frozen=True)
class Established:
    """An interaction that is not 0 and matters.

    Attributes:
        term: The changes that act together.
        claim: The claim that the interaction is not 0.
        conditional: Claims about what its changes do at single levels of the others; none if they
            are part of a larger established interaction.
    """

    term: Term
    claim: Claim
    conditional: tuple[Claim, ...]


def interactions(look: Look) -> tuple[list[Established], dict[str, Numbers]]:
    """Return the established interactions that matter, and the numbers of all testable ones.

    Args:
        look: The trials so far, with the levels of this look.

    Returns:
        The interactions, and name of a term -> its estimate.
    """
    terms = look.design.interactions
    seen = [look.seen(term) for term in terms]
    rows = [look.weights(one) for one in seen]
    estimates = look.estimates(rows, guard=False)
    p = estimates.apart()
    pairs = sum(term.order == 2 for term in terms)

    levels: list[tuple[int, float, Claim]] = []
    numbers = {}
    for place, (term, one) in enumerate(zip(terms, seen, strict=True)):
        share, many = (
            (look.budget.pairs, pairs)
            if term.order == 2
            else (look.budget.higher, len(terms) - pairs)
        )
        level = share / many * look.budget.share
        adjusted = float(look.spending.adjusted(p[place : place + 1], level)[0])

        maker = Maker(look, one, rows[place], estimates, place)
        numbers[term.name] = maker.numbers(adjusted)
        if adjusted < ERROR and not _too_small(look, estimates, place, level):
            claim = maker.claim(
                "depends", "depends", adjusted, "interactions", one.scope(every=False)
            )
            levels.append((place, level, claim))

    established = []
    names = [_names(terms[place]) for place, _, _ in levels]
    for place, level, claim in levels:
        term = terms[place]
        # An effect of a part is an average over a factor on which the effect depends
        largest_one = not any(_names(term) < other for other in names)
        conditional = (
            _conditional(look, term, seen[place], level, claim)
            if term.blocks and largest_one
            else ()
        )
        established.append(Established(term, claim, conditional))
    return established, numbers


def _names(term: Term) -> frozenset[str]:
    return frozenset(change.name for change in term.changes)


def _too_small(look: Look, estimates: Estimates, place: int, level: float) -> bool:
    """Return whether an interaction is shown to move every effect by less than the margin.

    A contrast I moves the effects of its changes between two levels by 2 I. An interaction that is
    established but smaller than the margin doesn't make an effect depend on anything that matters.
    """
    p = look.spending.adjusted(estimates.inside(look.margin / 2), level, sides=1)
    return bool(p[place] < ERROR)


def _conditional(
    look: Look, term: Term, seen: Seen, level: float, gate: Claim
) -> tuple[Claim, ...]:
    """Return what each change of an established term does at each level of the others.

    The term passes its level to these effects: their directions share the level by Holm's method,
    their equivalences by Bonferroni's.

    Args:
        look: The trials so far.
        term: The established term.
        seen: The blocks of the term that count.
        level: The level at which the term was tested.
        gate: The claim that the term is not 0.
    """
    effects = list(_conditional_effects(look, term, seen))
    rows = [row for _, _, row in effects]
    estimates = look.estimates(rows, guard=False)
    directions = look.spending.holm(estimates.apart(), level, sides=2)
    same = look.spending.adjusted(estimates.inside(look.margin), level / len(rows), sides=1)

    claims = []
    left_out = tuple(block.at for block in seen.left_out)

    # If the design lacks cells, an effect has settings outside all blocks. The claim then names
    # the settings that it is about.
    partial = bool(left_out) or not look.design.complete
    over = tuple(block.at for block in seen.usable) if partial else ()
    for place, (change, levels, row) in enumerate(effects):
        at = {**over[0], **levels} if len(over) == 1 else levels
        harms = estimates.mean[place] > 0
        kind, word, p = "direction", WORDS[1 if harms else -1], directions[place]
        if not p < ERROR:
            kind, word, p = "equivalent", "equivalent", same[place]

        if p < ERROR:
            one = Seen(Term((change,), seen.term.blocks), seen.usable, seen.clean)
            scope = Scope("at", at, over=over, left_out=left_out)
            maker = Maker(look, one, row, estimates, place)
            claim = maker.claim(kind, word, max(float(p), gate.p_adjusted), "conditional", scope)
            claims.append(replace(claim, gate=gate.id))
    return tuple(claims)


def _conditional_effects(
    look: Look, term: Term, seen: Seen
) -> Iterator[tuple[Change, dict[str, str], Floats]]:
    """Yield each change of a term, the others' levels, and its effect there as a contrast."""
    for i, change in enumerate(term.changes):
        for bits in range(2**term.order):
            if bits >> i & 1:
                continue
            row = np.zeros(len(look.design.cells))
            for block in seen.usable:
                row[block.cells[bits | 1 << i]] += 1 / len(seen.usable)
                row[block.cells[bits]] -= 1 / len(seen.usable)
            others = [(j, other) for j, other in enumerate(term.changes) if j != i]
            yield change, {o.factor: o.level if bits >> j & 1 else o.first for j, o in others}, row
