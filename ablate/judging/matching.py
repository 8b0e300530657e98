"""Which run is which trial: the arms and seeds of the runs that a source holds."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ablate.judging.columns import (
    PAIRS,
    STATES,
    STEPS,
    alike,
    in_order,
    last,
    named,
    number,
    usual,
    usual_direction,
)
from ablate.judging.question import DUPLICATES, AskedFactor, Question, factor_name
from ablate.reading.problems import did_you_mean
from ablate.study.design import Cell
from ablate.study.found import Curve, Found, FoundRun
from ablate.study.nouns import StudyError
from reports.documents.judged import Differing, JudgedDocument, Place

MOST_LEVELS = 20
"""Limit for the levels of a factor; more are measurements, or names of runs."""
CODE = ("mlflow.source.git.commit", "git_commit", "commit", "git_sha", "sha", "code_version")
DATA = ("data_version", "data_digest", "dataset_digest", "data_hash", "dataset_version", "dataset")
"""Last parts of the names of columns that say which code or data a run used."""
OURS = "metric/"
"""Start of the names of metrics in the stores that studies of this package write."""

Key = tuple[tuple[str, ...], str]
"""The levels of all factors, in their order, and the text of what pairs the run."""


@dataclass(frozen=True)
class Matched:
    """The runs of a source as the trials of a study.

    Attributes:
        question: the question, with nothing left open.
        cells: the arms that have runs, in the order of their levels.
        seeds: text of what pairs runs -> seed.
        runs: place of the arm in `cells`, and seed -> run.
        metrics: name of an outcome -> name of its curve in the source.
        judged: what the report has to tell about the source.
    """

    question: Question
    cells: tuple[Cell, ...]
    seeds: Mapping[str, int]
    runs: Mapping[tuple[int, int], FoundRun]
    metrics: Mapping[str, str]
    judged: JudgedDocument


def match(question: Question, found: Found, references: Mapping[str, str] | None = None) -> Matched:
    """Return the runs of a source as trials.

    Args:
        question: the question.
        found: the runs.
        references: factor -> its first level, which effects are measured from.

    Raises:
        StudyError: a single line says why there is no answer.
    """
    here, left_out = _chosen(question, found)
    question = _outcome(question, here)
    metrics = {_plain(name): name for name in question.metrics}
    question = replace(question, outcome=_renamed(question.outcome))
    question = _factors(_pair(question, here), here, metrics)
    references = references or {}
    if unknown := [name for name in references if name not in question.factors]:
        known = did_you_mean(unknown[0], question.factors)
        raise StudyError(f"--reference {unknown[0]}: no such factor{known}")

    levels = {
        name: _levels(name, factor, here, references.get(name))
        for name, factor in question.factors.items()
    }
    groups, dropped = _groups(question, levels, here)
    left_out.update(dropped)
    if not groups:
        reasons = "; ".join(f"{count} {why}" for why, count in left_out.items())
        raise StudyError(f"{found.place}: no run can be judged: {reasons}")

    used = {name: _used(levels[name], place, groups) for place, name in enumerate(levels)}
    for name, labels in used.items():
        if len(labels) < 2:
            raise StudyError(
                f"factor {name}: is {' '.join(labels)!r} in all {sum(map(len, groups.values()))} "
                "runs that can be judged; a comparison needs two levels"
            )
    question = replace(
        question,
        factors={
            name: AskedFactor(question.factors[name].column, tuple(used[name])) for name in used
        },
    )

    outcome = metrics[question.metric]
    chosen, told = _one_each(question, groups, outcome)
    cells = tuple(
        dict(zip(used, labels, strict=True))
        for labels in product(*used.values())
        if any(key[0] == labels for key in chosen)
    )
    place = {tuple(cell.values()): number for number, cell in enumerate(cells)}
    seeds = _seeds(pair for _, pair in chosen)
    runs = {(place[labels], seeds[pair]): run for (labels, pair), run in chosen.items()}
    _refuse_unpaired(question, runs, cells, seeds)

    ended = [run for run in runs.values() if run.curves.get(outcome)]
    runs = {key: _as_trial(run, question.metric, metrics) for key, run in runs.items()}
    judged: JudgedDocument = {
        "kind": found.kind,
        "source": found.place,
        "pair": question.pair,
        "pairs": {str(seed): text for text, seed in seeds.items() if str(seed) != text},
        "columns": {name: factor.column for name, factor in question.factors.items()},
        "guessed": sorted(question.guessed),
        "runs": len(found.runs),
        "curves": any(len(run.curves[outcome]) > 1 for run in ended),
        "left_out": dict(left_out),
        "absent_arms": [
            dict(zip(used, labels, strict=True))
            for labels in product(*used.values())
            if labels not in place
        ],
        "absent": [
            {"levels": dict(cell), "seed": seed}
            for number, cell in enumerate(cells)
            for seed in sorted(seeds.values())
            if (number, seed) not in runs
        ],
        **told,  # type: ignore[typeddict-item]
        "differing": _differing(question, runs, cells),
    }
    return Matched(question, cells, seeds, runs, metrics, judged)


def _chosen(question: Question, found: Found) -> tuple[list[FoundRun], Counter[str]]:
    """Return the runs that `where` chooses, and why the others are left out."""
    runs, left_out = list(found.runs), Counter[str]()
    for wanted, value in question.where.items():
        column = named(wanted, _columns(runs), "where")
        fits = [run for run in runs if alike(run.values.get(column, "")) == alike(value)]
        if not fits:
            seen = in_order(run.values[column] for run in runs if column in run.values)
            some = ", ".join(seen[:12])
            raise StudyError(f"where {wanted}={value}: no run has it; {column} is one of {some}")
        if len(fits) < len(runs):
            left_out[f"with another {wanted} than {value}"] += len(runs) - len(fits)
        runs = fits
    return runs, left_out


def _outcome(question: Question, runs: Sequence[FoundRun]) -> Question:
    """Return the question with the outcome's name in the source, and its direction."""
    curves = list(dict.fromkeys(name for run in runs for name in run.curves))
    if not question.metric:
        asked = {question.pair, *(factor.column for factor in question.factors.values())}
        likely = [
            name
            for name in curves
            if name not in asked and last(name) not in (*PAIRS, *STEPS) and usual_direction(name)
        ]
        if len(likely) != 1:
            some = f": one of {', '.join((likely or curves)[:12])}" if curves else ""
            raise StudyError(f"--outcome: name the number that decides{some}")
        question = question.guess(outcome={**question.outcome, "metric": likely[0]})

    def resolved(name: str) -> str:
        if not curves:
            raise StudyError(f"outcome {name}: no run recorded any number")
        if f"{OURS}{name}" in curves:
            return f"{OURS}{name}"
        return named(name, curves, "outcome")

    outcome = {**question.outcome, "metric": resolved(question.metric)}
    if outcome.get("also"):
        also = [one if isinstance(one, Mapping) else {"metric": one} for one in outcome["also"]]
        outcome["also"] = [_directed({**one, "metric": resolved(one["metric"])}) for one in also]
    directed = _directed(outcome)
    question = replace(question, outcome=directed)
    guessed = frozenset() if outcome.get("better") else frozenset({"better"})
    return replace(question, guessed=question.guessed | guessed)


def _directed(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome with a direction, guessed by its name if nobody gave it.

    Raises:
        StudyError: the name says nothing about the direction.
    """
    better = outcome.get("better") or usual_direction(outcome["metric"])
    if not better:
        raise StudyError(
            f"outcome {outcome['metric']}: say whether lower or higher is better (--better)"
        )
    return {**outcome, "better": better}


def _plain(name: str) -> str:
    """Return the name of a metric without the start that this package's stores give it."""
    return name.removeprefix(OURS)


def _renamed(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return an outcome with plain names."""
    renamed = {**outcome, "metric": _plain(outcome["metric"])}
    if outcome.get("also"):
        renamed["also"] = [{**one, "metric": _plain(one["metric"])} for one in outcome["also"]]
    return renamed


def _pair(question: Question, runs: Sequence[FoundRun]) -> Question:
    """Return the question with the column that pairs runs.

    Raises:
        StudyError: no column pairs them.
    """
    columns = _columns(runs)
    if question.pair:
        return replace(question, pair=named(question.pair, columns, "pair"))
    pair = usual(PAIRS, columns)
    if not pair:
        some = ", ".join(name for name in columns if not name.startswith("tags."))
        raise StudyError(
            "--pair: nothing pairs the runs: no column is named seed, fold, or the like; name "
            f"what runs to compare have in common: one of {some[:300]}"
        )
    return question.guess(pair=pair)


def _factors(question: Question, runs: Sequence[FoundRun], metrics: Mapping[str, str]) -> Question:
    """Return the question with the columns of its factors; without factors, what varies is one.

    Raises:
        StudyError: a column doesn't exist, is asked for twice, or nothing varies.
    """
    columns = _columns(runs)
    if question.factors:
        factors = {
            name: AskedFactor(named(factor.column, columns, "factor"), factor.levels)
            for name, factor in question.factors.items()
        }
    else:
        varying = [
            column
            for column in _options(question, runs, metrics)
            if 2 <= len({alike(run.values.get(column, "")) for run in runs}) <= len(runs) / 2
            and not _follows(runs, column, question.pair)
        ]
        if not varying:
            raise StudyError("--factors: name what is compared; no column has two levels or more")
        factors = {factor_name(column): AskedFactor(column) for column in varying}
        question = question.guess(factors=factors)

    used = [*(factor.column for factor in factors.values()), question.pair]
    if twice := next((column for column in used if used.count(column) > 1), None):
        raise StudyError(f"{twice}: is asked for twice, as a factor and as the pair or a factor")
    return replace(question, factors=factors)


def _levels(
    name: str, factor: AskedFactor, runs: Sequence[FoundRun], first: str | None
) -> dict[str | float, str]:
    """Return what levels have in common -> label, in the order of the levels.

    Args:
        name: the factor's name.
        factor: its column, and its levels if somebody chose them.
        runs: the runs.
        first: the level to put first; None leaves the order.

    Raises:
        StudyError: there are too many levels, or a wanted one doesn't occur.
    """
    labels: dict[str | float, str] = {}
    for run in runs:
        text = run.values.get(factor.column)
        if text is not None:
            labels.setdefault(alike(text), text)
    for level in (*factor.levels, *([] if first is None else [first])):
        if alike(level) not in labels:
            some = ", ".join(in_order(labels.values())[:12])
            raise StudyError(f"factor {name}: no run has the level {level}; one of {some}")
    if not factor.levels and len(labels) > MOST_LEVELS:
        raise StudyError(
            f"factor {name}: has {len(labels)} levels, more than {MOST_LEVELS}; name those to "
            "compare in judge.yaml"
        )
    chosen = {alike(label): label for label in factor.levels or in_order(labels.values())}
    start = {} if first is None else {alike(first): chosen.get(alike(first), first)}
    return {**start, **chosen}


def _groups(
    question: Question, levels: Mapping[str, Mapping[str | float, str]], runs: Iterable[FoundRun]
) -> tuple[dict[Key, list[FoundRun]], Counter[str]]:
    """Return the runs of each arm and seed, and why others are left out."""
    groups: dict[Key, list[FoundRun]] = {}
    left_out = Counter[str]()
    for run in runs:
        own = []
        for name, factor in question.factors.items():
            text = run.values.get(factor.column)
            label = None if text is None else levels[name].get(alike(text))
            if label is None:
                left_out[f"without {name}" if text is None else f"at other levels of {name}"] += 1
                break
            own.append(label)
        else:
            pair = run.values.get(question.pair)
            if pair is None:
                left_out[f"without {question.pair}"] += 1
            else:
                groups.setdefault((tuple(own), str(_pair_text(pair))), []).append(run)
    return groups, left_out


def _pair_text(text: str) -> str:
    """Return what pairs a run, with whole numbers written in one way: `1`, not `1.0`."""
    value = number(text)
    return text if value is None or not value.is_integer() else str(int(value))


def _used(labels: Mapping[str | float, str], place: int, groups: Iterable[Key]) -> list[str]:
    """Return the levels of a factor that runs have, in the order of the levels."""
    seen = {levels[place] for levels, _ in groups}
    return [label for label in labels.values() if label in seen]


def _one_each(
    question: Question, groups: Mapping[Key, list[FoundRun]], outcome: str
) -> tuple[dict[Key, FoundRun], dict[str, Any]]:
    """Return one run for each arm and seed, and what the report tells about the others.

    Raises:
        StudyError: several runs finished with different values, and nobody said which counts.
    """
    chosen: dict[Key, FoundRun] = {}
    restarted: list[Place] = []
    repeated: list[Place] = []
    for key, runs in groups.items():
        place: Place = {
            "levels": dict(zip(question.factors, key[0], strict=True)),
            "seed": key[1],
            "runs": len(runs),
        }
        done = [run for run in runs if run.status == "finished" and run.curves.get(outcome)]
        if len(done) <= 1:
            if len(runs) > 1:
                restarted.append(place)
            chosen[key] = done[0] if done else runs[-1]
            continue
        repeated.append(place)
        values = [run.last(outcome) for run in done]
        if len({repr(value) for value in values}) == 1 or question.duplicates == "first":
            chosen[key] = done[0]
        elif question.duplicates == "last":
            chosen[key] = done[-1]
        elif question.duplicates == "mean":
            chosen[key] = _mean(done)
        else:
            raise StudyError(_which_counts(question, groups, outcome))
    return chosen, {"restarted": restarted, "repeated": repeated, "taken": question.duplicates}


def _which_counts(question: Question, groups: Mapping[Key, list[FoundRun]], outcome: str) -> str:
    """Return the message about runs of one arm and seed that finished with different values."""
    several = {
        key: done
        for key, runs in groups.items()
        if len(done := [r for r in runs if r.status == "finished" and r.curves.get(outcome)]) > 1
    }
    key, runs = next(iter(several.items()))
    levels = " ".join(
        f"{name}={level}" for name, level in zip(question.factors, key[0], strict=True)
    )
    apart = [
        column
        for column in _options(
            question, [run for own in groups.values() for run in own], {outcome: outcome}
        )
        if all(len({r.values.get(column) for r in own}) > 1 for own in several.values())
    ]
    why = (
        f"they differ in {', '.join(apart[:5])}: make it a factor, or choose by --where"
        if apart
        else f"say which counts (--duplicates {'|'.join(DUPLICATES)})"
    )
    more = f", and so in {len(several) - 1} other places" if len(several) > 1 else ""
    return (
        f"{levels} {question.pair}={key[1]}: {len(runs)} runs finished with different values of "
        f"{_plain(outcome)}{more}; {why}"
    )


def _mean(runs: Sequence[FoundRun]) -> FoundRun:
    """Return the last run with the mean of the last values of all."""
    newest = runs[-1]
    curves: dict[str, Curve] = {}
    for name in newest.curves:
        values = [value for run in runs if (value := run.last(name)) is not None]
        curves[name] = ((newest.curves[name][-1][0], math.fsum(values) / len(values)),)
    return replace(newest, name=f"mean of {len(runs)} runs", curves=curves)


def _seeds(pairs: Iterable[str]) -> dict[str, int]:
    """Return the seed of each text that pairs runs: its own number, or else its place."""
    texts = list(dict.fromkeys(pairs))
    if all(text.isascii() and text.isdigit() and int(text) < 2**31 for text in texts):
        return {text: int(text) for text in sorted(texts, key=int)}
    return {text: place for place, text in enumerate(in_order(texts))}


def _refuse_unpaired(
    question: Question,
    runs: Mapping[tuple[int, int], FoundRun],
    cells: Sequence[Cell],
    seeds: Mapping[str, int],
) -> None:
    """Refuse runs of which no two have the same seed.

    Raises:
        StudyError: no seed has runs of two arms.
    """
    counts = Counter(seed for _, seed in runs)
    if max(counts.values()) > 1:
        return
    text = {seed: text for text, seed in seeds.items()}
    (first, a), (second, b) = list(runs)[:2]
    one, other = (
        " ".join(f"{name}={level}" for name, level in cells[place].items())
        for place in (first, second)
    )
    raise StudyError(
        f"pair {question.pair}: no two runs have the same {question.pair} ({text[a]} at {one}, "
        f"{text[b]} at {other}); a comparison needs runs of both arms with one {question.pair}"
    )


def _as_trial(run: FoundRun, metric: str, metrics: Mapping[str, str]) -> FoundRun:
    """Return a run with the plain names of its numbers, and how it ended by the outcome.

    A run whose outcome isn't finite has diverged. One without an outcome has failed.
    """
    curves = {_plain(name): curve for name, curve in run.curves.items()}
    curves |= {name: run.curves[own] for name, own in metrics.items() if own in run.curves}
    run = replace(run, curves=curves)
    value = run.last(metric)
    if run.status != "finished":
        return run
    if value is None:
        return replace(run, status="failed", error=f"the run has no {metric}")
    if not math.isfinite(value):
        step = curves[metric][-1][0]
        at = f" at step {step}" if len(curves[metric]) > 1 else ""
        return replace(run, status="diverged", error=f"{metric} is {value}{at}")
    return run


def _differing(
    question: Question, runs: Mapping[tuple[int, int], FoundRun], cells: Sequence[Cell]
) -> list[Differing]:
    """Return what differs between the runs although it is not a factor, code and data first.

    What follows from the seed alone is the seed's matter. What is different in every run is a name.
    """
    everyone = list(runs.values())
    tags = [
        column
        for column in _columns(everyone)
        if column.startswith("tags.")
        and any(column == f"tags.{one}" or last(column) == one for one in (*CODE, *DATA))
        and "mlflow.data" not in column
    ]
    entries: list[Differing] = []
    for column in [*tags, *_options(question, everyone, {})]:
        values = {run.values.get(column, "") for run in everyone}
        if len(values) < 2 or len(values) == len(everyone):
            continue
        if _follows(everyone, column, question.pair):
            continue
        with_arm = all(
            len({run.values.get(column, "") for (cell, _), run in runs.items() if cell == place})
            == 1
            for place in range(len(cells))
        )
        name = column.removeprefix("tags.")
        what = "code" if name in CODE or last(column) in CODE else "option"
        what = "data" if last(column) in DATA else what
        entries.append(
            {
                "column": name,
                "what": what,
                "values": in_order(values)[:6],
                "number": len(values),
                "with_arm": with_arm,
            }
        )
    return sorted(entries, key=lambda entry: ("code", "data", "option").index(entry["what"]))


def _options(question: Question, runs: Sequence[FoundRun], metrics: Mapping[str, str]) -> list[str]:
    """Return the columns that may be options of the runs: no tags, results, names, or factors."""
    used = {question.pair, *(factor.column for factor in question.factors.values())}
    asides = (*STATES, *STEPS, *RUNS_AND_TIMES)
    return [
        column
        for column in _columns(runs)
        if column not in used
        and column not in metrics.values()
        and not column.startswith("tags.")
        and last(column) not in asides
        and not _measured(column, runs)
    ]


RUNS_AND_TIMES = (
    *("run_id", "run", "run_name", "trial_id", "id", "name", "experiment", "trial"),
    *("created", "date", "time", "timestamp", "runtime", "duration", "seconds", "notes", "user"),
)
"""Last parts of the names of columns that name runs or say when they ran."""


def _measured(column: str, runs: Sequence[FoundRun]) -> bool:
    """Return whether a column is a result: its numbers are among what the runs recorded.

    In a table options are recorded numbers too. There, whatever has a usual direction counts, and
    what is a different number in most of the runs.
    """
    if not any(column in run.curves for run in runs):
        return False
    values = {run.values.get(column) for run in runs}
    return bool(usual_direction(column)) or len(values) > len(runs) / 2


def _follows(runs: Sequence[FoundRun], column: str, other: str) -> bool:
    """Return whether a column has one value for each value of another column."""
    seen: dict[str, str] = {}
    return all(
        seen.setdefault(run.values.get(other, ""), run.values.get(column, ""))
        == run.values.get(column, "")
        for run in runs
    )


def _columns(runs: Iterable[FoundRun]) -> list[str]:
    """Return the columns of all runs, by first appearance."""
    return list(dict.fromkeys(name for run in runs for name in run.values))
