"""What is known about a study besides its effects.

This is whether the study is done, when its rule was fixed, and which trials were lost.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.analysis.cells import OPEN, Cells
from reports.claims.claim import depending
from reports.claims.judge import judge
from reports.documents.chain import Damage
from reports.documents.rule import LedgerFacts, Rule, RuleChange
from reports.page.blocks import Rich, code, joined, rich, spaced, strong
from reports.page.numbers import count
from reports.view.study import StudyView
from reports.words.names import subject
from reports.words.units import units

RULE_WORDS = {
    "smallest_effect": "smallest effect that matters",
    "metric": "metric",
    "better": "better direction",
    "summary": "summary of the curve",
    "scale": "scale",
    "degradation": "rule of degradation",
    "looks": "planned looks",
    "spend": "spending over looks",
    "also": "further outcomes",
}
"""Attributes of a rule, as sentences name them."""

DAMAGE_WORDS = {
    "edited": "a line of the ledger was edited",
    "removed": "a line of the ledger is missing",
    "truncated": "the newest lines of the ledger are missing",
    "deleted": "the ledger was deleted",
    "rewritten": "trials ran under a plan that the ledger does not hold",
}
"""Kinds of damage to a ledger, as sentences name them."""


@dataclass(frozen=True)
class Progress:
    """How much of a study is done.

    Attributes:
        seeds_done: number of seeds, or networks, of which every planned trial has ended.
        seeds: number of planned seeds, or networks, including those of later looks.
        ended: number of trials that have an outcome (finished or diverged).
        trials: number of planned trials.
        interim: whether planned trials may still end, and no planned look has stopped the study.
    """

    seeds_done: int
    seeds: int
    ended: int
    trials: int
    interim: bool


def progress(view: StudyView) -> Progress:
    """Return how much of the newest plan of a study is done."""
    table, judgement = view.table, view.analysis.judgement
    trials = table.trials
    open_ = trials["status"].isin(OPEN)
    seen = _units(view, trials["seed"])
    waiting = set(seen[open_])
    done = len(set(seen) - waiting)
    ended = int(trials["status"].isin(("finished", "diverged")).sum())

    # The ledger has the seeds of looks to come, and plans that were registered and have not run.
    seeds, planned = len(set(seen)), len(trials)
    newest = table.ledger.current if table.ledger is not None else None
    if newest is not None:
        seeds = max(seeds, len(newest.seeds) if newest.networks is None else newest.networks)
        planned = max(planned, newest.trials)

    if view.looks:
        whole = view.looks[-1] * len(view.arms) * view.analysis.cells.trials.each
        seeds, planned = max(seeds, view.looks[-1]), max(planned, whole)
        decided = bool(judgement.look) and not view.analysis.waiting
        return Progress(
            done, seeds, ended, planned, bool(waiting) or (done < seeds and not decided)
        )
    return Progress(done, seeds, ended, planned, bool(waiting) or planned > len(trials))


def seeds_with_results(view: StudyView) -> int:
    """Return the number of seeds, or networks, of which some trial has finished or diverged."""
    trials = view.table.trials
    ended = trials["status"].isin(("finished", "diverged"))
    return int(_units(view, trials.loc[ended, "seed"]).nunique())


def _units(view: StudyView, seeds: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the units of seeds: the seeds themselves, or their networks."""
    unit_of = view.analysis.cells.network_of
    return seeds.map(lambda seed: unit_of.get(int(seed), int(seed)))


def blocked(view: StudyView) -> set[str]:
    """Return the factors in established interactions, whose averages are not claimed."""
    return depending(view.analysis.claims)


def unseparated(view: StudyView) -> set[str]:
    """Return the factors of pairs that act but that a fraction can't tell from other pairs."""
    groups = [claim for claim in view.analysis.claims if claim.scope.type == "alias_group"]
    return depending(claim for claim in groups if len(claim.scope.terms) > 1)


def interim(view: StudyView) -> Rich:
    """Say that a study is not done; empty once it is."""
    now = progress(view)
    if not now.interim:
        return ()
    seeds = f"{now.seeds_done} of {units(view, now.seeds)}"
    verb = "is" if now.seeds_done == 1 else "are"
    return rich(
        strong("Interim:"),
        f" {seeds} {verb} done ({now.ended} of {count(now.trials, 'trial')}). Verdicts may change.",
    )


def ledger_of(view: StudyView) -> LedgerFacts | None:
    """Return the ledger's facts; None where the results came without a folder."""
    ledger: LedgerFacts | None = view.table.ledger
    return ledger


def plan_narrowed(view: StudyView) -> Rich:
    """Say that the plan lost arms or seeds after results, or return an empty text."""
    ledger = ledger_of(view)
    narrowed = ledger.narrowed if ledger is not None and ledger.damage is None else None
    if narrowed is None:
        return ()

    before, after = (
        f"{count(plan.cells, 'arm')} and {count(len(plan.seeds), 'seed')} "
        f"({count(plan.trials, 'trial')})"
        for plan in (narrowed.before, narrowed.after)
    )
    ended = f"{count(narrowed.ended, 'trial')} had ended" if narrowed.ended else "trials had begun"
    return rich(
        strong("Plan narrowed:"),
        f" The plan had {before} until {narrowed.date:%Y-%m-%d}, when {ended}; now it has {after}. "
        "If results decided what was dropped, the verdicts may be too favorable or too harsh.",
    )


def rule_changed(view: StudyView) -> Rich:
    """Say that the rule was changed after results, or that the ledger was; else empty."""
    ledger = ledger_of(view)
    if ledger is None:
        return ()

    parts: list[Rich] = []
    if ledger.damage is not None:
        parts.append(_damage(ledger.damage))

    late = [change for change in ledger.rule_changes if change.late]
    if late:
        parts += [_change(change) for change in late]
        parts.append(rich("What follows is exploratory. ", *_by_first_rule(view, late[0])))
    return spaced(parts)


def _damage(damage: Damage) -> Rich:
    """Return how the ledger was changed."""
    line = f" (line {damage.line})" if damage.line else ""
    return rich(
        strong("Ledger changed:"),
        f" {DAMAGE_WORDS[damage.kind]}{line}, so it is not known when the rule was fixed.",
    )


def _change(change: RuleChange) -> Rich:
    """Return how and when the rule was changed.

    Example: `The smallest effect that matters was changed from 0.010 to 0.050 on 2026-11-28, when
    40 of 40 trials had ended.`
    """
    whats = [
        rich(
            f"the {RULE_WORDS.get(one.name, one.name)} from ",
            _value(one.before),
            " to ",
            _value(one.after),
        )
        for one in change.changed
    ]
    when = (
        f" on {change.date:%Y-%m-%d}, "
        f"when {change.ended} of {count(change.trials, 'trial')} had ended."
    )
    return rich(strong("Rule changed:"), " ", joined(whats), when)


def _value(value: Any) -> Rich:
    """Return a value of a rule in words."""
    if isinstance(value, str):
        return rich(code(value))
    if value is None:
        return rich("none")
    if isinstance(value, tuple):
        return rich(", ".join(getattr(item, "metric", str(item)) for item in value) or "none")
    if isinstance(value, float):
        return rich(f"{value:g}")
    return rich(", ".join(f"{key} {item:g}" for key, item in asdict(value).items()))


def _by_first_rule(view: StudyView, change: RuleChange) -> Rich:
    """Return the verdicts of the rule that was fixed first, as far as the tables allow."""
    first = change.before
    words = verdicts_by(view, first)
    if words is None:
        return rich("The verdicts of the first rule can't be computed from these tables.")

    grouped: dict[str, list[str]] = {}
    for name, word in words.items():
        grouped.setdefault(word, []).append(name)
    verdicts = [
        rich(joined([subject(view, n) for n in names]), f": {word}")
        for word, names in grouped.items()
    ]

    start = "By the rule fixed before the runs: " if _was_first(view) else "By the rule before: "
    return rich(start, spaced(verdicts, "; "), ".")


def _was_first(view: StudyView) -> bool:
    """Return whether the ledger shows that its first rule was fixed before any trial."""
    ledger = ledger_of(view)
    first = ledger.first if ledger is not None else None
    return bool(
        first and first.kind != "found" and not first.ended and ledger and ledger.damage is None
    )


def verdicts_by(view: StudyView, rule: Rule) -> dict[str, str] | None:
    """Return the verdicts of another rule; None where its outcome is not in the tables."""
    plan = view.study["outcome"]
    if f"metric.{rule.metric}" not in view.table.trials or rule.summary != plan.get(
        "summary", "last"
    ):
        return None

    outcome = {
        "metric": rule.metric,
        "better": rule.better,
        "smallest_effect": rule.smallest_effect,
        "scale": rule.scale,
        "looks": list(rule.looks),
        "spend": rule.spend,
    }

    cells = Cells.of(view.table, outcome)
    return dict(judge(cells.trials, cells.design, cells.rule).verdicts)


def rule_fixed(view: StudyView) -> str:
    """Return when outcome and rule were fixed, as far as the ledger shows."""
    ledger, plan = ledger_of(view), str(view.study.get("hash", ""))[:12]
    if view.judged:
        return (
            "Outcome and rule are not registered: they were chosen when the runs existed "
            f"already (plan {plan})."
        )

    if ledger is None or (ledger.state == "absent" and ledger.damage is None):
        return f"It is not recorded when outcome and rule were fixed (plan {plan})."

    if ledger.damage is not None:
        return (
            "The ledger was changed, so it is not known when outcome and rule were fixed (plan "
            f"{plan})."
        )

    first = ledger.first
    if first is None or first.kind == "found":
        return (
            "The study began before its ledger, so it is not known when outcome and rule were "
            f"fixed (plan {plan})."
        )

    if ledger.fixed_before_trials:
        how = "registered" if ledger.registered and ledger.registered.in_ledger else "fixed"
        return (
            f"Outcome and rule were {how} before the first trial ({first.date:%Y-%m-%d}, plan "
            f"{plan})."
        )

    late = len(ledger.trials_before_rule)
    if late:
        return (
            f"{count(late, 'trial')} of {len(view.table.trials)} started before today's rule was "
            f"fixed (plan {plan})."
        )
    return f"The rule was changed after results were known (plan {plan})."


def seeds_added(view: StudyView) -> Rich:
    """Say that seeds were added after a look at results, and how that affects the intervals."""
    ledger = ledger_of(view)
    added = [one for one in ledger.seeds_added if one.looks] if ledger is not None else []
    if not added:
        return ()

    seeds = [str(seed) for one in added for seed in one.seeds]
    noun = "Seed" if len(seeds) == 1 else "Seeds"
    verb = "was" if len(seeds) == 1 else "were"
    return rich(
        strong("Seeds added:"),
        f" {noun} {', '.join(seeds)} {verb} added after results had been looked at. Verdicts and "
        "intervals allow for that: they stay valid however often someone looked before adding "
        "seeds. Intervals as if nobody had looked are in the table of verdicts.",
    )


def expectations(view: StudyView) -> Rich:
    """Return what a registration expected and what the result was; empty without one."""
    ledger = ledger_of(view)
    registered = ledger.registered if ledger is not None else None
    if registered is None:
        return ()

    date = f"{registered.date:%Y-%m-%d}"
    if not registered.intact or not registered.in_ledger:
        return rich(
            strong("Registration changed:"),
            f" the registration of {date} is not what the ledger recorded.",
        )

    if not registered.same_plan:
        return rich(
            strong("Registered:"),
            f" a plan was registered on {date}; the plan of this report is another one.",
        )

    if not registered.expected:
        return rich(
            strong("Registered:"), f" plan and rule were registered on {date}, before any result."
        )

    verdicts = view.analysis.judgement.verdicts
    results = []
    for name, word in registered.expected.items():
        verdict = verdicts.get(name)
        end = "as expected" if verdict == word else f"expected {word}"
        results.append(rich(subject(view, name), f" {verdict or 'without a verdict'} ({end})"))
    return rich(
        strong("Registered:"), f" on {date}, with expected verdicts: ", spaced(results, "; "), "."
    )


def lost_trials(view: StudyView) -> Rich:
    """Return how many trials diverged, and in which arms; empty if a level is known to be why."""
    if any(claim.kind == "diverges" for claim in view.analysis.claims):
        return ()

    arms = [
        (arm, row)
        for row in view.analysis.arms.to_dict("records")
        if (arm := view.arm_of.get(str(row["cell_id"])))
    ]
    lost = [
        (arm, int(row["n_diverged"]), int(row["n_diverged"] + row["n_finished"]))
        for arm, row in arms
    ]
    hit = [entry for entry in lost if entry[1]]
    if not hit:
        return ()

    total, ended = sum(many for _, many, _ in lost), sum(of for _, _, of in lost)
    if len(hit) <= 3:
        where = joined(
            [rich(f"{many} of {of} in the arm ", code(arm.label)) for arm, many, of in hit]
        )
        inside = rich(": ", where) if len(lost) > 1 else ()
    else:
        inside = rich(f", in {len(hit)} of {len(lost)} arms")
    reason = " These trials do not show that any one factor is the reason." if view.factors else ""
    return rich(f"{total} of {count(ended, 'trial')} diverged", inside, f".{reason}")


def missing(view: StudyView) -> Rich:
    """Return how many trials failed, and which of the others the effects use."""
    statuses = view.table.trials["status"]
    failed, diverged = (int((statuses == word).sum()) for word in ("failed", "diverged"))
    finished = int((statuses == "finished").sum())
    if not failed or not finished or diverged:
        return ()

    start = f"{finished} of {count(len(statuses), 'trial')} finished"
    used = _used(view)
    if not used:
        return rich(f"{start}; no two of them can be compared.")

    if view.analysis.cells.design.fraction and all(
        n.n == 0 for n in view.analysis.judgement.numbers.values()
    ):
        return rich(
            f"{start}; a fraction can be compared only where each of its arms has a result."
        )

    which = (
        "all of them"
        if used == finished
        else f"the {used} that share a seed with a trial to compare with"
    )
    degrees = [n.df for n in view.analysis.judgement.numbers.values() if math.isfinite(n.df)]
    if not degrees:
        return rich(f"{finished} of {count(len(statuses), 'trial')} finished.")

    whole = all(df == int(df) for df in degrees)
    freedom = (
        ""
        if whole
        else f" (two-way model, {sum(degrees) / len(degrees):.1f} degrees of freedom on average)"
    )
    return rich(f"{start}; effects use {which}{freedom}.")


def _used(view: StudyView) -> int:
    """Return the number of finished trials that the effects use.

    A trial is used if its seed has results in two or more cells of a comparison.
    """
    cells = view.analysis.cells
    known = np.isfinite(cells.trials.values)
    used = np.zeros_like(known)
    for term in cells.design.compared:
        inside = sorted({cell for block in term.blocks for cell in block.cells}) or range(
            known.shape[1]
        )
        results = known[:, list(inside)]
        used[:, list(inside)] |= results & (results.sum(axis=1, keepdims=True) >= 2)
    return int(used.sum())


def status_words(view: StudyView) -> Rich:
    """Return the number of trials by status.

    Example: `8 arms × 5 seeds = 40 trials: 38 finished, 1 diverged, 1 failed`.
    """
    trials = view.table.trials
    counts = trials["status"].value_counts()
    order = ("finished", "diverged", "failed", "interrupted", "running", "planned")
    words = [f"{int(counts[status])} {status}" for status in order if counts.get(status, 0)]

    arms, cells = len(view.arms), view.analysis.cells
    seeds = len(cells.units) * cells.trials.each
    each = f" × {count(cells.trials.each, 'seed')}" if cells.network_of else ""
    start = f"{count(arms, 'arm')} × {units(view)}{each}"
    total = (
        f" = {count(len(trials), 'trial')}"
        if arms * seeds == len(trials)
        else f", {count(len(trials), 'trial')}"
    )
    return rich(strong(start), f"{total}: {', '.join(words)}.")
