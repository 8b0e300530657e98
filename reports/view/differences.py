"""What differs between several studies, told before any of their numbers is."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from reports.claims.design import design_kind
from reports.page.blocks import Rich, Span, code, joined, plain, rich, spaced
from reports.page.numbers import count
from reports.view.patches import UNTOLD
from reports.view.shared import lengths
from reports.view.study import StudyView

Forbids = Literal["", "levels", "words", "sizes"]
"""What must not be compared: levels of the outcome, words of verdicts, effects and all else."""

NAMED = 5
"""Differences of a kind that are named with their values; the rest is counted."""
LONGEST = 60
"""Characters of a value; a longer one is cut."""
IDENTITY = {
    "data": "data",
    "checkpoint": "pre-trained checkpoints",
    "weights": "weights of named networks",
    "code": "training code",
}
"""Parts of a trial's identity in a plan, in words."""


@dataclass(frozen=True)
class Compared:
    """A study among others, with a name that no other one of them has."""

    name: str
    view: StudyView

    @property
    def plan(self) -> Mapping[str, Any]:
        """The study's plan."""
        return self.view.study

    @cached_property
    def length(self) -> str:
        """How long its trials are by the plan, in words."""
        return plain(lengths(self.view)).removeprefix("up to ")


class Difference(NamedTuple):
    """One thing that differs, or of which nobody knows whether it does.

    Attributes:
        what: its key in report.json.
        text: a sentence with the values of the studies.
        forbids: what must not be compared because of it; empty: nothing.
    """

    what: str
    text: Rich
    forbids: Forbids = ""


def named(views: Sequence[StudyView]) -> tuple[Compared, ...]:
    """Return the studies with unique names: those of one name get their plan's hash or a number."""
    names = [str(view.study["name"]) for view in views]
    hashes = [str(view.study.get("hash", ""))[:12] for view in views]
    full = [
        f"{name} (plan {hash_})" if names.count(name) > 1 else name
        for name, hash_ in zip(names, hashes, strict=True)
    ]
    unique = [
        f"{name} (study {place})" if full.count(name) > 1 else name
        for place, name in enumerate(full, 1)
    ]
    return tuple(Compared(name, view) for name, view in zip(unique, views, strict=True))


def differences(studies: Sequence[Compared]) -> tuple[Difference, ...]:
    """Return all differences that matter for reading the studies next to each other.

    First what forbids comparing sizes, then words, then levels of the outcome; then the rest.
    """
    found: list[Difference] = []
    for part in (
        _measured,
        _margin,
        _pairs,
        _factors,
        _levels,
        _base,
        _identity,
        _versions,
        _seeds,
    ):
        found += part(studies)
    return tuple(found)


def forbidden(found: Iterable[Difference], *what: Forbids) -> bool:
    """Whether one of these must not be compared."""
    return any(difference.forbids in what for difference in found)


# -- what is measured, and by which rule -----------------------------------------------------------


def _measured(studies: Sequence[Compared]) -> list[Difference]:
    """Outcome, direction, scale, summary, and length: other ones make another quantity."""
    told: tuple[tuple[str, str, Callable[[Compared], str]], ...] = (
        ("metric", "outcomes", lambda one: one.view.metric),
        ("direction", "better directions", lambda one: one.view.analysis.cells.better),
        ("scale", "scales", lambda one: str(one.plan["outcome"].get("scale") or "linear")),
        (
            "summary",
            "summaries of the curve",
            lambda one: str(one.plan["outcome"].get("summary", "last")),
        ),
        ("length", "lengths of training", lambda one: one.length),
    )
    return [
        Difference(key, rich(f"Their {words} differ (", values_of(studies, of), ")."), "sizes")
        for key, words, of in told
        if len({of(one) for one in studies}) > 1
    ]


def _margin(studies: Sequence[Compared]) -> list[Difference]:
    """The smallest effect that matters: the same effect has other verdicts by another margin."""
    if len({one.view.margin for one in studies}) == 1:
        return []
    told = values_of(studies, margin_words)
    start = rich(
        "Their margins differ (", told, "), so the words of their verdicts can't be compared: "
    )
    end = "one margin may call harmful what another calls equivalent."
    return [Difference("margin", rich(start, end), "words")]


def margin_words(study: Compared) -> str:
    """A study's margin as its file writes it; `none` where it has none."""
    return "none" if study.view.margin is None else f"{study.view.margin:g}"


def _pairs(studies: Sequence[Compared]) -> list[Difference]:
    """The evaluation pairs, by their digests."""
    digests = [evaluation_pairs(one.view) for one in studies]
    if not all(digests):
        unknown = joined(
            code(one.name) for one, known in zip(studies, digests, strict=True) if not known
        )
        text = rich(
            unknown,
            " didn't record the evaluation pairs, so it isn't known whether they are the same.",
        )
    elif len(set(digests)) > 1:
        text = rich("Their evaluation pairs differ, by their digests.")
    else:
        return []
    end = " Levels of the outcome can't be compared; each effect is measured within one study."
    return [Difference("evaluation_pairs", rich(text, end), "levels")]


def evaluation_pairs(view: StudyView) -> frozenset[str]:
    """Return the digests of the evaluation pairs that the trials used; empty: not recorded."""
    trials = view.table.trials
    column = "digest.eval_pairs"
    return (
        frozenset(str(value) for value in trials[column].dropna())
        if column in trials
        else frozenset()
    )


# -- what was varied -------------------------------------------------------------------------------


def _factors(studies: Sequence[Compared]) -> list[Difference]:
    """Other factors, or another design: an effect is an average over other settings."""
    kinds = {design_kind(one.plan) for one in studies}
    if len({frozenset(one.view.factors) for one in studies}) == 1 and len(kinds) == 1:
        return []
    told = joined(
        (rich(code(one.name), f", {_kind(one)}: ", _listed(one.view.factors)) for one in studies),
        comma="; ",
        last="; ",
    )
    end = ". An effect belongs to the settings of its own study."
    return [Difference("factors", rich("Their factors or designs differ: ", told, end))]


def _kind(study: Compared) -> str:
    return design_kind(study.plan).replace("_", " ")


def _listed(names: Iterable[str]) -> Rich:
    listed = [code(name) for name in names]
    return joined(listed) if listed else rich("no factor")


def _levels(studies: Sequence[Compared]) -> list[Difference]:
    """Factors of one name whose levels have other labels, or whose labels set something else."""
    names = list(dict.fromkeys(name for one in studies for name in one.view.factors))
    found = []
    for name in names:
        having = [one for one in studies if name in one.view.factors]
        if len({_labels(one, name) for one in having}) > 1:
            told = values_of(having, lambda one, name=name: ", ".join(_labels(one, name)))  # type: ignore[misc]
            text = rich(
                "The levels of ", code(name), " differ, the first level first (", told, ")."
            )
            found.append(Difference("levels", text))
        found += _settings(name, having)
    return found


def _labels(study: Compared, factor: str) -> tuple[str, ...]:
    return study.view.analysis.cells.design.factors[factor]


def _settings(factor: str, studies: Sequence[Compared]) -> list[Difference]:
    """Levels with one label that set different values."""
    labels = list(dict.fromkeys(label for one in studies for label in _labels(one, factor)))
    found = []
    for label in labels:
        having = [one for one in studies if label in _labels(one, factor)]
        patches = [_flat(one.plan["factors"][factor]["levels"].get(label) or {}) for one in having]
        if all(patch == patches[0] for patch in patches):
            continue
        paths = _apart(patches)
        told = [
            _path(path, having, [patch.get(path, UNTOLD) for patch in patches]) for path in paths
        ]
        start = rich("The level ", code(f"{factor}={label}"), " sets different values: ")
        found.append(Difference("levels", rich(start, _some(told), ".")))
    return found


# -- what they started from ------------------------------------------------------------------------


def _base(studies: Sequence[Compared]) -> list[Difference]:
    """The config that all arms of a study share, but for what its factors set."""
    unknown = [one for one in studies if "base" not in one.plan]
    if unknown:
        names = joined(code(one.name) for one in unknown)
        text = rich(names, " didn't record the base, so it isn't known whether it is the same.")
        return [Difference("base", text)]

    bases = [_flat({**one.plan["base"], "seed": None}) for one in studies]
    told = []
    for path in _apart(bases):
        factors = [_setting(one, path) for one in studies]
        if all(factors):
            continue
        values = [
            f"set by {factor}" if factor else base.get(path, UNTOLD)
            for factor, base in zip(factors, bases, strict=True)
        ]
        told.append(_path(path, studies, values))
    return [Difference("base", rich("Their bases differ: ", _some(told), "."))] if told else []


def _setting(study: Compared, path: str) -> str:
    """The factor whose levels set a path of the config; empty: none does."""
    for name, entry in study.view.factors.items():
        for patch in entry["levels"].values():
            if path in _flat(patch or {}):
                return str(name)
    return ""


def _identity(studies: Sequence[Compared]) -> list[Difference]:
    """Data, checkpoints, weights, and code, by the digests in the plans."""
    found, unknown = [], []
    for part, words in IDENTITY.items():
        digests = [_digests(one, part) for one in studies]
        if not all(digests):
            unknown.append(words)
        elif len(set(digests)) > 1:
            found.append(Difference(part, rich(f"The digests of their {words} differ.")))
    if unknown:
        text = rich(
            "It isn't known whether the ",
            joined(unknown),
            " are the same: not every plan records them.",
        )
        found.append(Difference("unknown", text))
    return found


def _digests(study: Compared, part: str) -> frozenset[str]:
    """The digests of a part of the identity, over all trials; empty where a trial has none."""
    trials = study.plan.get("trials") or ()
    known = [trial.get("identity", {}).get(part) for trial in trials]
    return frozenset() if None in known else frozenset(map(str, known))


def _versions(studies: Sequence[Compared]) -> list[Difference]:
    """Versions of the packages that matter."""
    versions = [dict(one.plan.get("versions") or {}) for one in studies]
    told = [
        _path(name, studies, [known.get(name, UNTOLD) for known in versions])
        for name in _apart(versions)
    ]
    return (
        [Difference("versions", rich("Their package versions differ: ", _some(told), "."))]
        if told
        else []
    )


def _seeds(studies: Sequence[Compared]) -> list[Difference]:
    """Seeds and trials that several studies have: what shares them isn't independent."""
    trials = [set(map(str, one.view.table.trials["trial_id"])) for one in studies]
    many = sum(map(len, trials)) - len(set().union(*trials))
    if many:
        text = (
            f"They have {count(many, 'trial')} in common, so they aren't independent of each other."
        )
        return [Difference("shared_trials", rich(text))]
    seeds = [set(one.view.seeds) for one in studies]
    if sum(map(len, seeds)) == len(set().union(*seeds)):
        return []
    text = (
        "They have seeds in common. Trials with the same seed can share initial weights and data order, but the test "
        "and the means below take studies as independent."
    )
    return [Difference("shared_seeds", rich(text))]


# -- words -----------------------------------------------------------------------------------------


def values_of(studies: Sequence[Compared], of: Callable[[Compared], str]) -> Rich:
    """Return `first: kid; second: lpips`."""
    return spaced((rich(code(one.name), f": {of(one)}") for one in studies), "; ")


def _path(path: str, studies: Sequence[Compared], values: Sequence[Any]) -> Rich:
    """`lr` (first: 0.1; second: 0.2)."""
    known = {one.name: _value(value) for one, value in zip(studies, values, strict=True)}
    return rich(code(path), " (", values_of(studies, lambda one: known[one.name]), ")")


def _value(value: Any) -> str:
    if value is UNTOLD:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _some(told: Sequence[Rich]) -> Rich:
    """A handful of differences; the others are counted."""
    rest = len(told) - NAMED
    more: list[str | Span | Rich] = [f"{rest} more"] if rest > 0 else []
    return joined([*told[:NAMED], *more])


def _apart(flat: Sequence[Mapping[str, Any]]) -> list[str]:
    """The paths at which flat configs differ, in their order."""
    paths = dict.fromkeys(path for one in flat for path in one)
    return [
        path
        for path in paths
        if any(one.get(path, UNTOLD) != flat[0].get(path, UNTOLD) for one in flat)
    ]


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """A config as dotted path -> value."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{start}{key}.")
        else:
            found[f"{start}{key}"] = value
    return found
