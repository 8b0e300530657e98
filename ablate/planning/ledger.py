"""What is appended to a study's `ledger.jsonl`: the plans that were fixed, and the looks at
results.

The file itself is the lock, since `report` may look at a study that `run` is running. An entry is
on the disk before anything follows from it, and plan.json keeps the digest of the newest one.
"""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from ablate.disk import atomic
from ablate.disk.folder import StudyFolder
from ablate.planning import plan_file
from ablate.planning.plan_file import plan_document
from ablate.study.nouns import Plan
from ablate.trial import journal, trial_file
from ablate.trial.environment import git
from reports.documents.chain import Chain, line_of, read_chain, sealed
from reports.documents.ledger import NAME, PLANS, head_of
from reports.documents.rule import Rule


class Ledger:
    """An open ledger that nobody else appends to; see `opened`.

    Attributes:
        plan: the content of plan.json when the ledger was opened; empty: there was none.
        chain: the entries so far.
    """

    def __init__(self, folder: Path, file: IO[bytes]) -> None:
        self.folder, self._file = folder, file
        self.plan = plan_document(folder)
        self._data = file.read()
        self.chain: Chain = read_chain(self._data)

    @property
    def head(self) -> dict[str, Any]:
        """What plan.json keeps of the ledger: the number of its entries and the digest of the
        newest."""
        return {"entries": len(self.chain.entries), "sha256": self.chain.last}

    def newest(self, kinds: Collection[str]) -> Mapping[str, Any] | None:
        """Return the newest entry of these kinds; None: there is none."""
        found = (entry for _, entry in reversed(self.chain.entries) if entry.get("kind") in kinds)
        return next(found, None)

    def append(self, kind: str, **content: Any) -> None:
        """Append an entry and put it on the disk; where lines are lost, an entry says so first."""
        kept = head_of(self.plan)
        if kind != "gap" and kept is not None and not self.chain.holds(kept):
            self.plan = {**self.plan, "ledger": None}
            self.append("gap", expected=kept)
        entry = sealed({"kind": kind, "time": now(), **content, "previous": self.chain.last})
        line = line_of(entry)
        # After a line that was cut while it was written, the next one begins on a line of its own.
        line = b"\n" + line if self._data and not self._data.endswith(b"\n") else line
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._data += line
        entries = (*self.chain.entries, (self._data.count(b"\n"), entry))
        self.chain = replace(self.chain, entries=entries, last=str(entry["sha256"]))


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """Open the ledger in a study's folder, made when missing; afterwards plan.json knows its newest
    entry.

    Raises:
        OSError: it can't be written.
    """
    with (folder / NAME).open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        ledger = Ledger(folder, file)
        before = ledger.chain.last
        yield ledger

        plan = plan_document(folder)
        if ledger.chain.last != before and plan:
            atomic.write_json(StudyFolder(folder).plan, {**plan, "ledger": ledger.head})


def record_plan(folder: Path, plan: Plan, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Append a plan that is about to run, if its hash, rule, or seeds differ from those of the
    newest entry.

    A folder that has a plan and no ledger was made before there were ledgers, or has lost its own:
    its plan and its report are entered first, as found.

    Args:
        folder: `OUT/<study>`, with the plan.json of the plan before.
        plan: the whole plan, with the seeds of all looks.
        outcome: the rule as in plan.json.

    Returns:
        What plan.json shall keep as `ledger`.
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
    """Append a look at results, for a report that is about to be built; nothing without anything
    new to see.

    A folder without a ledger gets none: only `run` and `plan --register` know a plan to begin it
        with.

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
    """Return the entries of a study's ledger; none where there is no ledger."""
    path = folder / NAME
    return [entry for _, entry in read_chain(path.read_bytes() if path.is_file() else b"").entries]


def now() -> str:
    """Return the time as the ledger writes it, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def plan_content(plan: Plan, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry holds of a plan."""
    return {
        "plan": plan.hash,
        "rule": dict(outcome),
        "seeds": sorted({trial.seed for trial in plan.trials}),
        "cells": len({trial.cell_id for trial in plan.trials}),
        "trials": len(plan.trials),
    }


def same_plan(entry: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether an entry holds this plan: hash, rule, and seeds."""
    try:
        alike = Rule.of(entry["rule"]) == Rule.of(content["rule"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return alike and all(entry.get(key) == content[key] for key in ("plan", "seeds"))


def with_results(folder: Path) -> int:
    """Return how many trials in a study's folder have recorded anything."""
    return sum(
        journal.size(where) > 0 or trial_file.status_of(trial_file.read(where)) in trial_file.ENDED
        for where in (StudyFolder(folder).trials).glob("*")
    )


def _enter_found(ledger: Ledger, content: Mapping[str, Any]) -> None:
    """Enter the plan in plan.json, and the report that was built from it."""
    plan, folder = ledger.plan, ledger.folder
    trials = plan["trials"]
    found = {
        "plan": plan.get("hash"),
        "rule": plan.get("outcome"),
        "seeds": sorted({trial["seed"] for trial in trials}),
        "cells": len({trial["cell_id"] for trial in trials}),
        "trials": len(trials),
    }
    # plan.json has the seeds of one look; where the plan is today's, all its seeds are known.
    found = dict(content) if found["plan"] == content["plan"] else found
    ended = _ended(folder, plan)
    ledger.append("found", **found, ended=len(ended), started=with_results(folder))
    if ended and (StudyFolder(folder).report).is_dir():
        ledger.append("look", **_look(plan, ended, found))


def _look(
    plan: Mapping[str, Any], ended: Mapping[str, int], whole: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What an entry holds of a look.

    Args:
        plan: the content of plan.json.
        ended: trial id -> seed of each trial with an outcome.
        whole: the plan's entry, which has the trials of all looks.
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
    """Trial id -> seed of each trial of a plan.json that has an outcome."""
    return {
        trial["trial_id"]: trial["seed"]
        for trial in plan.get("trials", ())
        if trial_file.status_of(trial_file.standing(StudyFolder(folder).trial(trial["trial_id"])))
        in trial_file.ENDED
    }


def code() -> dict[str, Any]:
    """Return the version of the package, and commit of the code where it runs from a repository."""
    return {"version": plan_file.versions().get("g2g-ablate"), "commit": git().get("commit")}
