"""From judged runs to a planned study: the study file that would settle what is still open."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.judging.columns import number
from ablate.planning.load import load_study
from ablate.reading.yaml_text import Plain, dumped
from ablate.study.nouns import StudyError
from g2g_base import atomic
from reports import StudyView, load_results, open_study
from reports.words.next import fold_over

OPEN = "not enough data"
MOST_SEEDS = 100
"""Limit for the seeds of the study; who needs more should ask for larger effects."""
FEWEST_SEEDS = 3


def write_continued(folder: Path, path: Path, command: str) -> list[str]:
    """Write a study file that settles what judged runs left open.

    Its seeds are fresh, so that nothing that was seen decides again. Factors with a verdict stay at
    their first level. Combinations of levels that had no run are among its arms.

    Args:
        folder: the study's folder of the judged runs.
        path: the study file to write.
        command: the program that makes a run, with `{seed}` and the names of factors in braces.

    Returns:
        What the study is going to settle.

    Raises:
        StudyError: everything is decided, or the command can't be the study's trainer.
    """
    view = open_study(load_results(folder))
    open_, why = _open(view)
    if not open_:
        raise StudyError(f"{folder}: nothing is open: every factor has its verdict")
    missing = [name for name in open_ if f"{{{name}}}" not in command]
    if missing or "{seed}" not in command:
        names = " and ".join(
            f"{{{name}}}" for name in [*missing, *([] if "{seed}" in command else ["seed"])]
        )
        raise StudyError(
            f"--continue: {command}: has no {names}, so its runs would not differ in it"
        )

    before = path.read_bytes() if path.exists() else None
    atomic.write_text(path, dumped(_study(view, open_, command)))
    try:
        load_study(path)
    except StudyError:
        if before is None:
            path.unlink()
        else:
            atomic.write_bytes(path, before)
        raise
    return why


def _open(view: StudyView) -> tuple[list[str], list[str]]:
    """Return the factors that have no verdict yet or act in arms without runs, and why each."""
    verdicts = view.analysis.judgement.verdicts
    reasons: dict[str, str] = {}
    for name in view.factors if fold_over(view) else ():
        reasons[name] = "effects that the fraction can't distinguish"
    for levels in view.judged.get("absent_arms", ()):
        for factor, level in levels.items():
            if level != view.first(factor):
                reasons[factor] = "combinations without runs"
    for name, word in verdicts.items():
        if word == OPEN:
            reasons[view.split(name)[0]] = "more seeds"
    for name in view.analysis.uncompared:
        reasons[view.split(name)[0]] = "arms that differ in it alone"
    return (
        [name for name in view.factors if name in reasons],
        [f"{name}: {reasons[name]}" for name in view.factors if name in reasons],
    )


def _study(view: StudyView, open_: list[str], command: str) -> dict[str, Any]:
    """Return the content of the study file."""
    outcome = {
        key: value
        for key, value in view.study["outcome"].items()
        if key in ("metric", "better", "smallest_effect", "scale", "also") and value is not None
    }
    used = [int(seed) for seed in view.seeds]
    start = max(used) + 1
    return {
        "name": f"{view.study['name']}-continued"[:64],
        "question": f"What judging {view.study['name']} left open",
        "trainer": {"command": command},
        "base": {name: _value(view.first(name)) for name in view.factors},
        "factors": {
            name: {
                "path": name,
                "levels": {level: _value(level) for level in _levels(view.factors[name])},
            }
            for name in open_
        },
        "seeds": list(range(start, start + _seeds(view, len(used)))),
        "outcome": outcome,
    }


def _levels(factor: Mapping[str, Any]) -> list[str]:
    """Return the levels of a factor, the first one first."""
    return [str(level) for level in factor["levels"]]


def _value(level: str) -> Any:
    """Return a level as a value of the file: numbers as the source has them, other text quoted."""
    return Plain(level) if (value := number(level)) is not None and math.isfinite(value) else level


def _seeds(view: StudyView, used: int) -> int:
    """Return how many seeds show the smallest effect that matters in 8 of 10 studies."""
    wanted = [
        float(str(row["seeds_needed"]))
        for row in view.analysis.checks.to_dict("records")
        if row["verdict"] == OPEN and number(str(row["seeds_needed"])) is not None
    ]
    known = [value for value in wanted if math.isfinite(value)]
    return min(MOST_SEEDS, max(FEWEST_SEEDS, used, *(math.ceil(value) for value in known)))
