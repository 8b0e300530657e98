"""Draws studies of a kind, judges them as a report does, and counts what is false."""

import traceback
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.known_truth import earlier_rule
from benchmarks.known_truth.checker import Checker
from benchmarks.known_truth.kinds import Kind
from benchmarks.known_truth.world import World
from reports.claims.claim import Claim
from reports.claims.estimates import Trials
from reports.claims.judge import judge
from reports.claims.rule import OPEN, Judgement, Rule

FIRST_PEEK = 3
CHUNK = 50
"""Studies that share a stream of random numbers, so that a table does not depend on the number of
processes."""


@dataclass(frozen=True)
class Task:
    """A chunk of the studies of a kind."""

    kind: Kind
    seeds: int
    sd: float
    chunk: int
    studies: int
    seed: int

    def rng(self) -> np.random.Generator:
        """Its own random numbers, whatever else is in the table."""
        name = zlib.crc32(self.kind.name.encode())
        return np.random.default_rng(
            [self.seed, name, self.seeds, round(1000 * self.sd), self.chunk]
        )


@dataclass(frozen=True)
class Study:
    """A study as it ended: what is claimed, from which trials."""

    judgement: Judgement
    seeds: int
    trials: int


def rule_of(kind: Kind, margin: float) -> Rule:
    """The rule that a study of this kind fixed."""
    return Rule("lower", margin, looks=kind.looks, spend=kind.spend, peeked=kind.peek)


def run(kind: Kind, world: World, trials: Trials) -> Study:
    """Judge a study as the product does: at its end, look by look, or seed by seed."""
    rule = rule_of(kind, world.margin)
    if kind.looks:
        return _look_by_look(world, trials, rule)
    if kind.peek:
        for n in range(FIRST_PEEK, len(trials.seeds) + 1):
            judgement = judge(trials.first(n), world.design, rule)
            if any(word != OPEN for word in judgement.verdicts.values()):
                break
        return Study(judgement, n, n * len(world.design.cells))
    return Study(judge(trials, world.design, rule), len(trials.seeds), _ended(trials))


def _look_by_look(world: World, trials: Trials, rule: Rule) -> Study:
    """Stop when all is decided; the arms of a decided change stop before where no other change
    needs them."""
    values, diverged = trials.values.copy(), trials.diverged.copy()
    for n in rule.looks:
        now = replace(trials, values=values, diverged=diverged).first(n)
        judgement = judge(now, world.design, rule)
        open_ = {name for name, word in judgement.verdicts.items() if word == OPEN}
        if not open_:
            break
        if world.design.alone:
            needed = {
                cell
                for term in world.design.compared
                if term.name in open_
                for b in term.blocks
                for cell in b.cells
            }
            stopped = [cell for cell in range(len(world.design.cells)) if cell not in needed]
            values[n:, stopped], diverged[n:, stopped] = np.nan, False
    return Study(judgement, n, _ended(now))


def _ended(trials: Trials) -> int:
    """Trials that finished or diverged."""
    return int((np.isfinite(trials.values) | trials.diverged).sum())


def family(claim: Claim) -> str:
    """The column of the table that a claim is counted in."""
    if claim.kind in ("diverges", "composite", "depends", "one_sided", "idle"):
        return claim.kind
    if claim.family == "conditional":
        return "conditional"
    return f"{claim.kind} on average" if claim.word.endswith("on average") else claim.kind


def shown(checker: Checker, judgement: Judgement) -> list[tuple[float, float, float]]:
    """Lower end, upper end and true value of every effect that a report shows, whatever is claimed
    of it.

    Where settings are left out, an effect is of those that remain, which only a claim names: there
    the intervals are those of claims about a change's own effect.
    """
    world = checker.world
    if world.diverging or world.missing == 1:
        found = [(c.low, c.high, checker.contrast(c)) for c in judgement.claims if is_average(c)]
    else:
        found = [(n.low, n.high, checker.average(name)) for name, n in judgement.numbers.items()]
    return [ends for ends in found if np.isfinite(ends).all()]


def is_average(claim: Claim) -> bool:
    """Whether a claim has the interval of a change's own effect; others are there because they were
    found."""
    own = (
        claim.kind in ("direction", "equivalent", "one_sided", "undecided")
        and claim.family != "conditional"
    )
    return own and "diverged" not in claim.caveats


def said(judgement: Judgement, factor: str) -> str:
    """What is said of a factor, `depends` told apart by its conditional verdicts."""
    word = judgement.verdicts[factor]
    if word != "depends":
        return word
    own = [c for c in judgement.claims if c.gate and c.subject == factor]
    for gate in {claim.gate for claim in own}:
        words = {claim.word for claim in own if claim.gate == gate}
        if {"harms", "helps"} <= words:
            return "depends: reversal"
    for gate in {claim.gate for claim in own}:
        words = {claim.word for claim in own if claim.gate == gate}
        if "equivalent" in words and words & {"harms", "helps"}:
            return "depends: conditional"
    return "depends: differs"


def tally(task: Task) -> Counter[str]:
    """Sums over the studies of a task; the names are those of `table.COLUMNS`."""
    kind, sums, rng = task.kind, Counter[str](), task.rng()
    world = kind.world(task.sd)
    checker = Checker(world)
    for _ in range(task.studies):
        trials = world.draw(rng, task.seeds)
        sums["studies"] += 1
        try:
            _count(sums, checker, run(kind, world, trials))
        except Exception:
            sums["crashed"] += 1
            sums[f"crash: {traceback.format_exc(limit=-1).strip().splitlines()[-1]}"] += 1
        _count_earlier(sums, kind, world, trials)
    return sums


def _count(sums: Counter[str], checker: Checker, study: Study) -> None:
    """Add what a study claims."""
    judgement = study.judgement
    wrong = {family(claim) for claim in judgement.claims if checker.false(claim)}
    for name in wrong:
        sums[f"false {name}"] += 1
    sums["false mean"] += bool(wrong - {"diverges"})
    sums["false diverges"] += 0
    for name in {family(claim) for claim in judgement.claims}:
        sums[f"claimed {name}"] += 1
    sums["changes"] += len(judgement.verdicts)
    sums["open"] += sum(word == OPEN for word in judgement.verdicts.values())
    sums["all decided"] += OPEN not in judgement.verdicts.values()
    sums["unbacked"] += any(not _backed(judgement, name) for name in judgement.verdicts)
    for name in judgement.verdicts:
        sums[f"{name} is {said(judgement, name)}"] += 1
    sums["seeds used"] += study.seeds
    sums["trials used"] += study.trials
    found = shown(checker, judgement)
    _count_coverage(sums, found)
    sums["nominal"] += len(found) * (1 - judgement.alpha)


def _backed(judgement: Judgement, name: str) -> bool:
    """Whether a verdict's word is that of a claim."""
    word = judgement.verdicts[name]
    if word == "depends":
        return any(c.kind == "depends" and name in c.subject.split(" × ") for c in judgement.claims)
    if word == OPEN:
        return True
    return any(c.subject == name and c.word == word and not c.gate for c in judgement.claims)


def _count_coverage(sums: Counter[str], found: Sequence[tuple[float, float, float]]) -> None:
    """Add intervals, with the sums that the error of a ratio needs, as those of a study belong
    together."""
    hit, many = sum(low - 1e-9 <= true <= high + 1e-9 for low, high, true in found), len(found)
    sums["shown"] += many
    sums["covered"] += hit
    sums["shown²"] += many**2
    sums["covered²"] += hit**2
    sums["covered × shown"] += hit * many


def _count_earlier(sums: Counter[str], kind: Kind, world: World, trials: Trials) -> None:
    """Add what the earlier rule said of the same trials."""
    alpha = earlier_rule.level(kind.looks, len(world.design.compared))
    stops = kind.looks or (
        tuple(range(FIRST_PEEK, len(trials.seeds) + 1)) if kind.peek else (len(trials.seeds),)
    )
    for n in stops:
        words = earlier_rule.words(trials.first(n), world.design, world.margin, alpha)
        decided = [word != earlier_rule.OPEN for word in words.values()]
        if all(decided) or (kind.peek and any(decided)):
            break
    sums["earlier false"] += earlier_rule.false(words, world)
    sums["earlier open"] += len(words) - sum(decided)
    sums["earlier seeds"] += n
    sums["earlier trials"] += _ended(trials.first(n))
