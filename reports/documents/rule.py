"""A study's rule as its ledger shows it: plans, changes of the rule, and looks at results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from reports.documents.chain import Damage

Kind = Literal["plan", "register", "found"]


@dataclass(frozen=True)
class Degradation:
    """When a trial counts as degraded, see the study file's `outcome.degradation`.

    Attributes:
        relative: Share of the value at step 0 by which the outcome must be worse.
        after_step: Step after which trials can degrade.
        patience: Number of evaluations in a row that must be worse.
    """

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
    """The rule of decision: two rules are equal if they decide alike.

    Attributes:
        metric: Name of the primary metric.
        better: `lower` or `higher`.
        summary: How a trial's curve becomes one number.
        smallest_effect: The margin in the metric's unit, or as a ratio minus 1 on the scale `log`.
        scale: `linear` or `log`.
        degradation: The rule of onset.
        looks: Numbers of seeds, or networks, at which looks are planned; empty for one look at the
            end.
        spend: How the error is spent over planned looks; None without them.
        also: Further outcomes.
        alpha: Level of the tests at each look, as computed for the plan; it follows from the rest.
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
            KeyError, TypeError, ValueError: `outcome` doesn't describe an outcome.
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
                    str(entry["metric"]),
                    str(entry["better"]),
                    _number(entry.get("smallest_effect")),
                )
                for entry in also
            ),
            alpha=_number(outcome.get("alpha")),
        )


def _number(value: Any) -> float | None:
    """Return the value as a number; None stays None."""
    return None if value is None else float(value)


@dataclass(frozen=True)
class PlanEntry:
    """A plan that was fixed.

    Attributes:
        kind: `plan`: fixed by `run`; `register`: fixed by `plan --register`; `found`: the plan was
            in plan.json when the ledger began, so its date is not the date at which the rule was
            fixed.
        date: When it was fixed, in UTC.
        plan_hash: Hash of the plan.
        rule: The rule of decision.
        seeds: All seeds of the plan, also those of looks to come.
        cells: Number of different cells.
        trials: Number of trials, cells times seeds.
        ended: Trials of the previous plan that had an outcome by then (finished or diverged).
        started: Trials of any plan that had recorded results by then, ended or not.
        version: Version of the package.
        commit: Commit of the code, if it ran from a repository.
        expected: Verdicts that the author expected, by factor or `factor=level`.
        networks: Number of networks that the seeds are spread over; None: looks count seeds.
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
    networks: int | None = None

    @property
    def seeds_per_look(self) -> int:
        """Number of seeds of one unit that looks count: those of a network, else 1."""
        return 1 if self.networks is None else max(len(self.seeds) // self.networks, 1)

    def exceeds(self, other: "PlanEntry") -> bool:
        """Return whether this plan has more arms than another one, or seeds that it lacks."""
        return self.cells > other.cells or not set(self.seeds) <= set(other.seeds)


@dataclass(frozen=True)
class Look:
    """A look at results: a report was built.

    Attributes:
        date: When the report was built, in UTC.
        plan_hash: Hash of the plan at that time.
        ended: Trials with an outcome (finished or diverged).
        trials: Trials of the whole plan at that time.
        seeds: Seeds with at least one such trial.
        planned: Whether the plan asked for a look at this point: either every trial had ended, or
            every trial of a number of seeds that the rule's `looks` names.
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
        date: When the rule changed, in UTC.
        changed: Each part that changed, with its values before and after; at least one.
        before: The whole rule before.
        after: The whole rule after.
        plan_hash: Hash of the plan with the new rule.
        ended: Trials that had an outcome by then.
        trials: Number of trials of the previous plan, among which `ended` counts.
        started: Trials of any plan that had recorded results by then, ended or not.
        looks: Number of looks at results so far.
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
        date: When the seeds were added, in UTC.
        seeds: The new seeds.
        plan_hash: Hash of the plan that added them.
        ended: Trials that had an outcome by then.
        looks: Number of looks at results so far; 0 if nobody had seen a report.
        seen: Trials that the newest of these looks showed with an outcome.
    """

    date: datetime
    seeds: tuple[int, ...]
    plan_hash: str
    ended: int
    looks: int
    seen: int


@dataclass(frozen=True)
class Narrowed:
    """A plan that lost arms or seeds when there were results already.

    Attributes:
        before: The plan that had more than the newest one.
        date: When a later plan had less, in UTC.
        ended: Trials that had an outcome by then.
        after: The newest plan.
    """

    before: PlanEntry
    date: datetime
    ended: int
    after: PlanEntry


@dataclass(frozen=True)
class Registration:
    """A plan that was registered before any result, with `plan --register`.

    Attributes:
        date: When it was registered, in UTC.
        plan_hash: Hash of the registered plan.
        rule: The registered rule.
        seeds: The registered seeds.
        expected: Expected verdicts, by factor or `factor=level`.
        intact: Whether registration.json still has its own digest.
        in_ledger: Whether the ledger has an entry of this registration.
        same_plan: Whether the study's plan today is the registered one.
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
        state: `present`; `absent`: there is no ledger, so nobody knows when the rule was fixed;
            `broken`: it was changed, cut, or written again.
        damage: How it was changed. A deleted ledger is `absent` with a damage; if the folder never
            had a ledger, it is `absent` without one.
        torn: Numbers of lines that were cut while they were written; this loses an entry, and is
            not counted as damage.
        plans: The plans in the order in which they were fixed.
        looks: The looks at results in their order.
        rule_changes: Differences between the rules of successive plans, including those before any
            result; see `RuleChange.late`.
        seeds_added: Seeds that no earlier plan had.
        registered: The registration, if there is one.
        trials_before_rule: Ids of trials that started before today's rule was fixed.
        unknown_plans: Ids of trials that ran under a plan that the ledger doesn't hold.
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
        """The newest plan, which decides what is planned; None without a ledger."""
        return self.plans[-1] if self.plans else None

    @property
    def narrowed(self) -> Narrowed | None:
        """The largest plan that lost something after results; None if the newest plan has it all.

        What was dropped before any result can't have been chosen by results, so it doesn't count.
        """
        lost = []
        for number, before in enumerate(self.plans[:-1]):
            after = next((it for it in self.plans[number + 1 :] if before.exceeds(it)), None)
            if after is None or not before.exceeds(self.plans[-1]):
                continue
            if after.ended or after.started or any(look.date < after.date for look in self.looks):
                lost.append(Narrowed(before, after.date, after.ended, self.plans[-1]))
        return max(lost, key=lambda it: it.before.trials, default=None)

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
        """Whether the ledger shows that today's rule was fixed before any trial started."""
        if self.state != "present" or self.first is None or self.first.kind == "found":
            return False
        late = any(change.late for change in self.rule_changes)
        return not late and not self.trials_before_rule
