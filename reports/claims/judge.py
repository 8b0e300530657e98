"""Claims about each change from the trials of a study, with one budget of error for all claims.

The levels and their measured error rates are in docs/statistics.md. `benchmarks.claims` measures
the rate of false claims with the same function.
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
    """Return what may be claimed of a study's trials by its rule.

    Args:
        trials: Values in which + is worse (see `Rule.worse`), on the scale of the rule.
        design: What can be compared.
        rule: The study's rule.
        look: Index of the planned look at whose levels all seeds are judged at once; None to judge
            look by look, as the looks were reached.
    """
    if not rule.looks or look is not None:
        spending = Spending() if look is None else Spending(rule.looks, max(look, 0), rule.spend)
        result = judge_once(Look(trials, design, rule, spending), {})
        judgement = _judgement(result, result.claims, result.words, None)
    else:
        judgement = _over_looks(trials, design, rule)
    check(judgement.claims)
    return judgement


def _over_looks(trials: Trials, design: Design, rule: Rule) -> Judgement:
    """Judge at each look that was reached.

    A verdict stays unless a later look reaches another verdict.
    """
    reached = [n for n in rule.looks if n <= len(trials.seeds) and not trials.open[:n].any()]
    words: dict[str, str] = dict.fromkeys(design.changes, OPEN)
    claims_of: dict[str, tuple[Claim, ...]] = {}
    result = judge_once(Look(trials, design, rule, Spending(rule.looks, 0, rule.spend)), {})
    for at, seeds in enumerate(reached):
        spending = Spending(rule.looks, at, rule.spend)

        # Later looks don't test equivalent changes again; those keep the p that was found first.
        before = (
            claim
            for claims in claims_of.values()
            for claim in claims
            if claim.kind == claim.word == "equivalent"
        )
        equivalent = {
            c.subject: c.p_adjusted
            for c in before
            if not c.gate and words[c.subject] == "equivalent"
        }
        result = judge_once(Look(trials.first(seeds), design, rule, spending), equivalent)

        for name, word in result.words.items():
            # Arms that were stopped have no new data, so their verdict can't change.
            if words[name] == OPEN or (word != OPEN and result.look.grew(name)):
                words[name] = word
                claims_of[name] = tuple(
                    replace(c, look=seeds) for c in result.claims if _about(c, name)
                )

    claims = {claim.id: claim for owned in claims_of.values() for claim in owned}
    return _judgement(result, *_consistent(claims.values(), words), reached[-1] if reached else 0)


def _about(claim: Claim, name: str) -> bool:
    """Return whether a claim is about a change, or about an interaction of that change."""
    return claim.subject == name or (claim.kind == "depends" and name in interacting(claim))


def _consistent(
    claims: Iterable[Claim], words: Mapping[str, str]
) -> tuple[tuple[Claim, ...], dict[str, str]]:
    """Drop averages of changes that another look found to depend on others."""
    claims = tuple(claims)
    terms = [claim for claim in claims if claim.kind == "depends"]

    # An interaction with aliases may be one of other factors, so it establishes no dependence.
    blocked = depending(claims)
    sure = {name for claim in terms if len(claim.scope.terms) <= 1 for name in interacting(claim)}

    dropped = {claim.subject for claim in claims if averaged(claim) and claim.subject in blocked}
    rest = tuple(claim for claim in claims if not (averaged(claim) and claim.subject in dropped))
    return rest, {**words, **{name: "depends" if name in sure else OPEN for name in dropped}}


def _judgement(
    result: Found, claims: tuple[Claim, ...], words: Mapping[str, str], look: int | None
) -> Judgement:
    """Return what is claimed, with the numbers and levels of the last look."""
    spending = result.look.spending
    return Judgement(
        claims,
        words,
        result.numbers,
        spending.nominal(result.look.level),
        spending.nominal(ERROR),
        look,
    )
