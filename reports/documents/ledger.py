"""Facts that follow from the ledger in a study folder."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from reports.documents.chain import Chain, Damage, is_sealed, read_chain
from reports.documents.plan import PlanDocument
from reports.documents.rule import (
    Changed,
    LedgerFacts,
    Look,
    PlanEntry,
    Registration,
    Rule,
    RuleChange,
    SeedsAdded,
)

NAME = "ledger.jsonl"
REGISTRATION = "registration.json"

PLANS = ("plan", "register", "found")
"""Kinds of entries that hold a plan."""


def load_ledger(folder: str | Path) -> LedgerFacts:
    """Return what the ledger in a study folder shows; never raise for its content.

    Args:
        folder: The study folder, such as `runs/<study>`.

    Raises:
        OSError: The ledger exists but can't be read.
    """
    folder = Path(folder)
    plan = cast(PlanDocument, _object(folder / "plan.json"))
    ids = [str(trial["trial_id"]) for trial in plan.get("trials", ()) if isinstance(trial, Mapping)]
    documents = {id_: _object(folder / "trials" / id_ / "trial.json") for id_ in ids}
    return of_folder(folder, plan, documents)


def of_folder(
    folder: Path, plan: PlanDocument, documents: Mapping[str, Mapping[str, Any]]
) -> LedgerFacts:
    """Return what a ledger shows, if plan.json and the trials' documents have been read.

    Args:
        folder: The study folder.
        plan: The content of plan.json.
        documents: Trial id -> content of trial.json.

    Raises:
        OSError: The ledger exists but can't be read.
    """
    path = folder / NAME
    data = path.read_bytes() if path.is_file() else None
    return ledger_facts(data, plan, documents, _object(folder / REGISTRATION))


def ledger_facts(
    data: bytes | None,
    plan: PlanDocument,
    documents: Mapping[str, Mapping[str, Any]],
    registration: Mapping[str, Any],
) -> LedgerFacts:
    """Return what a ledger shows.

    Args:
        data: The content of ledger.jsonl; None if the file doesn't exist.
        plan: The content of plan.json; its `ledger` is the digest of the newest entry.
        documents: Trial id -> content of trial.json.
        registration: The content of registration.json; empty if the file doesn't exist.
    """
    chain = read_chain(data or b"")
    plans, looks, changes, added = _history(chain)
    known = {entry.plan_hash for entry in plans}
    unknown = tuple(
        id_
        for id_, document in documents.items()
        if document.get("plan_hash", None) not in {*known, None}
    )

    damage = _damage(chain, data, plan)
    if damage is None and unknown:
        damage = Damage("deleted") if data is None else Damage("rewritten")

    # The rule of today is as old as its last change.
    since = max((change.date for change in changes), default=plans[0].date if plans else None)
    early = [
        id_ for id_, document in documents.items() if since and _started_before(document, since)
    ]

    state: Literal["present", "absent", "broken"] = "present" if data else "absent"
    return LedgerFacts(
        state="broken" if damage and data is not None else state,
        damage=damage,
        torn=chain.torn,
        plans=tuple(plans),
        looks=tuple(looks),
        rule_changes=tuple(changes),
        seeds_added=tuple(added),
        registered=_registration(chain, registration, plan),
        trials_before_rule=tuple(early),
        unknown_plans=unknown,
    )


def _damage(chain: Chain, data: bytes | None, plan: PlanDocument) -> Damage | None:
    """Return the first sign that the ledger isn't what was written, or None."""
    # Before the next entry, a command marks lost lines by an entry of the kind `gap`.
    gap = next((number for number, entry in chain.entries if entry.get("kind") == "gap"), None)
    if chain.damage and not (gap and chain.damage.line and gap < chain.damage.line):
        return chain.damage
    if gap:
        return Damage("deleted" if gap == 1 else "truncated", gap)

    # Without a break in the chain, only its end can be missing.
    head = head_of(plan)
    if head is None or chain.holds(head):
        return None
    if data is None:
        return Damage("deleted")
    return Damage("truncated", 1 + max((number for number, _ in chain.entries), default=0))


def head_of(plan: PlanDocument) -> str | None:
    """Return the digest of the ledger's newest entry that plan.json keeps, if any."""
    head = plan.get("ledger")
    return str(head["sha256"]) if isinstance(head, Mapping) and "sha256" in head else None


def _history(
    chain: Chain,
) -> tuple[list[PlanEntry], list[Look], list[RuleChange], list[SeedsAdded]]:
    """Return the plans and looks of a ledger, and how each plan differs from earlier ones."""
    plans: list[PlanEntry] = []
    looks: list[Look] = []
    changes: list[RuleChange] = []
    added: list[SeedsAdded] = []
    for entry in _plans_and_looks(chain):
        if isinstance(entry, Look):
            planned = bool(plans) and _is_planned(entry, plans[-1])
            looks.append(replace(entry, planned=planned))
            continue

        if plans:
            changes += _changes(plans[-1], entry, len(looks))
            added += _added(plans, entry, looks)
        plans.append(entry)
    return plans, looks, changes, added


def _plans_and_looks(chain: Chain) -> Iterator[PlanEntry | Look]:
    """Yield the plans and looks of a ledger in their order.

    Entries of other kinds, and those that lack a key, are left out.
    """
    for _, entry in chain.entries:
        try:
            if entry.get("kind") in PLANS:
                yield _plan_entry(entry)
            elif entry.get("kind") == "look":
                yield _look(entry)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue


def _plan_entry(entry: Mapping[str, Any]) -> PlanEntry:
    return PlanEntry(
        kind=entry["kind"],
        date=_date(entry["time"]),
        plan_hash=str(entry["plan"]),
        rule=Rule.of(entry["rule"]),
        seeds=tuple(int(seed) for seed in entry["seeds"]),
        cells=int(entry["cells"]),
        trials=int(entry["trials"]),
        ended=int(entry.get("ended", 0)),
        started=int(entry.get("started", 0)),
        version=entry.get("version"),
        commit=entry.get("commit"),
        expected=dict(entry.get("expected") or {}),
        networks=entry.get("networks"),
    )


def _look(entry: Mapping[str, Any]) -> Look:
    return Look(
        date=_date(entry["time"]),
        plan_hash=str(entry["plan"]),
        ended=int(entry["ended"]),
        trials=int(entry["trials"]),
        seeds=tuple(int(seed) for seed in entry["seeds"]),
        planned=False,
    )


def _date(text: str) -> datetime:
    """Return a time of the ledger; without a zone it is UTC."""
    date = datetime.fromisoformat(text)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _is_planned(look: Look, plan: PlanEntry) -> bool:
    """Return whether a plan asks for a look at this point.

    It does at its end, and when all trials of a planned number of seeds, or networks, have ended.
    """
    units, rest = divmod(len(look.seeds), plan.seeds_per_look)
    whole = not rest and look.ended == len(look.seeds) * plan.cells
    at_look = whole and units in plan.rule.looks
    return look.ended >= look.trials or at_look


def _changes(before: PlanEntry, after: PlanEntry, looks: int) -> Iterator[RuleChange]:
    """Yield the change of the rule between two successive plans, if there is one."""
    if before.rule == after.rule:
        return

    changed = tuple(
        Changed(each.name, getattr(before.rule, each.name), getattr(after.rule, each.name))
        for each in fields(Rule)
        if each.compare and getattr(before.rule, each.name) != getattr(after.rule, each.name)
    )
    yield RuleChange(
        date=after.date,
        changed=changed,
        before=before.rule,
        after=after.rule,
        plan_hash=after.plan_hash,
        ended=after.ended,
        trials=before.trials,
        started=after.started,
        looks=looks,
    )


def _added(
    plans: Sequence[PlanEntry], plan: PlanEntry, looks: Sequence[Look]
) -> Iterator[SeedsAdded]:
    """Yield the seeds of a plan that no earlier plan has, if any."""
    known = {seed for earlier in plans for seed in earlier.seeds}
    new = tuple(seed for seed in plan.seeds if seed not in known)
    if new:
        seen = looks[-1].ended if looks else 0
        yield SeedsAdded(plan.date, new, plan.plan_hash, plan.ended, len(looks), seen)


def _started_before(document: Mapping[str, Any], date: datetime) -> bool:
    """Return whether a trial's first attempt began before a date."""
    attempts = document.get("attempts")
    first = attempts[0] if isinstance(attempts, list) and attempts else None
    started = first.get("started") if isinstance(first, Mapping) else None
    return isinstance(started, int | float) and started < date.timestamp()


def _registration(
    chain: Chain, content: Mapping[str, Any], plan: PlanDocument
) -> Registration | None:
    """Return the registration of registration.json.

    If that file is missing or was changed, the ledger's entry counts.
    """
    entries = [entry for _, entry in chain.entries if entry.get("kind") == "register"]
    logged = {str(entry.get("registration")): entry for entry in entries}
    intact = bool(content) and is_sealed(content)
    source = content if intact or not entries else entries[-1]

    try:
        return Registration(
            date=_date(source["time"]),
            plan_hash=str(source["plan"]),
            rule=Rule.of(source["rule"]),
            seeds=tuple(int(seed) for seed in source["seeds"]),
            expected=dict(source.get("expected") or {}),
            intact=intact,
            in_ledger=bool(entries) and (not intact or str(content.get("sha256")) in logged),
            same_plan=plan.get("hash") == source["plan"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty if there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
