"""What to run next: the experiment that would settle what is open."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.claims.claim import Claim
from reports.claims.design import Levels
from reports.document import Rich, Span, code, joined, rich, strong
from reports.estimates import number
from reports.numbers import count
from reports.patches import changing, levels_of, raised
from reports.view import StudyView
from reports.words.facts import interim
from reports.words.names import listed, subjects

CURES = {"losses.": "a smaller weight", "lr_": "a smaller learning rate"}
"""Start of a path that a level raises -> what to try where trials diverge."""
FOLD_OVER = "fold-over.yaml"
"""The study file with the cells that separate what a fraction cannot tell apart, in the report's folder."""


def next_experiment(view: StudyView) -> Rich:
    """The experiment that would decide what is open."""
    if interim(view):
        return rich(strong("Next:"), " run the same command again; it runs the trials that are missing.")
    if not (view.table.trials["status"] == "finished").any():
        return _nothing_finished(view)
    parts = [*_separate(view), *_diverged(view), *_seeds(view)]
    if not parts and view.analysis.idle:
        which = "the factor that did" if len(view.analysis.idle) == 1 else "the factors that did"
        parts.append(rich(f"find out why {which} nothing: its level may not reach the training run."))
    if not parts:
        parts.append(_elsewhere(view))
    return rich(strong("Next:"), " ", *_then(parts))


def _then(parts: Iterable[Rich]) -> list[str | Rich]:
    out: list[str | Rich] = []
    for part in parts:
        out += [" Then ", part] if out else [part]
    return out


def _nothing_finished(view: StudyView) -> Rich:
    if (view.table.trials["status"] == "diverged").all():
        moves = [(f, view.first(f), level) for arm in view.arms for f, level in arm.levels.items()]
        return rich(strong("Next:"), f" every trial diverged; try {_cure(view, moves)}.")
    return rich(strong("Next:"), " find out why no trial finished, then run the same command again.")


def _separate(view: StudyView) -> list[Rich]:
    """The fold-over of a fraction that found something it cannot tell apart."""
    cells = fold_over(view)
    if not cells:
        return []
    return [
        rich(
            "run ",
            code(f"report/{FOLD_OVER}"),
            f": its {count(len(cells), 'new arm')} separate what this fraction cannot tell apart.",
        )
    ]


def fold_over(view: StudyView) -> list[Levels]:
    """The cells that separate the alias groups of which something is claimed; none where nothing is aliased.

    The signs of one factor are turned when pairs are meant, those of all factors when main effects are aliased with pairs.
    """
    design = view.analysis.cells.design
    aliased = [c for c in view.analysis.claims if c.scope.type == "alias_group" and len(c.scope.terms) > 1]
    if not design.fraction or not aliased:
        return []
    mains = any(c.kind == "direction" for c in aliased)
    turned = set(design.factors) if mains else {_most_named(view, aliased)}
    there = {tuple(levels[f] for f in design.factors) for _, levels in design.settings}
    found: list[Levels] = []
    for _, levels in design.settings:
        other = {f: _other(design.factors[f], level) if f in turned else level for f, level in levels.items()}
        if tuple(other[f] for f in design.factors) not in there:
            found.append(other)
    return found


def _most_named(view: StudyView, claims: list[Claim]) -> str:
    """The factor of the largest group's first pair: turning it splits every group that holds it in one pair only."""
    largest = max(claims, key=lambda claim: abs(claim.estimate))
    return view.split(largest.scope.terms[0].split(" × ")[0])[0]


def _other(levels: tuple[str, ...], level: str) -> str:
    return levels[1] if level == levels[0] else levels[0]


def _diverged(view: StudyView) -> list[Rich]:
    """What might help where trials diverge."""
    claims = [claim for claim in view.analysis.claims if claim.kind == "diverges"]
    if not claims:
        return []
    places: dict[str, list[Span]] = {}
    for claim in claims:
        before = claim.against if claim.against in levels_of(view.study, claim.factor) else claim.level
        cure = _cure(view, [(claim.factor, before, claim.level)])
        places.setdefault(cure, []).append(code(f"{claim.factor}={claim.level}"))
    tried = [rich("try ", cure, " at ", joined(where)) for cure, where in places.items()]
    those = "that level" if len(claims) == 1 else "those levels"
    return [rich(listed(tried), f", or leave out {those}; more seeds do not help where trials diverge.")]


def _cure(view: StudyView, moves: Iterable[tuple[str, str, str]]) -> str:
    """What to change where these factors move from one level to another and trials diverge."""
    paths = {path for factor, before, level in moves for path in raised(view.study, factor, before, level)}
    found = [words for start, words in CURES.items() if any(path.startswith(start) for path in paths)]
    return " or ".join(found) or "other settings"


def _seeds(view: StudyView) -> list[Rich]:
    """How many seeds would decide what is open."""
    words = view.analysis.judgement.verdicts
    blocked = {n for c in view.analysis.claims if c.kind == "depends" for t in c.scope.terms for n in t.split(" × ")}
    open_ = [name for name, word in words.items() if word == "not enough data" and name not in blocked]
    open_ = [name for name in open_ if name not in view.analysis.uncompared]
    if not open_:
        return []
    checks = view.analysis.checks
    rows = [row for row in checks.to_dict("records") if row["factor"] in open_]
    return [needed(view, open_, rows)]


def needed(view: StudyView, names: list[str], rows: Sequence[Mapping[Any, Any]]) -> Rich:
    """`use about 19 seeds (12 to 49) instead of 5 to detect an effect of 0.010 for a`."""
    n = len(view.seeds)
    known = [(float(str(row["seeds_needed"])), row) for row in rows if number(row["seeds_needed"]) is not None]
    if not view.margin or not known or max(wanted for wanted, _ in known) <= n:
        few = " Three seeds or fewer say too little about the spread to plan with." if n < 4 else ""
        return rich(f"use more than {count(n, 'seed')} for ", subjects(view, names), f".{few}")
    wanted, row = max(known, key=lambda entry: entry[0])
    low, high = number(row["seeds_low"]), number(row["seeds_high"])
    most = "more than 1,000" if high is None else f"{high:.0f}"
    span = f" ({low:.0f} to {most}, since {count(n, 'seed')} tell the spread only that well)" if low is not None else ""
    return rich(
        f"use about {wanted:.0f} seeds{span} to show an effect of {view.margin_words} in 8 of 10 such studies, for ",
        subjects(view, names),
        ".",
    )


def _elsewhere(view: StudyView) -> Rich:
    """What was not varied."""
    data = not (changing(view.study, "dataset") or changing(view.study, "data"))
    steps = not changing(view.study, "steps")
    where = " and ".join(word for word, true in (("on other data", data), ("for more steps", steps)) if true)
    return rich(f"repeat the study {where or 'elsewhere'} to see whether the answer holds.")
