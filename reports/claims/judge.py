"""From the trials of a study to what may be claimed of each change, with one budget of error for
all.

The levels and their measured error rates are in docs/statistics.md; `benchmarks.claims` makes the
table of false claims with this very function.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reports.claims.budget import ERROR, Spending
from reports.claims.claim import Claim, averaged, check, depending, interacting
from reports.claims.design import Design
from reports.claims.estimates import Trials
from reports.claims.look import Look
from reports.claims.rule import OPEN, Judgement, Rule
from reports.claims.verdicts import Found, judge_once


def judge(trials: Trials, design: Design, rule: Rule, look: int | None = None) -> Judgement:
    """What may be claimed of a study's trials by its rule.

    Args:
        trials: values in which + is worse (see `Rule.worse`), on the scale of the rule.
        design: what can be compared.
        rule: the study's.
        look: judge all seeds at once, at the levels of this planned look; None: look by look as
            they were reached.
    """
    if not rule.looks or look is not None:
        spending = Spending() if look is None else Spending(rule.looks, max(look, 0), rule.spend)
        found = judge_once(Look(trials, design, rule, spending), {})
        judgement = _judgement(found, found.claims, found.words, None)
    else:
        judgement = _over_looks(trials, design, rule)
    check(judgement.claims)
    return judgement


def _over_looks(trials: Trials, design: Design, rule: Rule) -> Judgement:
    """Judge at each look that was reached; a verdict stays unless a later look reaches another
    one."""
    reached = [n for n in rule.looks if n <= len(trials.seeds) and not trials.open[:n].any()]
    words: dict[str, str] = dict.fromkeys(design.changes, OPEN)
    kept: dict[str, tuple[Claim, ...]] = {}
    found = judge_once(Look(trials, design, rule, Spending(rule.looks, 0, rule.spend)), {})
    for at, seeds in enumerate(reached):
        spending = Spending(rule.looks, at, rule.spend)
        # Of what was found equivalent the p that found it is told: at later looks it is not tested
        # again.
        before = (
            claim
            for claims in kept.values()
            for claim in claims
            if claim.kind == claim.word == "equivalent"
        )
        equivalent = {
            c.subject: c.p_adjusted
            for c in before
            if not c.gate and words[c.subject] == "equivalent"
        }
        found = judge_once(Look(trials.first(seeds), design, rule, spending), equivalent)
        for name, word in found.words.items():
            # Data of arms that were stopped are not looked at again.
            if words[name] == OPEN or (word != OPEN and found.look.grew(name)):
                words[name] = word
                kept[name] = tuple(replace(c, look=seeds) for c in found.claims if _about(c, name))
    claims = {claim.id: claim for owned in kept.values() for claim in owned}
    return _judgement(found, *_consistent(claims.values(), words), reached[-1] if reached else 0)


def _about(claim: Claim, name: str) -> bool:
    """Whether a claim is a change's own, or an interaction that it is in."""
    return claim.subject == name or (claim.kind == "depends" and name in interacting(claim))


def _consistent(
    claims: Iterable[Claim], words: Mapping[str, str]
) -> tuple[tuple[Claim, ...], dict[str, str]]:
    """Claims and words without averages of changes that another look found to depend on others."""
    claims = tuple(claims)
    terms = [claim for claim in claims if claim.kind == "depends"]
    blocked = depending(claims)
    sure = {name for claim in terms if len(claim.scope.terms) <= 1 for name in interacting(claim)}
    dropped = {claim.subject for claim in claims if averaged(claim) and claim.subject in blocked}
    kept = tuple(claim for claim in claims if not (averaged(claim) and claim.subject in dropped))
    return kept, {**words, **{name: "depends" if name in sure else OPEN for name in dropped}}


def _judgement(
    found: Found, claims: tuple[Claim, ...], words: Mapping[str, str], look: int | None
) -> Judgement:
    """What is claimed, with the numbers and levels of the last look."""
    spending = found.look.spending
    return Judgement(
        claims,
        words,
        found.numbers,
        spending.nominal(found.look.level),
        spending.nominal(ERROR),
        look,
    )
