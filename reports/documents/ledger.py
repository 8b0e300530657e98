"""The ledger of a study's rule, `ledger.jsonl`: its entries, their hash chain, and the facts that follow.

Each line is a JSON object. `sha256` is the digest of the rest of the object; `previous` is the `sha256`
of the line before. Whoever changes or removes a line breaks the chain, and `plan.json` keeps the digest
of the newest line, so that a ledger cut at its end is noticed too. The chain shows changes; it is no
signature: someone who writes every file of the folder again can hide them.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

NAME = "ledger.jsonl"
REGISTRATION = "registration.json"
START = "0" * 64
"""What the first entry names as the digest of the entry before."""

PLANS = ("plan", "register", "found")
"""Kinds of entries that hold a plan."""

Kind = Literal["plan", "register", "found"]


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with its digest as `sha256`.

    Args:
        content: strict JSON, so without NaN; a `sha256` that is there is replaced.
    """
    return {**content, "sha256": _digest(content)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether the object still has the digest that `sealed` gave it."""
    try:
        return bool(content.get("sha256") == _digest(content))
    except (ValueError, RecursionError):
        return False


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as a line of the ledger."""
    return _canonical(entry) + b"\n"


def _digest(content: Mapping[str, Any]) -> str:
    bare = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(_canonical(bare)).hexdigest()


def _canonical(value: Mapping[str, Any]) -> bytes:
    """One text for equal objects; a lone surrogate is escaped, since it can't be written as UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


@dataclass(frozen=True)
class Damage:
    """How a ledger differs from what was written.

    Attributes:
        kind: `edited`: a line was changed; `removed`: a line is missing before this one; `truncated`: the
            newest lines are missing; `deleted`: the file is missing; `rewritten`: trials ran under a plan
            that no line holds.
        line: number of the first bad line, from 1; None where no single line is bad.
    """

    kind: Literal["edited", "removed", "truncated", "deleted", "rewritten"]
    line: int | None = None


@dataclass(frozen=True)
class Chain:
    """The lines of a ledger.

    Attributes:
        entries: (line number, entry) of each entry whose own digest is right.
        torn: numbers of lines that were cut while they were written.
        damage: the first break of the chain.
        last: what the next entry names as `previous`.
    """

    entries: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    torn: tuple[int, ...] = ()
    damage: Damage | None = None
    last: str = START

    def holds(self, digest: str) -> bool:
        """Whether an entry has this digest."""
        return any(entry["sha256"] == digest for _, entry in self.entries)


def read_chain(data: bytes) -> Chain:
    """Return the entries of a ledger's bytes, and where the chain breaks first; never raises."""
    entries: list[tuple[int, Mapping[str, Any]]] = []
    torn: list[int] = []
    damage: Damage | None = None
    last = START
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        entry = _parsed(line)
        if entry is None:
            torn.append(number)
            continue
        own = is_sealed(entry)
        if own and entry.get("previous") != last:
            # A line that can't be read, and that the chain needs, was changed and not cut while written.
            lost = [it for it in torn if not entries or it > entries[-1][0]]
            torn = [it for it in torn if it not in lost]
            damage = damage or (Damage("edited", lost[0]) if lost else Damage("removed", number))
        if own:
            entries.append((number, entry))
        else:
            damage = damage or Damage("edited", number)
        last = str(entry.get("sha256"))
    return Chain(tuple(entries), tuple(torn), damage, last)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The object in a line; None when the line is no whole object."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Degradation:
    """When a trial counts as degraded; see the study file's `outcome.degradation`."""

    relative: float
    after_step: int
    patience: int


@dataclass(frozen=True)
class FurtherOutcome:
    """An outcome next to the primary one; `smallest_effect` is in the metric's unit."""

    metric: str
    better: str
    smallest_effect: float | None


@dataclass(frozen=True)
class Rule:
    """The rule of decision: two rules are equal when they decide alike.

    Attributes:
        metric: name of the primary metric.
        better: `lower` or `higher`.
        summary: how a trial's curve becomes one number.
        smallest_effect: the margin, in the metric's unit, or as a ratio minus 1 on the scale `log`.
        scale: `linear` or `log`.
        degradation: the rule of onset.
        looks: numbers of seeds at which looks are planned; empty: one look, at the end.
        spend: how the error is spent over planned looks; None without them.
        also: further outcomes.
        alpha: level of the tests at each look, as computed for the plan; follows from the rest.
    """

    metric: str
    better: str
    summary: str
    smallest_effect: float | None
    scale: str
    degradation: Degradation
    looks: tuple[int, ...] = ()
    spend: str | None = None
    also: tuple[FurtherOutcome, ...] = ()
    alpha: float | None = field(default=None, compare=False)

    @classmethod
    def of(cls, outcome: Mapping[str, Any]) -> "Rule":
        """Return the rule of `outcome` in plan.json; keys that are missing have their defaults.

        Raises:
            KeyError, TypeError, ValueError: it is no outcome.
        """
        onset = outcome.get("degradation") or {}
        also = outcome.get("also") or ()
        return cls(
            metric=str(outcome["metric"]),
            better=str(outcome.get("better", "lower")),
            summary=str(outcome.get("summary", "last")),
            smallest_effect=_number(outcome.get("smallest_effect")),
            scale=str(outcome.get("scale", "linear")),
            degradation=Degradation(
                float(onset.get("relative", 0.10)),
                int(onset.get("after_step", 0)),
                int(onset.get("patience", 1)),
            ),
            looks=tuple(int(look) for look in outcome.get("looks") or ()),
            spend=outcome.get("spend"),
            also=tuple(
                FurtherOutcome(str(it["metric"]), str(it["better"]), _number(it.get("smallest_effect"))) for it in also
            ),
            alpha=_number(outcome.get("alpha")),
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True)
class PlanEntry:
    """A plan that was fixed.

    Attributes:
        kind: `plan` by `run`; `register` by `plan --register`; `found`: it was in plan.json when the
            ledger began, so its date is not the date at which the rule was fixed.
        date: when, UTC.
        plan_hash: hash of the plan.
        rule: the rule of decision.
        seeds: all seeds of the plan, also those of looks to come.
        cells: number of different cells.
        trials: number of trials, cells times seeds.
        ended: trials of the plan before this one that had an outcome by then (finished or diverged).
        started: trials of any plan that had recorded results by then, ended or not.
        version: version of the package.
        commit: commit of the code, where it ran from a repository.
        expected: verdicts that the author expected, by factor or `factor=level`.
    """

    kind: Kind
    date: datetime
    plan_hash: str
    rule: Rule
    seeds: tuple[int, ...]
    cells: int
    trials: int
    ended: int = 0
    started: int = 0
    version: str | None = None
    commit: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """A look at results: a report was built.

    Attributes:
        date: when, UTC.
        plan_hash: hash of the plan at that time.
        ended: trials with an outcome (finished or diverged).
        trials: trials of the whole plan at that time.
        seeds: seeds with at least one such trial.
        planned: whether the plan asked for a look at this point: everything had ended, or every trial of
            a number of seeds that the rule's `looks` names.
    """

    date: datetime
    plan_hash: str
    ended: int
    trials: int
    seeds: tuple[int, ...]
    planned: bool


@dataclass(frozen=True)
class Changed:
    """A part of the rule that was changed; `name` is an attribute of `Rule`."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RuleChange:
    """A change of the rule.

    Attributes:
        date: when, UTC.
        changed: what, from, to; at least one.
        before: the whole rule before.
        after: the whole rule after.
        plan_hash: hash of the plan with the new rule.
        ended: trials that had an outcome by then.
        trials: of so many, those of the plan before.
        started: trials of any plan that had recorded results by then, ended or not.
        looks: looks at results so far.
    """

    date: datetime
    changed: tuple[Changed, ...]
    before: Rule
    after: Rule
    plan_hash: str
    ended: int
    trials: int
    started: int
    looks: int

    @property
    def late(self) -> bool:
        """Whether there were results by then, so that the rule may have been chosen by them."""
        return bool(self.ended or self.started or self.looks)


@dataclass(frozen=True)
class SeedsAdded:
    """Seeds that no earlier plan had.

    Attributes:
        date: when, UTC.
        seeds: the new seeds.
        plan_hash: hash of the plan that added them.
        ended: trials that had an outcome by then.
        looks: looks at results so far; 0: nobody had seen a report.
        seen: trials that the newest of these looks showed with an outcome.
    """

    date: datetime
    seeds: tuple[int, ...]
    plan_hash: str
    ended: int
    looks: int
    seen: int


@dataclass(frozen=True)
class Registration:
    """A plan that was registered before any result, `plan --register`.

    Attributes:
        date: when, UTC.
        plan_hash: hash of the registered plan.
        rule: the registered rule.
        seeds: the registered seeds.
        expected: expected verdicts, by factor or `factor=level`.
        intact: whether registration.json still has its own digest.
        in_ledger: whether the ledger has an entry of this very registration.
        same_plan: whether the study's plan today is the registered one.
    """

    date: datetime
    plan_hash: str
    rule: Rule
    seeds: tuple[int, ...]
    expected: Mapping[str, str]
    intact: bool
    in_ledger: bool
    same_plan: bool


@dataclass(frozen=True)
class LedgerFacts:
    """What a ledger shows of a study.

    Attributes:
        state: `present`; `absent`: there is none, so nobody knows when the rule was fixed; `broken`: it
            was changed, cut, or written again.
        damage: how it was changed; a deleted ledger is `absent` with a damage, a folder that never had
            one is `absent` without.
        torn: numbers of lines that were cut while they were written; this loses an entry, and is not
            counted as damage.
        plans: the plans in the order in which they were fixed.
        looks: the looks at results in their order.
        rule_changes: differences between the rules of successive plans, those before any result too;
            see `RuleChange.late`.
        seeds_added: seeds beyond all plans before.
        registered: the registration, if there is one.
        trials_before_rule: ids of trials that started before today's rule was fixed.
        unknown_plans: ids of trials that ran under a plan that the ledger doesn't hold.
    """

    state: Literal["present", "absent", "broken"]
    damage: Damage | None = None
    torn: tuple[int, ...] = ()
    plans: tuple[PlanEntry, ...] = ()
    looks: tuple[Look, ...] = ()
    rule_changes: tuple[RuleChange, ...] = ()
    seeds_added: tuple[SeedsAdded, ...] = ()
    registered: Registration | None = None
    trials_before_rule: tuple[str, ...] = ()
    unknown_plans: tuple[str, ...] = ()

    @property
    def first(self) -> PlanEntry | None:
        """The first plan; None without a ledger."""
        return self.plans[0] if self.plans else None

    @property
    def current(self) -> PlanEntry | None:
        """The newest plan; None without a ledger."""
        return self.plans[-1] if self.plans else None

    @property
    def widest(self) -> PlanEntry | None:
        """The plan with most trials, the newest of equals: with fewer outcomes the study is interim."""
        return max(reversed(self.plans), key=lambda plan: plan.trials, default=None)

    @property
    def peeked(self) -> bool:
        """Whether seeds beyond the plan were added after someone had looked at results."""
        return any(added.looks for added in self.seeds_added)

    @property
    def unplanned_looks(self) -> tuple[Look, ...]:
        """Looks at results that the plan did not ask for."""
        return tuple(look for look in self.looks if not look.planned)

    @property
    def fixed_before_trials(self) -> bool:
        """Whether the ledger shows that today's rule was fixed before any trial of the study started."""
        if self.state != "present" or self.first is None or self.first.kind == "found":
            return False
        late = any(change.late for change in self.rule_changes)
        return not late and not self.trials_before_rule


def load_ledger(folder: str | Path) -> LedgerFacts:
    """Return what the ledger in a study's folder shows, `OUT/<study name>`; never raises for its content.

    Raises:
        OSError: the ledger is there and can't be read.
    """
    folder = Path(folder)
    plan = _object(folder / "plan.json")
    ids = [str(trial["trial_id"]) for trial in plan.get("trials", ()) if isinstance(trial, Mapping)]
    documents = {id_: _object(folder / "trials" / id_ / "trial.json") for id_ in ids}
    return of_folder(folder, plan, documents)


def of_folder(folder: Path, plan: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]]) -> LedgerFacts:
    """Return the same where plan.json and the trials' documents are read already."""
    path = folder / NAME
    data = path.read_bytes() if path.is_file() else None
    return ledger_facts(data, plan, documents, _object(folder / REGISTRATION))


def ledger_facts(
    data: bytes | None,
    plan: Mapping[str, Any],
    documents: Mapping[str, Mapping[str, Any]],
    registration: Mapping[str, Any],
) -> LedgerFacts:
    """Return what a ledger shows.

    Args:
        data: the content of ledger.jsonl; None: there is no such file.
        plan: the content of plan.json; its `ledger` is the head that was kept there.
        documents: trial id -> content of trial.json.
        registration: the content of registration.json; empty: there is none.
    """
    chain = read_chain(data or b"")
    plans, looks, changes, added = _history(chain)
    known = {entry.plan_hash for entry in plans}
    unknown = tuple(id_ for id_, it in documents.items() if it.get("plan_hash", None) not in {*known, None})
    damage = _damage(chain, data, plan)
    if damage is None and unknown:
        damage = Damage("deleted") if data is None else Damage("rewritten")
    since = max((change.date for change in changes), default=plans[0].date if plans else None)
    early = [id_ for id_, document in documents.items() if since and _started_before(document, since)]
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


def _damage(chain: Chain, data: bytes | None, plan: Mapping[str, Any]) -> Damage | None:
    """The first sign that the ledger isn't what was written."""
    gap = next((number for number, entry in chain.entries if entry.get("kind") == "gap"), None)
    if chain.damage and not (gap and chain.damage.line and gap < chain.damage.line):
        return chain.damage
    if gap:
        return Damage("deleted" if gap == 1 else "truncated", gap)
    head = head_of(plan)
    if head is None or chain.holds(head):
        return None
    if data is None:
        return Damage("deleted")
    return Damage("truncated", 1 + max((number for number, _ in chain.entries), default=0))


def head_of(plan: Mapping[str, Any]) -> str | None:
    """Return the digest of the ledger's newest entry that plan.json keeps, if any."""
    kept = plan.get("ledger")
    return str(kept["sha256"]) if isinstance(kept, Mapping) and "sha256" in kept else None


def _history(
    chain: Chain,
) -> tuple[list[PlanEntry], list[Look], list[RuleChange], list[SeedsAdded]]:
    """The plans and looks of a ledger in their order, and how each plan differs from those before."""
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
    """Yield the plans and looks of a ledger; entries of other kinds, or that lack a key, are passed over."""
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
    """A time of the ledger; one without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_planned(look: Look, plan: PlanEntry) -> bool:
    """Whether a plan asks for this look: at its end, or at a number of seeds that are complete."""
    at_look = len(look.seeds) in plan.rule.looks and look.ended == len(look.seeds) * plan.cells
    return look.ended >= look.trials or at_look


def _changes(before: PlanEntry, after: PlanEntry, looks: int) -> Iterator[RuleChange]:
    """The change of the rule between two successive plans, if there is one."""
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


def _added(plans: Sequence[PlanEntry], plan: PlanEntry, looks: Sequence[Look]) -> Iterator[SeedsAdded]:
    """The seeds that a plan has beyond all plans before, if any."""
    known = {seed for earlier in plans for seed in earlier.seeds}
    new = tuple(seed for seed in plan.seeds if seed not in known)
    if new:
        seen = looks[-1].ended if looks else 0
        yield SeedsAdded(plan.date, new, plan.plan_hash, plan.ended, len(looks), seen)


def _started_before(document: Mapping[str, Any], date: datetime) -> bool:
    """Whether a trial's first attempt began before a date."""
    attempts = document.get("attempts")
    first = attempts[0] if isinstance(attempts, list) and attempts else None
    started = first.get("started") if isinstance(first, Mapping) else None
    return isinstance(started, int | float) and started < date.timestamp()


def _registration(chain: Chain, content: Mapping[str, Any], plan: Mapping[str, Any]) -> Registration | None:
    """The registration of registration.json, or of the ledger where the file is missing or was changed."""
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
    """The object in a JSON file; empty when there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
