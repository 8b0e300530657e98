"""What the seeds of a study vary and what they share, read from the digests of its trials.

An interval over seeds is about what the seeds vary. Where all seeds start from one pre-trained
network, it is about this network, and the sentences here say so.
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

PARTS = ("network", "initial_weights", "data_order", "augmentation", "eval_pairs")
"""What seeds can vary, by the names of `replicates` in report.json."""

AUGMENTING = ("image_folder", "list_files")
"""Datasets that augment unless the study file says otherwise; others augment only if it says so."""

NO_FILE = "None"
"""The digest of a trial that has no checkpoint, as the table of trials gives it."""

DIGITS = 12
"""Of a digest in a sentence."""

Start = Literal["pre-trained", "fresh", "both", "unknown"]


@dataclass(frozen=True)
class Replicates:
    """What the seeds vary and share within an arm.

    Attributes:
        vary: of `PARTS`, what differs between the seeds of every arm.
        share: what is identical in all seeds of every arm.
        mixed: what differs between the seeds of some arms and is identical in others.
        unknown: what the trials did not record, or not with two seeds of an arm.
        networks: how many networks the seeds of an arm start from; None: unknown, or not the same
            number in all arms.
        checkpoint: name of the file that trials restore; None: they restore none, or several.
        seeds: how many seeds the study has.
        start: whether the trials restore a checkpoint's generator; `both`: some arms do.
        digest: first digits of the checkpoint's digest; None where there is not one checkpoint.
        fresh: networks of the model that a checkpoint is not restored into, in some arm.
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

    @property
    def one_network(self) -> bool:
        """Whether all seeds of an arm start from one pre-trained network, in some arm at least."""
        return self.start in ("pre-trained", "both") and "network" not in self.vary


def replicates(view: StudyView) -> Replicates:
    """Return what the seeds vary and share, from `digest.*` of the trials and the plan."""
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

    found = {part: _across(trials, columns[part]) for part in PARTS if part in columns}
    several = len(view.seeds) > 1

    def parts(word: str) -> tuple[str, ...]:
        return tuple(part for part, is_ in found.items() if is_ == word and several)

    unknown = tuple(part for part, values in columns.items() if not values.notna().any())
    checkpoints = sorted(set(networks[starts == "pre-trained"].dropna()))
    return Replicates(
        vary=parts("vary"),
        share=parts("share"),
        mixed=parts("mixed"),
        unknown=parts("unknown") if several else tuple(p for p in PARTS if p in unknown),
        networks=_count(trials, networks),
        checkpoint=_name(view) if checkpoints else None,
        seeds=len(view.seeds),
        start=_start(starts),
        digest=checkpoints[0][:DIGITS] if len(checkpoints) == 1 else None,
        fresh=_fresh(view) if checkpoints else (),
    )


def replicates_words(view: StudyView) -> Rich:
    """Return what the seeds vary and what the network is that intervals are about."""
    found = replicates(view)
    known = {*found.vary, *found.share, *found.mixed}
    if found.start == "unknown" and not known:
        return _unknown_words(view, found)
    told = [_varied(found), _shared(found), _network(found), _unrestored(found), _open(found)]
    return _sentences(told)


def network_threat(view: StudyView) -> Rich | None:
    """Return that all seeds start from one network; None where they don't, or it isn't known."""
    found = replicates(view)
    if not found.one_network:
        return None
    where = "" if found.start == "pre-trained" else " in some arms"
    where = where or ("" if found.digest else " in each arm")
    digest = f" (digest {found.digest})" if found.digest else ""
    name = rich(code(found.checkpoint)) if found.checkpoint else rich("the same checkpoint")
    who = "The seed starts" if found.seeds == 1 else f"All {found.seeds} seeds start"
    about = "these networks" if not found.digest else "this network"
    return rich(
        strong(f"One pre-trained network{where}."),
        rich(f" {who} from ", name, f"{digest}. "),
        _sentences([_varied(found)]),
        f" The intervals are about {about}; another network may answer differently.",
    )


def interval_words(view: StudyView) -> str:
    """Return what stands beside an interval: `for this network`, or nothing."""
    found = replicates(view)
    if not found.one_network or found.start == "both":
        return ""
    return "for this network" if found.digest else "for these networks"


def replicates_json(view: StudyView) -> dict[str, Any]:
    """Return `replicates` of report.json."""
    found = replicates(view)
    lists = {name: list(getattr(found, name)) for name in ("vary", "share", "mixed", "unknown")}
    return {
        **lists,
        "networks": found.networks,
        "checkpoint": found.checkpoint,
        "seeds": found.seeds,
    }


def _column(trials: pd.DataFrame, part: str) -> "pd.Series[Any]":
    """A digest for each trial; missing where it was not recorded."""
    name = f"digest.{part}"
    if name not in trials:
        return pd.Series([None] * len(trials), index=trials.index, dtype=object)
    return trials[name].astype(object).where(trials[name].notna(), None)


def _networks(view: StudyView) -> tuple["pd.Series[Any]", "pd.Series[Any]"]:
    """For each trial what identifies the network it starts from, and whether it was pre-trained.

    A trial that restores no generator starts from the initial weights of its own.
    """
    trials = view.table.trials
    checkpoints, weights = _column(trials, "checkpoint"), _column(trials, "initial_weights")
    restoring = {arm.cell_id for arm in view.arms if "generator" in _restored(view, arm)}

    rows = zip(trials["cell_id"].astype(str), checkpoints, weights, strict=True)
    found = [_network_of(checkpoint, own, cell in restoring) for cell, checkpoint, own in rows]
    keys = pd.Series([key for key, _ in found], index=trials.index, dtype=object)
    return keys, pd.Series([start for _, start in found], index=trials.index, dtype=object)


def _network_of(
    checkpoint: str | None,
    weights: str | None,
    restores: bool,
) -> tuple[str | None, Start]:
    """What identifies the network of a trial by its digests, and how it starts."""
    if checkpoint is None:
        return None, "unknown"
    if checkpoint != NO_FILE and restores:
        return checkpoint, "pre-trained"
    return (weights, "fresh") if weights is not None else (None, "unknown")


def _restored(view: StudyView, arm: Arm) -> tuple[str, ...]:
    """What an arm restores of a checkpoint; a plan that doesn't say restores everything."""
    base = view.study.get("base", {}).get("restore", ("generator", "discriminator"))
    patches = (patch_of(view.study, factor, level) for factor, level in arm.levels.items())
    told = [patch["restore"] for patch in patches if "restore" in patch]
    return tuple(map(str, [base, *told][-1] or ()))


def _fresh(view: StudyView) -> tuple[str, ...]:
    """The networks that some arm doesn't restore; an average is no network of its own."""
    restored = [_restored(view, arm) for arm in view.arms]
    networks = ("generator", "discriminator")
    return tuple(one for one in networks if any(one not in parts for parts in restored))


def _augmented(view: StudyView) -> bool:
    """Whether training images are augmented at random, as far as the plan says so."""
    base: Mapping[str, Any] = view.study.get("base", {})
    data = base.get("data") or {}
    usual = base.get("dataset") in AUGMENTING
    crop = data["crop"] == "random" if "crop" in data else usual
    return bool(crop or data.get("flip", usual))


def _by_cell(trials: pd.DataFrame, values: "pd.Series[Any]") -> Iterator["pd.Series[Any]"]:
    """The recorded values of each cell."""
    for _, part in values.groupby(trials["cell_id"].astype(str), sort=False):
        yield part.dropna()


def _across(trials: pd.DataFrame, values: "pd.Series[Any]") -> str:
    """Whether the seeds of the arms `vary`, `share`, both (`mixed`), or nobody knows."""
    differ = {part.nunique() > 1 for part in _by_cell(trials, values) if len(part) > 1}
    if not differ:
        return "unknown"
    return "mixed" if len(differ) > 1 else "vary" if differ.pop() else "share"


def _count(trials: pd.DataFrame, networks: "pd.Series[Any]") -> int | None:
    """How many networks the seeds of an arm start from; arms that lost trials may show fewer."""
    known = [part for part in _by_cell(trials, networks) if len(part)]
    counts = {part.nunique() for part in known if len(part) > 1} or {len(part) for part in known}
    if not counts or (1 in counts and len(counts) > 1):
        return None
    return int(max(counts))


def _start(starts: "pd.Series[Any]") -> Start:
    """What the trials start from, those left aside that did not record it."""
    there = set(starts) - {"unknown"}
    if not there:
        return "unknown"
    return "both" if len(there) > 1 else "pre-trained" if "pre-trained" in there else "fresh"


def _name(view: StudyView) -> str | None:
    """The name of the one checkpoint that the plan names."""
    base = [view.study.get("base", {}).get("checkpoint")]
    patches = [
        patch_of(view.study, factor, str(level)).get("checkpoint")
        for factor, entry in view.factors.items()
        for level in entry["levels"]
    ]
    names = {PurePath(path).name for path in (*base, *patches) if isinstance(path, str)}
    return names.pop() if len(names) == 1 else None


NAMES = {
    "network": "the network",
    "initial_weights": "initial weights",
    "data_order": "data order",
    "augmentation": "augmentation",
    "eval_pairs": "evaluation pairs",
}


def _named(parts: tuple[str, ...], found: Replicates) -> list[str]:
    """Parts in words; the network has a sentence of its own, which covers its weights too."""
    told_apart = ("network", "initial_weights")[: 1 if found.start in ("fresh", "unknown") else 2]
    return [NAMES[part] for part in parts if part not in told_apart]


def _sentences(told: list[Rich]) -> Rich:
    """Sentences one after the other, the empty ones left out."""
    return spaced(filter(None, told))


def _varied(found: Replicates) -> Rich:
    """What the seeds vary."""
    if found.seeds < 2:
        return rich("There is one seed, so nothing varies between the trials of an arm.")
    always, sometimes = _named(found.vary, found), _named(found.mixed, found)
    who = f"{count(found.seeds, 'seed')} vary "
    told = [rich(f"The {who}", joined(always), ".")] if always else []
    if sometimes:
        start = "In some arms they also vary " if always else f"In some arms the {who}"
        told.append(rich(start, joined(sometimes), "."))
    return _sentences(told)


def _shared(found: Replicates) -> Rich:
    """What else the seeds share."""
    names = _named(found.share, found)
    return rich(f"All {found.seeds} seeds share ", joined(names), ".") if names else ()


def _network(found: Replicates) -> Rich:
    """What network, or networks, the seeds start from."""
    if found.start == "unknown":
        return ()
    if found.start == "fresh":
        own = "network" in found.vary
        return rich("Each seed trains a network of its own from the start.") if own else ()
    if found.start == "both":
        return rich(
            "In some arms all seeds start from one pre-trained network, and intervals are about "
            "this network; in the others each seed trains a network of its own from the start."
        )
    name: Rich = rich(" (", code(found.checkpoint), ")") if found.checkpoint else ()
    if not found.one_network:
        many = found.networks or found.seeds
        return rich(f"They start from {many} pre-trained networks.")
    if found.seeds < 2:
        return rich("It starts from one pre-trained network", name, ".")
    if found.digest is None:
        return rich(
            "In each arm all of them start from one pre-trained network, but not in all arms from "
            "the same one, so the intervals are about these networks; others may differ."
        )
    return rich(
        "All of them start from one pre-trained network",
        name,
        ", so the intervals are about this network; another network may answer differently.",
    )


def _unrestored(found: Replicates) -> Rich:
    """Which networks start afresh beside the restored ones."""
    anew = "initial_weights" in (*found.vary, *found.mixed)
    if found.start != "pre-trained" or not anew or "network" in found.vary:
        return ()
    where = "" if "initial_weights" in found.vary else "In some arms, "
    which = f"the {plain(joined(found.fresh))}" if found.fresh else "what it doesn't restore"
    sentence = f"{where}{which} starts from weights that vary by seed."
    return rich(sentence[0].upper() + sentence[1:])


def _open(found: Replicates) -> Rich:
    """What is not known."""
    names = [NAMES[part] for part in found.unknown]
    if not names:
        return ()
    verb = "vary" if found.seeds > 1 else "fixes"
    who = "they" if found.seeds > 1 else "it"
    return rich(f"The trials don't record whether {who} {verb} ", joined(names), ".")


def _unknown_words(view: StudyView, found: Replicates) -> Rich:
    """That nothing is known: a program of the user's decides, or nothing was recorded."""
    who = f"the {count(found.seeds, 'seed')}" if found.seeds > 1 else "the seed"
    verb = "vary" if found.seeds > 1 else "sets"
    if view.command:
        return rich(
            f"The program that this study runs decides what {who} {verb}. "
            "It records nothing about that, so it isn't known what the intervals cover."
        )
    return rich(f"It isn't known what {who} {verb}, because the trials recorded no digests.")
