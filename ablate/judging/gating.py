"""Asks the gate about the runs of two sources, and makes further seeds by commands."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ablate.judging.arms import Arm, append, produce, read_arm
from ablate.judging.columns import usual_direction
from ablate.judging.gate import GUARDS, Gated, GateRule, gate
from ablate.study.nouns import StudyError


@dataclass(frozen=True)
class Asked:
    """What the gate is asked.

    Attributes:
        reference: source of the reference's runs.
        candidate: source of the candidate's runs.
        pair: column with the seed; empty: guessed.
        outcome: name of the number that decides.
        better: `lower` or `higher`; empty: guessed by the name.
        smallest_effect: smallest improvement that matters, or None.
        guard: `stream` or `proposal`.
        name: of the proposal, for people.
    """

    reference: str
    candidate: str
    pair: str
    outcome: str
    better: str = ""
    smallest_effect: float | None = None
    guard: str = "stream"
    name: str = ""

    @property
    def rule(self) -> GateRule:
        """The rule of the stream.

        Raises:
            StudyError: an option has no such value, or nobody said which direction is better.
        """
        better = self.better or usual_direction(self.outcome)
        if self.better not in ("", "lower", "higher"):
            raise StudyError(f"--better {self.better}: must be lower or higher")
        if not better:
            raise StudyError(
                f"--outcome {self.outcome}: say which is better, --better lower or higher"
            )
        if self.guard not in GUARDS:
            raise StudyError(f"--guard {self.guard}: must be {' or '.join(GUARDS)}")
        if self.smallest_effect is not None and not 0 < self.smallest_effect < float("inf"):
            raise StudyError(f"--smallest-effect {self.smallest_effect}: must be a number above 0")
        return GateRule(self.outcome, better, self.smallest_effect, self.guard)


def gated(
    asked: Asked,
    state: Path,
    commands: tuple[str, str] = ("", ""),
    budget: int = 20,
    say: Callable[[str], None] = lambda _line: None,
) -> Gated:
    """Return what the gate says; with commands, make the seeds that it asks for.

    Args:
        asked: the question.
        state: the state file of the stream.
        commands: those that make a run of the reference and of the candidate; empty: none.
        budget: largest number of runs of the candidate.
        say: prints a message for people.

    Raises:
        StudyError: a source or a command can't be used.
        Infrastructure: a server doesn't answer.
    """
    rule = asked.rule
    for option, command, source in zip(
        ("--run-reference", "--run"), commands, (asked.reference, asked.candidate), strict=True
    ):
        if command and "{seed}" not in command:
            raise StudyError(f"{option}: {command}: has no {{seed}}, so all runs would be the same")
        if command and not source.endswith(".csv"):
            raise StudyError(f"{option}: {source}: must be a .csv, to which the runs are added")
        if command and not shlex.split(command):
            raise StudyError(f"{option}: is empty")

    made = 0
    while True:
        reference, candidate = (
            _arm(source, asked, bool(command))
            for source, command in zip((asked.reference, asked.candidate), commands, strict=True)
        )
        answer = gate(
            reference.values,
            candidate.values,
            state,
            rule,
            asked.name or asked.candidate,
            max(reference.noise, candidate.noise),
        )
        if answer.decision != "more" or not commands[1] or made >= budget:
            return answer
        for _ in range(min(answer.seeds_needed, budget - made)):
            seed = _next_seed(reference, candidate, bool(commands[0]))
            if seed is None:
                say("the reference has no further seeds; --run-reference makes them")
                return answer
            if seed not in reference.values:
                value = produce(commands[0], seed, asked.outcome, say)
                append(Path(asked.reference), seed, asked.outcome, value)
                reference.values[seed] = value
            value = produce(commands[1], seed, asked.outcome, say)
            append(Path(asked.candidate), seed, asked.outcome, value)
            candidate.values[seed] = value
            made += 1


def _arm(source: str, asked: Asked, filled: bool) -> Arm:
    """Return an arm; empty if its table is still to be filled by a command."""
    if filled and not Path(source).exists():
        return Arm({})
    return read_arm(source, asked.pair, asked.outcome)


def _next_seed(reference: Arm, candidate: Arm, can_add: bool) -> int | None:
    """Return the seed to run next: one that the reference has, or a new one; None if there is none.

    New ones follow on the largest seed.
    """
    left = sorted(set(reference.values) - set(candidate.values))
    if left:
        return left[0]
    return max([*reference.values, *candidate.values], default=-1) + 1 if can_add else None
