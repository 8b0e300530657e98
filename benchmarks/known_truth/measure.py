"""The simulation: draw studies of a kind, judge them as a report does, and count false claims."""

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
"""Number of studies that share a stream of random numbers.

The streams make a table independent of the number of processes.
"""


@dataclass(frozen=True)
class Task:
    """A chunk of the studies of a kind.

    Attributes:
        kind: the kind.
        seeds: number of seeds of a study.
        sd: standard deviation of a trial's noise, in margins.
        chunk: number of the chunk.
        studies: number of studies in the chunk.
        seed: fixes all random numbers of the table.
    """

    kind: Kind
    seeds: int
    sd: float
    chunk: int
    studies: int
    seed: int

    def rng(self) -> np.random.Generator:
        """Return the chunk's random numbers, which don't depend on the rest of the table."""
        name = zlib.crc32(self.kind.name.encode())
        return np.random.default_rng(
            [self.seed, name, self.seeds, round(1000 * self.sd), self.chunk]
        )


@dataclass(frozen=True)
class Study:
    """A study at its end.

    Attributes:
        judgement: what is claimed.
        seeds: number of seeds it used.
        trials: number of trials it used.
    """

    judgement: Judgement
    seeds: int
    trials: int


def rule_of(kind: Kind, margin: float) -> Rule:
    """Return the rule that a study of this kind fixed."""
    return Rule("lower", margin, looks=kind.looks, spend=kind.spend, peeked=kind.peek)


def run(kind: Kind, world: World, trials: Trials) -> Study:
    """Judge a study as the product does: at its end, look by look, or seed by seed.

    Args:
        kind: the kind of the study.
        world: the world that its trials were drawn from.
        trials: all trials that the study could use.
    """
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
    """Judge a study at its looks, and stop it when everything is decided.

    The arms of a decided change stop earlier, where no other change needs them.
    """
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
    """Return the number of trials that finished or diverged."""
    return int((np.isfinite(trials.values) | trials.diverged).sum())


def family(claim: Claim) -> str:
    """Return the column of the table in which a claim is counted."""
    if claim.kind in ("diverges", "composite", "depends", "one_sided", "idle"):
        return claim.kind
    if claim.family == "conditional":
        return "conditional"
    return f"{claim.kind} on average" if claim.word.endswith("on average") else claim.kind


def shown(checker: Checker, judgement: Judgement) -> list[tuple[float, float, float]]:
    """Return lower end, upper end, and true value of every effect that a report shows.

    The effects count whatever is claimed about them. Where settings are left out, an effect is
    about the remaining settings, which only a claim names. There, the intervals are those of claims
    about a change's own effect.
    """
    world = checker.world
    if world.diverging or world.missing == 1:
        effects = [(c.low, c.high, checker.contrast(c)) for c in judgement.claims if is_average(c)]
    else:
        effects = [(n.low, n.high, checker.average(name)) for name, n in judgement.numbers.items()]
    return [ends for ends in effects if np.isfinite(ends).all()]


def is_average(claim: Claim) -> bool:
    """Check whether a claim has the interval of a change's own effect.

    Other claims are there because something was found.
    """
    own = (
        claim.kind in ("direction", "equivalent", "one_sided", "undecided")
        and claim.family != "conditional"
    )
    return own and "diverged" not in claim.caveats


def said(judgement: Judgement, factor: str) -> str:
    """Return the verdict on a factor; `depends` is divided by its conditional verdicts."""
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
    """Return the sums over the studies of a task, by the names that `table.Row` reads."""
    kind, sums, rng = task.kind, Counter[str](), task.rng()
    world = kind.world(task.sd)
    checker = Checker(world)
    for _ in range(task.studies):
        trials = world.draw(rng, task.seeds)
        sums["studies"] += 1
        try:
            _count(sums, checker, run(kind, world, trials))
        # A crash is a failure of the rule; it must not end the whole table.
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

    intervals = shown(checker, judgement)
    count_coverage(sums, intervals)
    sums["nominal"] += len(intervals) * (1 - judgement.alpha)


def _backed(judgement: Judgement, name: str) -> bool:
    """Check whether a verdict's word is that of a claim."""
    word = judgement.verdicts[name]
    if word == "depends":
        return any(c.kind == "depends" and name in c.subject.split(" × ") for c in judgement.claims)
    if word == OPEN:
        return True
    return any(c.subject == name and c.word == word and not c.gate for c in judgement.claims)


def count_coverage(sums: Counter[str], intervals: Sequence[tuple[float, float, float]]) -> None:
    """Add intervals, with the sums from which `table.ratio` computes the error of coverage."""
    many = len(intervals)
    hit = sum(low - 1e-9 <= true <= high + 1e-9 for low, high, true in intervals)
    sums["shown"] += many
    sums["covered"] += hit
    sums["shown²"] += many**2
    sums["covered²"] += hit**2
    sums["covered × shown"] += hit * many


def _count_earlier(sums: Counter[str], kind: Kind, world: World, trials: Trials) -> None:
    """Add the verdicts of the earlier rule on the same trials."""
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
