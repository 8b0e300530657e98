"""Differences between several studies, which a comparison names before their numbers."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from reports.documents.plan import PlanDocument, design_kind
from reports.page.blocks import Rich, Span, code, joined, plain, rich, spaced
from reports.page.numbers import count
from reports.view.patches import UNTOLD
from reports.view.shared import lengths
from reports.view.study import StudyView

Forbids = Literal["", "levels", "words", "sizes"]
"""What must not be compared: outcome levels, verdict words, or effect sizes and all else."""

NAMED = 5
"""Differences of one kind that are named with their values; further ones are counted."""
LONGEST = 60
"""Maximum length of a value in characters; longer values are cut."""
IDENTITY = {
    "data": "data",
    "checkpoint": "pre-trained checkpoints",
    "weights": "weights of named networks",
    "code": "training code",
}
"""Parts of a trial's identity in a plan, in words."""


@dataclass(frozen=True)
class Compared:
    """A study in a comparison, with a name that no other study of the comparison has."""

    name: str
    view: StudyView

    @property
    def plan(self) -> PlanDocument:
        """The study's plan."""
        return self.view.study

    @cached_property
    def length(self) -> str:
        """The planned length of the study's trials, in words."""
        return plain(lengths(self.view)).removeprefix("up to ")


class Difference(NamedTuple):
    """One thing that differs between studies, or that may differ because it was not recorded.

    Attributes:
        what: its key in report.json.
        text: a sentence with the values of the studies.
        forbids: what must not be compared because of the difference; empty if nothing.
    """

    what: str
    text: Rich
    forbids: Forbids = ""


def named(views: Sequence[StudyView]) -> tuple[Compared, ...]:
    """Return the studies with unique names; namesakes get their plan's hash or a number."""
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

    First come the differences that forbid comparing sizes, then those that forbid comparing words
    or levels of the outcome, then the rest.
    """
    different: list[Difference] = []
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
        different += part(studies)
    return tuple(different)


def forbidden(different: Iterable[Difference], *what: Forbids) -> bool:
    """Return whether any of these differences forbids one of these comparisons."""
    return any(difference.forbids in what for difference in different)


# -- what is measured, and by which rule -----------------------------------------------------------


def _measured(studies: Sequence[Compared]) -> list[Difference]:
    """Return the differences in outcome, direction, scale, summary, and length.

    Studies that differ in one of these measure different quantities.
    """
    parts: tuple[tuple[str, str, Callable[[Compared], str]], ...] = (
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
        for key, words, of in parts
        if len({of(one) for one in studies}) > 1
    ]


def _margin(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference in the smallest effect that matters, if there is one.

    The same effect can have different verdicts under different margins.
    """
    if len({one.view.margin for one in studies}) == 1:
        return []

    values = values_of(studies, margin_words)
    start = rich(
        "Their margins differ (", values, "), so the words of their verdicts can't be compared: "
    )
    end = "one margin may call harmful what another calls equivalent."
    return [Difference("margin", rich(start, end), "words")]


def margin_words(study: Compared) -> str:
    """Return a study's margin as its file writes it, or `none` without one."""
    return "none" if study.view.margin is None else f"{study.view.margin:g}"


def _pairs(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference in the evaluation pairs, by their digests."""
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
    """Return the digests of the evaluation pairs that the trials used; empty if not recorded."""
    trials = view.table.trials
    column = "digest.eval_pairs"
    return (
        frozenset(str(value) for value in trials[column].dropna())
        if column in trials
        else frozenset()
    )


# -- what was varied -------------------------------------------------------------------------------


def _factors(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference in factors or design.

    An effect is an average over the settings of its own study.
    """
    kinds = {design_kind(one.plan) for one in studies}
    if len({frozenset(one.view.factors) for one in studies}) == 1 and len(kinds) == 1:
        return []

    designs = joined(
        (rich(code(one.name), f", {_kind(one)}: ", _listed(one.view.factors)) for one in studies),
        comma="; ",
        last="; ",
    )
    end = ". An effect belongs to the settings of its own study."
    return [Difference("factors", rich("Their factors or designs differ: ", designs, end))]


def _kind(study: Compared) -> str:
    """Return the kind of a study's design in words."""
    return design_kind(study.plan).replace("_", " ")


def _listed(names: Iterable[str]) -> Rich:
    """Return factor names in code font; `no factor` without any."""
    listed = [code(name) for name in names]
    return joined(listed) if listed else rich("no factor")


def _levels(studies: Sequence[Compared]) -> list[Difference]:
    """Return the differences in the levels of factors that several studies have.

    Levels differ if their labels do, or if the same label sets different values.
    """
    names = list(dict.fromkeys(name for one in studies for name in one.view.factors))
    different = []
    for name in names:
        having = [one for one in studies if name in one.view.factors]
        if len({_labels(one, name) for one in having}) > 1:
            values = values_of(having, lambda one, name=name: ", ".join(_labels(one, name)))  # type: ignore[misc]
            text = rich(
                "The levels of ", code(name), " differ, the first level first (", values, ")."
            )
            different.append(Difference("levels", text))

        different += _settings(name, having)
    return different


def _labels(study: Compared, factor: str) -> tuple[str, ...]:
    """Return the level labels of a factor, the first level first."""
    return study.view.analysis.cells.design.factors[factor]


def _settings(factor: str, studies: Sequence[Compared]) -> list[Difference]:
    """Return the levels that set different values under the same label."""
    labels = list(dict.fromkeys(label for one in studies for label in _labels(one, factor)))
    different = []
    for label in labels:
        having = [one for one in studies if label in _labels(one, factor)]
        patches = [_flat(one.plan["factors"][factor]["levels"].get(label) or {}) for one in having]
        if all(patch == patches[0] for patch in patches):
            continue

        paths = _differing_paths(patches)
        values = [
            _path_words(path, having, [patch.get(path, UNTOLD) for patch in patches])
            for path in paths
        ]

        start = rich("The level ", code(f"{factor}={label}"), " sets different values: ")
        different.append(Difference("levels", rich(start, _first_few(values), ".")))
    return different


# -- what they started from ------------------------------------------------------------------------


def _base(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference in the base, which is the config that all arms of a study share.

    Paths that a factor sets in every study are left out.
    """
    unknown = [one for one in studies if "base" not in one.plan]
    if unknown:
        names = joined(code(one.name) for one in unknown)
        text = rich(names, " didn't record the base, so it isn't known whether it is the same.")
        return [Difference("base", text)]

    bases = [_flat({**one.plan["base"], "seed": None}) for one in studies]
    different = []
    for path in _differing_paths(bases):
        factors = [_factor_of(one, path) for one in studies]
        # What a factor sets in every study belongs to the levels, not to the base.
        if all(factors):
            continue
        values = [
            f"set by {factor}" if factor else base.get(path, UNTOLD)
            for factor, base in zip(factors, bases, strict=True)
        ]
        different.append(_path_words(path, studies, values))

    return (
        [Difference("base", rich("Their bases differ: ", _first_few(different), "."))]
        if different
        else []
    )


def _factor_of(study: Compared, path: str) -> str:
    """Return the factor whose levels set a path of the config; empty if none does."""
    for name, entry in study.view.factors.items():
        for patch in entry["levels"].values():
            if path in _flat(patch or {}):
                return str(name)
    return ""


def _identity(studies: Sequence[Compared]) -> list[Difference]:
    """Return the differences in data, checkpoints, weights, and code, by their digests."""
    different, unknown = [], []
    for part, words in IDENTITY.items():
        digests = [_digests(one, part) for one in studies]
        if not all(digests):
            unknown.append(words)
        elif len(set(digests)) > 1:
            different.append(Difference(part, rich(f"The digests of their {words} differ.")))

    if unknown:
        text = rich(
            "It isn't known whether the ",
            joined(unknown),
            " are the same: not every plan records them.",
        )
        different.append(Difference("unknown", text))
    return different


def _digests(study: Compared, part: str) -> frozenset[str]:
    """Return the digests of a part of the identity over all trials; empty if a trial has none."""
    trials = study.plan.get("trials") or ()
    known = [trial.get("identity", {}).get(part) for trial in trials]
    return frozenset() if None in known else frozenset(map(str, known))


def _versions(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference in the versions of the packages that matter."""
    versions = [dict(one.plan.get("versions") or {}) for one in studies]
    different = [
        _path_words(name, studies, [known.get(name, UNTOLD) for known in versions])
        for name in _differing_paths(versions)
    ]
    return (
        [
            Difference(
                "versions", rich("Their package versions differ: ", _first_few(different), ".")
            )
        ]
        if different
        else []
    )


def _seeds(studies: Sequence[Compared]) -> list[Difference]:
    """Return the difference about shared trials or seeds.

    Studies that share seeds or trials aren't independent of each other.
    """
    trials = [set(map(str, one.view.table.trials["trial_id"])) for one in studies]
    repeated = sum(map(len, trials)) - len(set().union(*trials))

    if repeated:
        text = (
            f"They have {count(repeated, 'trial')} in common, so they aren't independent of each "
            "other."
        )
        return [Difference("shared_trials", rich(text))]

    seeds = [set(one.view.seeds) for one in studies]
    if sum(map(len, seeds)) == len(set().union(*seeds)):
        return []
    text = (
        "They have seeds in common. Trials with the same seed can share initial weights and data "
        "order, but the test and the means below take studies as independent."
    )
    return [Difference("shared_seeds", rich(text))]


# -- words -----------------------------------------------------------------------------------------


def values_of(studies: Sequence[Compared], of: Callable[[Compared], str]) -> Rich:
    """Return the values of the studies as words: `first: kid; second: lpips`."""
    return spaced((rich(code(one.name), f": {of(one)}") for one in studies), "; ")


def _path_words(path: str, studies: Sequence[Compared], values: Sequence[Any]) -> Rich:
    """Return a path with its value in each study: `lr (first: 0.1; second: 0.2)`."""
    known = {one.name: _value(value) for one, value in zip(studies, values, strict=True)}
    return rich(code(path), " (", values_of(studies, lambda one: known[one.name]), ")")


def _value(value: Any) -> str:
    """Return a value in words, cut to `LONGEST` characters."""
    if value is UNTOLD:
        return "not set"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _first_few(differing: Sequence[Rich]) -> Rich:
    """Return the first few differences and the number of the others."""
    rest = len(differing) - NAMED
    more: list[str | Span | Rich] = [f"{rest} more"] if rest > 0 else []
    return joined([*differing[:NAMED], *more])


def _differing_paths(flat: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the paths at which flat configs differ, in their order."""
    paths = dict.fromkeys(path for one in flat for path in one)
    return [
        path
        for path in paths
        if any(one.get(path, UNTOLD) != flat[0].get(path, UNTOLD) for one in flat)
    ]


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return a config as a mapping from dotted paths to values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{start}{key}.")
        else:
            flat[f"{start}{key}"] = value
    return flat
