"""What a ledger shows of a study's rule: its plans, its changes, the looks at results, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from reports.documents.chain import Damage

Kind = Literal["plan", "register", "found"]


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
                FurtherOutcome(
                    str(it["metric"]), str(it["better"]), _number(it.get("smallest_effect"))
                )
                for it in also
            ),
            alpha=_number(outcome.get("alpha")),
        )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True)
class PlanEntry:
    """A plan that was fixed.

    Attributes:
        kind: `plan` by `run`; `register` by `plan --register`; `found`: it was in plan.json when
            the ledger began, so its date is not the date at which the rule was fixed.
        date: when, UTC.
        plan_hash: hash of the plan.
        rule: the rule of decision.
        seeds: all seeds of the plan, also those of looks to come.
        cells: number of different cells.
        trials: number of trials, cells times seeds.
        ended: trials of the plan before this one that had an outcome by then (finished or
            diverged).
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
        planned: whether the plan asked for a look at this point: everything had ended, or every
            trial of a number of seeds that the rule's `looks` names.
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
        state: `present`; `absent`: there is none, so nobody knows when the rule was fixed;
            `broken`: it was changed, cut, or written again.
        damage: how it was changed; a deleted ledger is `absent` with a damage, a folder that never
            had one is `absent` without.
        torn: numbers of lines that were cut while they were written; this loses an entry, and is
            not counted as damage.
        plans: the plans in the order in which they were fixed.
        looks: the looks at results in their order.
        rule_changes: differences between the rules of successive plans, those before any result
            too; see `RuleChange.late`.
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
        """The plan with most trials, the newest of equals: with fewer outcomes the study is
        interim."""
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
        """Whether the ledger shows that today's rule was fixed before any trial of the study
        started."""
        if self.state != "present" or self.first is None or self.first.kind == "found":
            return False
        late = any(change.late for change in self.rule_changes)
        return not late and not self.trials_before_rule
