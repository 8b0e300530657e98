"""What the seeds of a study vary and what they share, read from the digests of its trials.

An interval over seeds is about what the seeds vary. Where all seeds start from one pre-trained
network, the interval is about this network, and the sentences here say so. Where each seed has a
network of its own, or several seeds start from each of several networks, it is about the method.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

import pandas as pd

from reports.page.blocks import Rich, code, joined, plain, rich, spaced, strong
from reports.page.numbers import count
from reports.view.patches import patch_of
from reports.view.study import Arm, StudyView
from reports.words.units import seeds_each, unit, units_in_full

PARTS = ("network", "initial_weights", "data_order", "augmentation", "eval_pairs")
"""What seeds can vary, by the names of `replicates` in report.json."""

AUGMENTING = ("image_folder", "list_files")
"""Datasets that augment training images unless the study file turns augmentation off."""

NO_FILE = "None"
"""The digest of a trial without a checkpoint, as the table of trials gives it."""

DIGITS = 12
"""Number of digits of a digest in a sentence."""

Start = Literal["pre-trained", "fresh", "both", "unknown"]
"""How trials start: from a checkpoint's generator, from fresh weights, or both."""


@dataclass(frozen=True)
class Replicates:
    """What the seeds vary and share within an arm.

    Attributes:
        vary: the items of `PARTS` that differ between the seeds of every arm.
        share: what is identical in all seeds of every arm.
        mixed: what differs between the seeds of some arms and is identical in others.
        unknown: what the trials did not record, or not with two seeds of an arm.
        networks: how many networks the seeds of an arm start from; None if unknown, or if the
            number differs between arms.
        checkpoint: name of the file that trials restore; None if they restore none, or several.
        seeds: how many seeds the study has.
        start: whether the trials restore a checkpoint's generator; `both`: some arms do.
        digest: first digits of the checkpoint's digest; None unless there is just one checkpoint.
        fresh: networks of the model that some arm does not restore from a checkpoint.
        each: how many seeds each of several networks has, `3 seeds each`; empty in other studies.
    """

    vary: tuple[str, ...]
    share: tuple[str, ...]
    unknown: tuple[str, ...]
    networks: int | None
    checkpoint: str | None
    seeds: int
    mixed: tuple[str, ...] = ()
    start: Start = "unknown"
    digest: str | None = None
    fresh: tuple[str, ...] = ()
    each: str = ""

    @property
    def one_network(self) -> bool:
        """Whether all seeds of some arm at least start from one pre-trained network.

        While results of only one seed are there, that isn't known.
        """
        known = "network" not in (*self.vary, *self.unknown)
        return self.start in ("pre-trained", "both") and known


def replicates(view: StudyView) -> Replicates:
    """Return what the seeds vary and share, from the digests of the trials and the plan."""
    trials = view.table.trials
    networks, starts = _networks(view)
    columns = {
        "network": networks,
        "initial_weights": _column(trials, "initial_weights"),
        "data_order": _column(trials, "data_order"),
        "eval_pairs": _column(trials, "eval_pairs"),
    }
    if _augmented(view):
        # The order's digest covers augmentation, which the same seed draws.
        columns["augmentation"] = columns["data_order"]

    results = {part: _across(trials, columns[part]) for part in PARTS if part in columns}
    for part in _held(view):
        # The digest of the order covers augmentation too, so either may have moved it
        if results.get(part) == "vary":
            results[part] = "share"
    several = len(view.seeds) > 1

    def parts(word: str) -> tuple[str, ...]:
        """Return the parts with this result; with one seed nothing varies or is shared."""
        return tuple(part for part, result in results.items() if result == word and several)

    unknown = tuple(part for part, values in columns.items() if not values.notna().any())
    checkpoints = sorted(set(networks[starts == "pre-trained"].dropna()))
    return Replicates(
        vary=parts("vary"),
        share=parts("share"),
        mixed=parts("mixed"),
        unknown=parts("unknown") if several else tuple(p for p in PARTS if p in unknown),
        networks=_network_count(trials, networks),
        checkpoint=_name(view) if checkpoints else None,
        seeds=len(view.seeds),
        start=_start(starts),
        digest=checkpoints[0][:DIGITS] if len(checkpoints) == 1 else None,
        fresh=_fresh(view) if checkpoints else (),
        each=seeds_each(view),
    )


def _held(view: StudyView) -> tuple[str, ...]:
    """Return the parts that the study file holds the same for all seeds, of those that `PARTS` has.

    The option `vary` of the core names what the seeds move.
    """
    vary = view.study.get("base", {}).get("vary")
    sources = {"initial_weights": "init", "data_order": "order", "eval_pairs": "pairs"}
    sources["augmentation"] = "augmentation"
    return (
        () if vary is None else tuple(p for p in PARTS if p in sources and sources[p] not in vary)
    )


def replicates_words(view: StudyView) -> Rich:
    """Return what the seeds vary, and which network the intervals are about."""
    facts = replicates(view)
    known = {*facts.vary, *facts.share, *facts.mixed}
    if facts.start == "unknown" and not known:
        return _unknown_words(view, facts)
    sentences = [
        _varied(facts),
        _shared(facts),
        _network(facts),
        _unrestored(facts),
        _unrecorded(facts),
    ]
    return _sentences(sentences)


def network_threat(view: StudyView) -> Rich | None:
    """Say that all seeds start from one network; None where they don't, or if unknown."""
    facts = replicates(view)
    if not facts.one_network:
        return None

    everywhere = facts.start == "pre-trained" and "network" not in facts.mixed
    where = "" if everywhere else " in some arms"
    where = where or ("" if facts.digest else " in each arm")
    digest = f" (digest {facts.digest})" if facts.digest else ""
    name = rich(code(facts.checkpoint)) if facts.checkpoint else rich("the same checkpoint")
    who = "The seed starts" if facts.seeds == 1 else f"All {facts.seeds} seeds start"
    about = "these networks" if not facts.digest else "this network"

    return rich(
        strong(f"One pre-trained network{where}."),
        rich(f" {who} from ", name, f"{digest}. "),
        _sentences([_varied(facts)]),
        f" The intervals are about {about}; another network may answer differently.",
    )


def interval_words(view: StudyView) -> str:
    """Return what follows the name of an interval: `for this network`, or nothing.

    Where there are several networks, it is `over 5 networks (3 seeds each)`.
    """
    facts = replicates(view)
    if view.analysis.cells.network_of:
        return f"over {units_in_full(view)}"
    if not facts.one_network or facts.start == "both":
        return ""
    return "for this network" if facts.digest else "for these networks"


def replicates_json(view: StudyView) -> dict[str, Any]:
    """Return the entry `replicates` of report.json."""
    facts = replicates(view)
    lists = {name: list(getattr(facts, name)) for name in ("vary", "share", "mixed", "unknown")}
    return {
        **lists,
        "networks": facts.networks,
        "checkpoint": facts.checkpoint,
        "seeds": facts.seeds,
        "unit": unit(view),
    }


def _column(trials: pd.DataFrame, part: str) -> "pd.Series[Any]":
    """Return a digest for each trial; None where it was not recorded."""
    name = f"digest.{part}"
    if name not in trials:
        return pd.Series([None] * len(trials), index=trials.index, dtype=object)
    return trials[name].astype(object).where(trials[name].notna(), None)


def _networks(view: StudyView) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """Return for each trial what identifies its first network, and whether that was pre-trained.

    A trial that restores no generator starts from its own initial weights.
    """
    trials = view.table.trials
    checkpoints, weights = _column(trials, "checkpoint"), _column(trials, "initial_weights")
    restoring = {arm.cell_id for arm in view.arms if "generator" in _restored(view, arm)}

    rows = zip(trials["cell_id"].astype(str), checkpoints, weights, strict=True)
    networks = [
        _network_of(checkpoint, weight, cell in restoring) for cell, checkpoint, weight in rows
    ]

    keys = pd.Series([key for key, _ in networks], index=trials.index, dtype=object)
    return keys, pd.Series([start for _, start in networks], index=trials.index, dtype=object)


def _network_of(
    checkpoint: str | None,
    weights: str | None,
    restores: bool,
) -> tuple[str | None, Start]:
    """Return what identifies the network of a trial by its digests, and how it starts."""
    if checkpoint is None:
        return None, "unknown"
    if checkpoint != NO_FILE and restores:
        return checkpoint, "pre-trained"
    return (weights, "fresh") if weights is not None else (None, "unknown")


def _restored(view: StudyView, arm: Arm) -> tuple[str, ...]:
    """Return what an arm restores from a checkpoint; by default this is everything."""
    base = view.study.get("base", {}).get("restore", ("generator", "discriminator"))
    patches = (patch_of(view.study, factor, level) for factor, level in arm.levels.items())
    changed = [patch["restore"] for patch in patches if "restore" in patch]
    # Of several factors that set it, the last one decides.
    return tuple(map(str, [base, *changed][-1] or ()))


def _fresh(view: StudyView) -> tuple[str, ...]:
    """Return the networks that some arm doesn't restore.

    The average of the generator doesn't count as a network.
    """
    restored = [_restored(view, arm) for arm in view.arms]
    networks = ("generator", "discriminator")
    return tuple(one for one in networks if any(one not in parts for parts in restored))


def _augmented(view: StudyView) -> bool:
    """Return whether training images are augmented at random, as far as the plan shows."""
    base: Mapping[str, Any] = view.study.get("base", {})
    data = base.get("data") or {}
    usual = base.get("dataset") in AUGMENTING
    crop = data["crop"] == "random" if "crop" in data else usual
    return bool(crop or data.get("flip", usual))


def _by_cell(trials: pd.DataFrame, values: "pd.Series[Any]") -> Iterator["pd.Series[Any]"]:
    """Yield the recorded values of each cell."""
    for _, part in values.groupby(trials["cell_id"].astype(str), sort=False):
        yield part.dropna()


def _across(trials: pd.DataFrame, values: "pd.Series[Any]") -> str:
    """Return whether the seeds of the arms `vary`, `share`, are `mixed`, or are `unknown`."""
    differ = {part.nunique() > 1 for part in _by_cell(trials, values) if len(part) > 1}
    if not differ:
        return "unknown"
    return "mixed" if len(differ) > 1 else "vary" if differ.pop() else "share"


def _network_count(trials: pd.DataFrame, networks: "pd.Series[Any]") -> int | None:
    """Return how many networks the seeds of an arm start from; None if the arms differ in that.

    An arm that lost trials may have fewer, so the largest number counts.
    """
    known = [part for part in _by_cell(trials, networks) if len(part)]
    counts = {part.nunique() for part in known if len(part) > 1} or {len(part) for part in known}
    if not counts or (1 in counts and len(counts) > 1):
        return None
    return int(max(counts))


def _start(starts: "pd.Series[Any]") -> Start:
    """Return what the trials start from, without those that did not record it."""
    known = set(starts) - {"unknown"}
    if not known:
        return "unknown"
    return "both" if len(known) > 1 else "pre-trained" if "pre-trained" in known else "fresh"


def _name(view: StudyView) -> str | None:
    """Return the name of the checkpoint in the plan; None if the plan names none or several."""
    base = [view.study.get("base", {}).get("checkpoint")]
    patches = [
        patch_of(view.study, factor, str(level)).get("checkpoint")
        for factor, entry in view.factors.items()
        for level in entry["levels"]
    ]

    # A network that the study trained itself has the name of the study that trained it
    named = [one.get("train") if isinstance(one, Mapping) else one for one in (*base, *patches)]
    names = {PurePath(path).name for path in named if isinstance(path, str)}
    return names.pop() if len(names) == 1 else None


NAMES = {
    "network": "the network",
    "initial_weights": "initial weights",
    "data_order": "data order",
    "augmentation": "augmentation",
    "eval_pairs": "evaluation pairs",
}
"""Parts in words."""


def _named(parts: tuple[str, ...], facts: Replicates) -> list[str]:
    """Return parts in words, except for those that the sentence about the network covers."""
    covered = ("network", "initial_weights")[: 1 if facts.start in ("fresh", "unknown") else 2]
    return [NAMES[part] for part in parts if part not in covered]


def _sentences(sentences: list[Rich]) -> Rich:
    """Return sentences one after the other, without the empty ones."""
    return spaced(filter(None, sentences))


def _varied(facts: Replicates) -> Rich:
    """Return a sentence on what the seeds vary."""
    if facts.seeds < 2:
        return rich("There is one seed, so nothing varies between the trials of an arm.")

    always, sometimes = _named(facts.vary, facts), _named(facts.mixed, facts)
    who = f"{count(facts.seeds, 'seed')} vary "
    sentences = [rich(f"The {who}", joined(always), ".")] if always else []
    if sometimes:
        start = "In some arms they also vary " if always else f"In some arms the {who}"
        sentences.append(rich(start, joined(sometimes), "."))
    return _sentences(sentences)


def _shared(facts: Replicates) -> Rich:
    """Return a sentence on what else the seeds share."""
    names = _named(facts.share, facts)
    return rich(f"All {facts.seeds} seeds share ", joined(names), ".") if names else ()


def _network(facts: Replicates) -> Rich:
    """Return a sentence on the network, or the networks, that the seeds start from."""
    if facts.start == "unknown":
        return ()
    if facts.start == "fresh":
        own = "network" in facts.vary
        return rich("Each seed trains a network of its own from the start.") if own else ()
    if facts.start == "both" and "network" in facts.vary:
        several = "several seeds start from each of several pre-trained networks"
        single = "each seed starts from a pre-trained network of its own"
        return rich(
            f"In some arms {several if facts.each else single}; in the others each seed trains a "
            "network from the start."
        )
    if facts.start == "both" or "network" in facts.mixed:
        others = (
            "each seed trains a network of its own from the start"
            if facts.start == "both"
            else "the seeds start from several networks"
        )
        return rich(
            "In some arms all seeds start from one pre-trained network, and intervals are about "
            f"this network; in the others {others}."
        )

    name: Rich = rich(" (", code(facts.checkpoint), ")") if facts.checkpoint else ()
    if not facts.one_network:
        number = facts.networks or facts.seeds
        if facts.each:
            return rich(
                f"They start from {number} pre-trained networks ({facts.each}), and intervals are "
                "over these networks, so they are about the method."
            )
        if number == facts.seeds:
            return rich(
                f"Each of the {number} seeds starts from a pre-trained network of its own, so the "
                "intervals are about the method."
            )
        return rich(f"They start from {number} pre-trained networks.")
    if facts.seeds < 2:
        return rich("It starts from one pre-trained network", name, ".")
    if facts.digest is None:
        return rich(
            "In each arm all of them start from one pre-trained network, but not in all arms from "
            "the same one, so the intervals are about these networks; others may differ."
        )
    return rich(
        "All of them start from one pre-trained network",
        name,
        ", so the intervals are about this network; another network may answer differently.",
    )


def _unrestored(facts: Replicates) -> Rich:
    """Return a sentence on the networks that start with new weights despite a checkpoint."""
    new_weights = "initial_weights" in (*facts.vary, *facts.mixed)
    if facts.start != "pre-trained" or not new_weights or "network" in facts.vary:
        return ()

    where = "" if "initial_weights" in facts.vary else "In some arms, "
    which = f"the {plain(joined(facts.fresh))}" if facts.fresh else "what it doesn't restore"
    sentence = f"{where}{which} starts from weights that vary by seed."
    return rich(sentence[0].upper() + sentence[1:])


def _unrecorded(facts: Replicates) -> Rich:
    """Return a sentence on what the trials do not record."""
    names = [NAMES[part] for part in facts.unknown]
    if not names:
        return ()
    verb = "vary" if facts.seeds > 1 else "fixes"
    who = "they" if facts.seeds > 1 else "it"
    return rich(f"The trials don't record whether {who} {verb} ", joined(names), ".")


def _unknown_words(view: StudyView, facts: Replicates) -> Rich:
    """Say that nothing is known: a foreign trainer decides, or the trials recorded nothing."""
    who = f"the {count(facts.seeds, 'seed')}" if facts.seeds > 1 else "the seed"
    verb = "vary" if facts.seeds > 1 else "sets"
    if view.judged:
        return rich(f"The program that made the runs decided what {who} {verb}.")
    if view.foreign:
        return rich(
            f"The {view.foreign} that this study runs decides what {who} {verb}. "
            "It records nothing about that, so it isn't known what the intervals cover."
        )
    return rich(f"It isn't known what {who} {verb}, because the trials recorded no digests.")
