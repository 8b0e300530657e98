"""`registration.json`: a plan, its rule, and the expected verdicts, fixed before there is any
result."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.disk import atomic, locks
from ablate.disk.folder import StudyFolder
from ablate.disk.room import writable
from ablate.planning import ledger
from ablate.study.nouns import Plan, StudyError
from reports.documents.chain import is_sealed, sealed
from reports.documents.ledger import REGISTRATION


@dataclass(frozen=True)
class Registered:
    """A registration.

    Attributes:
        path: registration.json in the study's folder.
        sha256: its digest; who publishes it can show later that nothing was changed.
        time: when, ISO 8601, UTC.
        before: whether it was there before this command.
    """

    path: Path
    sha256: str
    time: str
    before: bool


def register(plan: Plan, record: Mapping[str, Any], folder: Path) -> Registered:
    """Register a plan in its study's folder and in the ledger there.

    Args:
        plan: the whole plan.
        record: the content of plan.json for it.
        folder: `OUT/<study>`, made when missing.

    Raises:
        StudyError: there are results already, and this plan was not registered before them with
            these expected verdicts; or another command holds the study.
    """
    writable(folder)
    content = ledger.plan_content(plan, record["outcome"]) | {"expected": dict(plan.spec.expect)}
    path = folder / REGISTRATION
    with locks.held(StudyFolder(folder).lock, f"study {plan.spec.name}"):
        known = [entry for entry in ledger.entries(folder) if entry.get("kind") == "register"]
        same = [
            it
            for it in known
            if ledger.same_plan(it, content) and it.get("expected") == content["expected"]
        ]
        if results := ledger.with_results(folder):
            if not same:
                raise StudyError(_too_late(folder, results, known, content))
            return Registered(path, same[-1]["registration"], same[-1]["time"], before=True)

        file = atomic.read_json(path)
        if (
            same
            and same[-1] is known[-1]
            and is_sealed(file)
            and file["sha256"] == same[-1]["registration"]
        ):
            return Registered(path, file["sha256"], file["time"], before=True)

        time = ledger.now()
        whole = sealed({"study": plan.spec.name, "time": time, **content, "cells": record["cells"]})
        atomic.write_json(path, whole)
        with ledger.opened(folder) as book:
            book.append(
                "register", **content, time=time, registration=whole["sha256"], **ledger.code()
            )
        return Registered(path, whole["sha256"], time, before=False)


def _too_late(
    folder: Path, results: int, known: list[Mapping[str, Any]], content: Mapping[str, Any]
) -> str:
    """Why a plan can't be registered any more."""
    trials = f"{results} trial{'s have' if results > 1 else ' has'} recorded results"
    if any(ledger.same_plan(entry, content) for entry in known):
        return (
            f"--register: {folder}: this plan is registered with other expected verdicts, "
            f"and {trials} since"
        )
    return f"--register: {folder}: {trials} already; register a plan before it runs"
