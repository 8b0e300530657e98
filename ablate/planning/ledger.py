"""The ledger of a study, `ledger.jsonl`: every plan that was fixed, and every look at results.

The file itself is the lock, because `report` may look at a study while `run` runs it. Each entry is
on the disk before anything follows from it. plan.json keeps the digest of the newest entry.
"""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ablate.disk.folder import StudyFolder
from ablate.planning import plan_file
from ablate.planning.plan_file import plan_document
from ablate.study.nouns import Plan
from ablate.study.starts import networks_of
from ablate.trial import journal, trial_file
from ablate.trial.environment import git
from g2g_base import atomic
from g2g_base.locks import lock
from reports.documents.chain import Chain, line_of, read_chain, sealed
from reports.documents.ledger import NAME, PLANS, head_of
from reports.documents.rule import Rule


class Ledger:
    """An open ledger that no other process can append to; see `opened`.

    Attributes:
        folder: the study's folder.
        plan: the content of plan.json when the ledger was opened; empty: there was no plan.json.
        chain: the entries so far.
    """

    def __init__(self, folder: Path, file: IO[bytes]) -> None:
        self.folder, self._file = folder, file
        self.plan = plan_document(folder)
        self._data = file.read()
        self.chain: Chain = read_chain(self._data)

    @property
    def head(self) -> dict[str, Any]:
        """Number of entries and digest of the newest one, which plan.json keeps."""
        return {"entries": len(self.chain.entries), "sha256": self.chain.last}

    def newest(self, kinds: Collection[str]) -> Mapping[str, Any] | None:
        """Return the newest entry of these kinds, or None."""
        matches = (entry for _, entry in reversed(self.chain.entries) if entry.get("kind") in kinds)
        return next(matches, None)

    def append(self, kind: str, **content: Any) -> None:
        """Append an entry and write it to the disk; if lines are lost, append a gap first."""
        expected = head_of(self.plan)
        if kind != "gap" and expected is not None and not self.chain.holds(expected):
            self.plan = {**self.plan, "ledger": None}
            self.append("gap", expected=expected)

        entry = sealed({"kind": kind, "time": now(), **content, "previous": self.chain.last})
        line = line_of(entry)
        # If the last line was cut while it was written, the new entry must not continue that line.
        line = b"\n" + line if self._data and not self._data.endswith(b"\n") else line

        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

        self._data += line
        entries = (*self.chain.entries, (self._data.count(b"\n"), entry))
        self.chain = replace(self.chain, entries=entries, last=str(entry["sha256"]))


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """Open the ledger in a study's folder, and write its newest digest to plan.json afterwards.

    The file is made if it is missing.

    Yields:
        The ledger, locked until the context ends.

    Raises:
        OSError: the ledger can't be written.
    """
    with (folder / NAME).open("ab+") as file:
        lock(file)
        file.seek(0)
        ledger = Ledger(folder, file)
        before = ledger.chain.last
        yield ledger

        plan = plan_document(folder)
        if ledger.chain.last != before and plan:
            atomic.write_json(StudyFolder(folder).plan, {**plan, "ledger": ledger.head})


def record_plan(folder: Path, plan: Plan, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Append a plan that is about to run, unless the newest entry holds the same plan.

    Plans differ if their hashes, rules, or seeds do. A folder that has a plan but no ledger was
    made before ledgers existed, or its ledger was lost. In that case the older plan and its report
    are entered first, as an entry of kind `found`.

    Args:
        folder: `OUT/<study>`, with the plan.json of the previous plan.
        plan: the whole plan, with the seeds of all looks.
        outcome: the decision rule as in plan.json.

    Returns:
        The value of `ledger` in the new plan.json.

    Raises:
        OSError: the ledger can't be written.
    """
    content = plan_content(plan, outcome)
    with opened(folder) as ledger:
        if ledger.newest(PLANS) is None and "trials" in ledger.plan:
            _enter_found(ledger, content)

        before = ledger.newest(PLANS)
        if before is None or not same_plan(before, content):
            done = len(_ended(folder, ledger.plan)) if before else 0
            ledger.append("plan", **content, ended=done, started=with_results(folder), **code())
        return ledger.head


def record_look(folder: Path) -> None:
    """Append a look at results for a report that is about to be built, if any result is new.

    A folder without a ledger stays without one: only `run` and `plan --register` know the plan that
    a ledger begins with.

    Raises:
        OSError: the ledger can't be written.
    """
    plan = plan_document(folder)
    if not (folder / NAME).exists() or not (ended := _ended(folder, plan)):
        return

    with opened(folder) as ledger:
        look = _look(plan, ended, ledger.newest(PLANS))
        last = ledger.newest(("look",)) or {}
        if any(last.get(key) != look[key] for key in ("plan", "results")):
            ledger.append("look", **look)


def entries(folder: Path) -> list[Mapping[str, Any]]:
    """Return the entries of a study's ledger, an empty list if it has no ledger."""
    path = folder / NAME
    return [entry for _, entry in read_chain(path.read_bytes() if path.is_file() else b"").entries]


def now() -> str:
    """Return the current time in UTC as the ledger writes it: ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def plan_content(plan: Plan, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a ledger entry that describe a plan."""
    content: dict[str, Any] = {
        "plan": plan.hash,
        "rule": dict(outcome),
        "seeds": sorted({trial.seed for trial in plan.trials}),
        "cells": len({trial.cell_id for trial in plan.trials}),
        "trials": len(plan.trials),
    }
    if networks := networks_of(plan.spec):
        content["networks"] = networks
    return content


def same_plan(entry: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Return whether an entry holds this plan: the same hash, rule, and seeds."""
    try:
        alike = Rule.of(entry["rule"]) == Rule.of(content["rule"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return alike and all(entry.get(key) == content[key] for key in ("plan", "seeds"))


def with_results(folder: Path) -> int:
    """Return the number of trials in a study's folder that have recorded anything."""
    return sum(
        journal.size(where) > 0 or trial_file.status_of(trial_file.read(where)) in trial_file.ENDED
        for where in (StudyFolder(folder).trials).glob("*")
    )


def _enter_found(ledger: Ledger, content: Mapping[str, Any]) -> None:
    """Append the plan that is in plan.json, and a look if a report was built from it."""
    plan, folder = ledger.plan, ledger.folder
    trials = plan["trials"]
    entry = {
        "plan": plan.get("hash"),
        "rule": plan.get("outcome"),
        "seeds": sorted({trial["seed"] for trial in trials}),
        "cells": len({trial["cell_id"] for trial in trials}),
        "trials": len(trials),
    }
    # plan.json has the seeds of one look; the plan that is about to run has those of all looks.
    entry = dict(content) if entry["plan"] == content["plan"] else entry

    ended = _ended(folder, plan)
    ledger.append("found", **entry, ended=len(ended), started=with_results(folder))
    if ended and (StudyFolder(folder).report).is_dir():
        ledger.append("look", **_look(plan, ended, entry))


def _look(
    plan: Mapping[str, Any], ended: Mapping[str, int], whole: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the fields of a ledger entry that describe a look.

    Args:
        plan: the content of plan.json.
        ended: trial id -> seed of each trial that has ended.
        whole: the entry of the plan, which counts the trials of all looks; None: plan.json counts.
    """
    results = hashlib.sha256("\n".join(sorted(ended)).encode()).hexdigest()
    return {
        "plan": plan.get("hash"),
        "ended": len(ended),
        "trials": whole["trials"] if whole else len(plan["trials"]),
        "seeds": sorted(set(ended.values())),
        "results": results[:32],
    }


def _ended(folder: Path, plan: Mapping[str, Any]) -> dict[str, int]:
    """Return trial id -> seed for each trial of a plan.json that has ended."""
    return {
        trial["trial_id"]: trial["seed"]
        for trial in plan.get("trials", ())
        if trial_file.status_of(trial_file.standing(StudyFolder(folder).trial(trial["trial_id"])))
        in trial_file.ENDED
    }


def code() -> dict[str, Any]:
    """Return the version of the package, and the commit if it runs from a repository."""
    return {"version": plan_file.versions().get("g2g-ablate"), "commit": git().get("commit")}
