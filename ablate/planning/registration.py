"""Registration of a study: its plan, rule, and expected verdicts, fixed before any result.

The registration is the file `registration.json` in the study's folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.disk import locks
from ablate.disk.folder import StudyFolder
from ablate.disk.room import writable
from ablate.planning import ledger
from ablate.study.nouns import Plan, StudyError
from g2g_base import atomic
from reports.documents.chain import is_sealed, sealed
from reports.documents.ledger import REGISTRATION


@dataclass(frozen=True)
class Registered:
    """A registration of a study.

    Attributes:
        path: registration.json in the study's folder.
        sha256: digest of the registration; whoever publishes the digest can show later that the
            registration was not changed.
        time: time of the registration, ISO 8601, UTC.
        before: whether the registration existed before this command.
    """

    path: Path
    sha256: str
    time: str
    before: bool


def register(plan: Plan, record: Mapping[str, Any], folder: Path) -> Registered:
    """Register a plan in its study's folder and in the study's ledger.

    Args:
        plan: the whole plan.
        record: the content of plan.json for this plan.
        folder: `OUT/<study>`, made if it is missing.

    Returns:
        The new registration, or the existing one if the same plan and expected verdicts are
        registered already.

    Raises:
        StudyError: trials have recorded results, and this plan was not registered with these
            expected verdicts; or another command uses the study.
    """
    writable(folder)
    content = ledger.plan_content(plan, record["outcome"]) | {"expected": dict(plan.spec.expect)}
    path = folder / REGISTRATION
    with locks.held(StudyFolder(folder).lock, f"study {plan.spec.name}"):
        known = [entry for entry in ledger.entries(folder) if entry.get("kind") == "register"]
        same = [
            entry
            for entry in known
            if ledger.same_plan(entry, content) and entry.get("expected") == content["expected"]
        ]

        if results := ledger.with_results(folder):
            if not same:
                raise StudyError(_too_late(folder, results, known, content))
            return Registered(path, same[-1]["registration"], same[-1]["time"], before=True)

        # An intact file of the newest registration is kept, so that its published digest stays.
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
    """Return why a plan can't be registered after results were recorded."""
    trials = f"{results} trial{'s have' if results > 1 else ' has'} recorded results"
    if any(ledger.same_plan(entry, content) for entry in known):
        return (
            f"--register: {folder}: this plan is registered with other expected verdicts, "
            f"and {trials} since"
        )
    return f"--register: {folder}: {trials} already; register a plan before it runs"
