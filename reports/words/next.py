"""What to run next: the study that would settle what is undecided."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.analysis.cells import OPEN
from reports.claims.claim import Claim
from reports.claims.design import Levels
from reports.page.blocks import Rich, Span, code, joined, rich, spaced, strong
from reports.page.numbers import count
from reports.view.patches import changing, levels_of, raised
from reports.view.study import StudyView
from reports.words.estimates import number
from reports.words.facts import blocked, interim, progress, seeds_with_results
from reports.words.judged import judge_again
from reports.words.names import started, subjects
from reports.words.networks import next_replicate
from reports.words.picked import confirm_next
from reports.words.scale_advice import scale_words
from reports.words.units import unit, units

CURES = {"losses.": "a smaller weight", "lr_": "a smaller learning rate"}
"""What to try where trials diverge, by the start of a path that a level raises."""
FOLD_OVER = "fold-over.yaml"
"""The study file in the report's folder with cells that separate what a fraction aliases."""


def _narrower(view: StudyView) -> Rich:
    """Return the advice after a plan that has ended, where an earlier one had more trials."""
    return rich(
        strong("Next:"),
        f" run the whole study: an earlier plan of it has {count(progress(view).trials, 'trial')}, "
        f"this one {len(view.table.trials)}. If the others are no longer of interest, run this "
        "plan under another name.",
    )


def next_experiment(view: StudyView) -> Rich:
    """Return the advice on what to run next to decide what is undecided."""
    if interim(view):
        if view.judged:
            return judge_again()
        if not view.looks and not view.table.trials["status"].isin(OPEN).any():
            return _narrower(view)
        return rich(
            strong("Next:"), " run the same command again; it runs the trials that are missing."
        )
    if not (view.table.trials["status"] == "finished").any():
        return _nothing_finished(view)
    if not view.analysis.cells.values:
        return rich(
            strong("Next:"),
            " find out why no finished trial has a value of ",
            code(view.metric),
            ".",
        )

    parts = [*_separate(view), *_diverged(view), *_seeds(view)]

    idle = [claim.subject for claim in view.analysis.claims if claim.kind == "idle"]
    if not parts and idle:
        why = rich("find out why ", subjects(view, idle), " did nothing: ")
        parts.append(rich(why, "the levels may not reach the training run."))

    if not parts:
        moved = any(claim.kind == "direction" for claim in view.analysis.claims)
        parts = [(confirm_next(view) if moved else None) or _elsewhere(view)]

    if scale := scale_words(view):
        parts.append(scale)

    first, *more = parts
    return rich(strong("Next:"), " ", spaced([first, *map(started, more)]))


def _nothing_finished(view: StudyView) -> Rich:
    """Return the advice for a study in which no trial finished."""
    if (view.table.trials["status"] == "diverged").all():
        moves = [(f, view.first(f), level) for arm in view.arms for f, level in arm.levels.items()]
        return rich(strong("Next:"), f" every trial diverged; try {_remedy(view, moves)}.")
    return rich(
        strong("Next:"),
        " find out why no trial finished, then "
        f"{'judge' if view.judged else 'run the same command'} again.",
    )


def _separate(view: StudyView) -> list[Rich]:
    """Return the advice to run the fold-over of a fraction that left an effect aliased."""
    cells = fold_over(view)
    if not cells:
        return []

    turned = _turned(view, _aliased(view))

    if len(turned) == len(view.factors):
        what = rich("tell main effects from pairs of factors.")
    else:
        what = rich(
            "tell the pairs with ",
            joined([code(name) for name in turned]),
            " from the others of their groups.",
        )
    return [
        rich("run ", code(f"report/{FOLD_OVER}"), f": its {count(len(cells), 'new arm')} ", what)
    ]


def fold_over(view: StudyView) -> list[Levels]:
    """Return the cells that separate the alias groups that act; empty where no such group does.

    To separate pairs of factors, the cells turn the signs of one factor. To separate main effects
    from pairs, they turn the signs of all factors.
    """
    design = view.analysis.cells.design
    aliased = _aliased(view)
    if not design.fraction or not aliased:
        return []

    turned = _turned(view, aliased)
    existing = {tuple(levels[f] for f in design.factors) for _, levels in design.settings}

    cells: list[Levels] = []
    for _, levels in design.settings:
        other = {
            f: _other(design.factors[f], level) if f in turned else level
            for f, level in levels.items()
        }
        if tuple(other[f] for f in design.factors) not in existing:
            cells.append(other)
    return cells


def _aliased(view: StudyView) -> list[Claim]:
    """Return the claims about effects that the design can't attribute to one term."""
    acting = (claim for claim in view.analysis.claims if claim.kind in ("direction", "depends"))
    return [
        claim
        for claim in acting
        if claim.scope.type == "alias_group" and len(claim.scope.terms) > 1
    ]


def _turned(view: StudyView, aliased: Sequence[Claim]) -> tuple[str, ...]:
    """Return the factors whose signs the new cells turn.

    These are all factors, or the first factor of the largest group of pairs.
    """
    if any(claim.kind == "direction" for claim in aliased):
        return tuple(view.factors)
    largest = max(aliased, key=lambda claim: abs(claim.estimate))
    return (view.split(largest.scope.terms[0].split(" × ")[0])[0],)


def _other(levels: tuple[str, ...], level: str) -> str:
    """Return the other one of two levels."""
    return levels[1] if level == levels[0] else levels[0]


def _diverged(view: StudyView) -> list[Rich]:
    """Return what might help where trials diverge."""
    claims = [claim for claim in view.analysis.claims if claim.kind == "diverges"]
    places: dict[str, list[Span]] = {}
    for claim in claims:
        before = (
            claim.against if claim.against in levels_of(view.study, claim.factor) else claim.level
        )
        cure = _remedy(view, [(claim.factor, before, claim.level)])
        place = code(f"{claim.factor}={claim.level}")
        if place not in places.setdefault(cure, []):
            places[cure].append(place)

    tried = [rich("try ", cure, " at ", joined(where)) for cure, where in places.items()]
    if tried:
        those = "that level" if sum(map(len, places.values())) == 1 else "those levels"
        more = "; more seeds do not help where trials diverge."
        return [rich(joined(tried), f", or leave out {those}{more}"), *_lost_arms(view)]
    return _lost_arms(view)


def _lost_arms(view: StudyView) -> list[Rich]:
    """Return what might help in arms of which every trial diverged.

    Arms with a level that is known to be the reason are left out.
    """
    claims = [claim for claim in view.analysis.claims if claim.kind == "diverges"]
    blamed = [(claim.factor, claim.level) for claim in claims]

    status = view.table.trials.groupby("cell_id")["status"]
    lost = {str(cell) for cell, part in status if len(part) > 1 and (part == "diverged").all()}
    arms = [arm for arm in view.arms if arm.cell_id in lost]
    arms = [
        arm
        for arm in arms
        if not any(level in view.levels_of(arm, factor) for factor, level in blamed)
    ]
    if not arms or len(lost) == len(view.arms):
        return []

    moves = [(f, view.first(f), level) for arm in arms for f, level in arm.levels.items()]
    which = "that arm" if len(arms) == 1 else "those arms"
    return [
        rich(
            f"try {_remedy(view, moves)} in ",
            joined([code(arm.label) for arm in arms]),
            f", or leave out {which}.",
        )
    ]


def _remedy(view: StudyView, moves: Iterable[tuple[str, str, str]]) -> str:
    """Return what to change where trials diverge.

    Args:
        view: the study.
        moves: factors with the levels that they move from and to.
    """
    paths = {
        path
        for factor, before, level in moves
        for path in raised(view.study, factor, before, level)
    }

    remedies = [
        words for start, words in CURES.items() if any(path.startswith(start) for path in paths)
    ]
    return " or ".join(remedies) or "other settings"


def _seeds(view: StudyView) -> list[Rich]:
    """Return how many seeds would decide what is undecided."""
    words, numbers = view.analysis.judgement.verdicts, view.analysis.judgement.numbers
    done = blocked(view) | set(view.analysis.uncompared)
    open_ = [name for name, word in words.items() if word == "not enough data" and name not in done]

    lost = [
        name for name in open_ if math.isnan(numbers[name].estimate) and _has_diverged(view, name)
    ]
    rest = [name for name in open_ if name not in lost]

    rows = [row for row in view.analysis.checks.to_dict("records") if row["factor"] in rest]
    seeds = units(view)
    parts = [needed(view, rest, rows)] if rest else []

    if lost:
        verb = "makes" if len(lost) == 1 else "make"
        parts.append(
            rich(
                f"use more than {seeds} to see whether ",
                subjects(view, lost),
                f" {verb} trials diverge.",
            )
        )
    return parts


def _has_diverged(view: StudyView, name: str) -> bool:
    """Return whether a trial diverged in an arm that a change is measured in."""
    term = next(term for term in view.analysis.cells.design.mains if term.name == name)
    cells = {cell for block in term.blocks for cell in block.cells} or set(range(len(view.arms)))
    return bool(view.analysis.cells.trials.diverged[:, sorted(cells)].any())


def needed(view: StudyView, names: list[str], rows: Sequence[Mapping[Any, Any]]) -> Rich:
    """Return how many seeds, or networks, these factors need.

    Example: `for a, use about 19 seeds (12 to 49: ...). They would show an effect of 0.010 in 8 of
    10 such studies.`

    Args:
        view: the study.
        names: the undecided factors or levels.
        rows: their rows of `checks`.
    """
    n = seeds_with_results(view)
    known = [
        (float(str(row["seeds_needed"])), row)
        for row in rows
        if number(row["seeds_needed"]) is not None
    ]
    if not view.margin or not known or max(wanted for wanted, _ in known) <= n:
        little = f" Three {unit(view)}s or fewer say too little about the spread to plan with."
        few = little if n < 4 else ""
        more = next_replicate(view, names)
        return rich(
            *("for ", subjects(view, names), f", use more than {units(view, n)}.{few}"),
            *((" ", more) if more else ()),
        )

    # The change that needs most seeds decides, so that all of them get a verdict.
    wanted, row = max(known, key=lambda entry: entry[0])
    low, high = number(row["seeds_low"]), number(row["seeds_high"])
    most = "more than 1,000" if high is None else f"{high:,.0f}"
    span = (
        f" ({low:,.0f} to {most}: {units(view, n)} tell the spread only that well)"
        if low is not None
        else ""
    )
    more = next_replicate(view, names)
    return rich(
        *("for ", subjects(view, names), f", use about {wanted:,.0f} {unit(view)}s{span}. "),
        f"They would show an effect of {view.margin_words} in 8 of 10 such studies.",
        *((" ", more) if more else ()),
    )


def _elsewhere(view: StudyView) -> Rich:
    """Return the advice to repeat the study with what it did not vary."""
    data = not (changing(view.study, "dataset") or changing(view.study, "data"))
    steps = not changing(view.study, "steps")
    where = " and ".join(
        word for word, true in (("on other data", data), ("for more steps", steps)) if true
    )
    return rich(f"repeat the study {where or 'elsewhere'} to see whether the answer holds.")
