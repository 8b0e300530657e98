"""How the weight of a loss term changes over the steps."""

from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("constant", "ramp", "delay")


@dataclass(frozen=True)
class Schedule:
    """A factor in [0, 1] on a term's weight, by the number of completed steps.

    Attributes:
        kind: `constant` is 1; `ramp` rises linearly from 0 at `start` to 1 at `end` (Sec. V-B);
            `delay` is 0 before `start` and 1 from there on.
        start: completed steps.
        end: completed steps; for `ramp`.
    """

    kind: str = "constant"
    start: int = 0
    end: int = 0

    @classmethod
    def of(cls, entry: Mapping[str, str | int] | None, where: str) -> "Schedule":
        """Return the schedule of a config entry; None gives a constant schedule.

        Args:
            entry: `kind`, and where the kind needs them `start` and `end`.
            where: path of the entry in the config, for the messages.

        Raises:
            ValueError: an unknown key or kind, or a ramp that does not end after it starts.
        """
        if entry is None:
            return cls()
        if unknown := sorted(set(entry) - {"kind", "start", "end"}):
            raise ValueError(f"{where}.{unknown[0]}: no such key; there are kind, start, end")
        schedule = cls(
            str(entry.get("kind", "")), int(entry.get("start", 0)), int(entry.get("end", 0))
        )
        if schedule.kind not in KINDS:
            raise ValueError(f"{where}.kind: {schedule.kind!r} is not one of {', '.join(KINDS)}")
        if schedule.kind == "ramp" and schedule.end <= schedule.start:
            raise ValueError(
                f"{where}: a ramp must end after it starts ({schedule.start} to {schedule.end})"
            )
        return schedule

    def factor(self, step: int) -> float:
        """Return the factor for the step that follows `step` completed ones."""
        if self.kind == "ramp":
            return min(1.0, max(0.0, (step - self.start) / (self.end - self.start)))
        return 0.0 if self.kind == "delay" and step < self.start else 1.0
