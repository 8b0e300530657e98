"""A referee for loops that propose change after change: keep it, drop it, or run more seeds.

A state file keeps what a stream of proposals was asked and what it has spent. It is what makes the
gate strict: a loop that starts a new one for every proposal gets no protection.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablate.study.nouns import StudyError
from g2g_base import atomic
from g2g_base.locks import alone
from reports.stats.stream import LOOKS, Look, decide, stream_level

GUARDS = ("stream", "proposal")
"""What the error of 5% is about: the stream as a whole, or each proposal."""
ERROR = 0.05
VERSION = 1

Values = Mapping[int, float]
"""Seed -> outcome."""


@dataclass(frozen=True)
class GateRule:
    """By which rule all proposals of a stream are judged; it can't change on the way.

    Attributes:
        outcome: name of the number that decides.
        better: `lower` or `higher`.
        smallest_effect: smallest improvement that matters, or None.
        guard: `stream` or `proposal`.
    """

    outcome: str = "outcome"
    better: str = "lower"
    smallest_effect: float | None = None
    guard: str = "stream"


@dataclass(frozen=True)
class Gated:
    """What the gate says about a proposal.

    Attributes:
        decision: `keep`, `drop`, or `more`.
        claim: the reason, one sentence.
        effect: mean improvement over the seeds that count, positive for better; None without any.
        low: lower end of its usual 95% interval; None with fewer than two seeds.
        high: upper end of it.
        p: one-sided p of the exact sign-flip test at the last look; None before the first.
        level: error that this proposal may spend.
        seeds: number of seeds that the decision rests on.
        seeds_needed: number of further seeds until the next look; 0 after a decision.
        proposal: place of the proposal in the stream, from 1.
        asked: how often the gate was asked about any proposal.
        kept: number of proposals of the stream that were kept.
        error_spent: sum of the levels of all proposals so far.
    """

    decision: str
    claim: str
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    level: float
    seeds: int
    seeds_needed: int
    proposal: int
    asked: int
    kept: int
    error_spent: float

    @property
    def keep(self) -> bool:
        """Whether the proposal is kept."""
        return self.decision == "keep"

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        return asdict(self)


def gate(
    reference: Values,
    candidate: Values,
    state: str | Path,
    rule: GateRule | None = None,
    name: str = "",
    noise: float = 0.0,
) -> Gated:
    """Say whether a candidate is better than the reference, and write that into the state.

    Asking again about the same proposal with more seeds costs nothing more. A proposal is the same
    if it has the same values at the seeds that it was judged by. A decision stays.

    Args:
        reference: seed -> outcome of the reference.
        candidate: seed -> outcome of the candidate. Seeds that both have are compared.
        state: the file of this stream; it is made if it is missing.
        rule: by which rule; None: that of the state, or the usual one.
        name: of the proposal, for people.
        noise: standard deviation that the difference of two equal runs has at least.

    Raises:
        StudyError: the state is of another rule or damaged, or no seed is in both.
    """
    path = Path(state)
    with alone(path.with_name(f".{path.name}.lock")):
        stream = _opened(path, rule)
        used = GateRule(**stream["rule"])
        differences = _differences(reference, candidate, used)
        proposal = _proposal(stream, differences, name)
        stream["asked"] += 1

        if proposal["decision"] == "more":
            _ask(proposal, differences, candidate, used, noise)
        atomic.write_json(path, stream)
    return _answer(stream, proposal, used)


def _opened(path: Path, rule: GateRule | None) -> dict[str, Any]:
    """Return the content of a state file, a new one if there is no file.

    Raises:
        StudyError: it is damaged, or begun with another rule.
    """
    if not path.exists():
        fresh = rule or GateRule()
        return {"version": VERSION, "rule": asdict(fresh), "asked": 0, "proposals": []}

    stream = atomic.read_json(path)
    try:
        known = GateRule(**stream["rule"])
        for key in ("number", "level", "decision", "values"):
            for proposal in stream["proposals"]:
                proposal[key]
        stream["asked"] += 0
    except (KeyError, TypeError):
        raise StudyError(f"{path}: is not the state of a gate, or is damaged") from None
    if rule is not None and rule != known:
        name = next(key for key, value in asdict(rule).items() if value != getattr(known, key))
        raise StudyError(
            f"{path}: this stream was begun with {name} {getattr(known, name)}, not "
            f"{getattr(rule, name)}; another rule needs a state file of its own"
        )
    return stream


def _differences(reference: Values, candidate: Values, rule: GateRule) -> dict[int, float]:
    """Return seed -> improvement, for seeds at which the reference has a finite value.

    Raises:
        StudyError: no seed is in both.
    """
    sign = 1 if rule.better == "higher" else -1
    both = {
        seed: sign * (candidate[seed] - reference[seed])
        for seed in sorted(candidate)
        if seed in reference and math.isfinite(reference[seed])
    }
    if not both and candidate:
        some = ", ".join(map(str, sorted(reference)[:8])) or "none"
        raise StudyError(f"no seed is in both: the reference has {some}")
    return both


def _proposal(
    stream: dict[str, Any], differences: Mapping[int, float], name: str
) -> dict[str, Any]:
    """Return the proposal that has these values, or a new one with a level of its own.

    The newest one counts first. One that had no values yet is the same as any other, but only as
    long as it is the newest.
    """
    proposals: list[dict[str, Any]] = stream["proposals"]
    one: dict[str, Any]
    for place, one in enumerate(reversed(proposals)):
        known = {int(seed): value for seed, value in one["values"].items()}
        if (known or not place) and all(
            seed in differences and _same(differences[seed], value) for seed, value in known.items()
        ):
            return one

    number = len(proposals) + 1
    kept = [one["number"] for one in proposals if one["decision"] == "keep"]
    whole = stream["rule"]["guard"] == "proposal"
    proposal: dict[str, Any] = {
        "number": number,
        "name": name,
        "level": ERROR if whole else stream_level(number, kept, ERROR),
        "decision": "more",
        "values": {},
    }
    proposals.append(proposal)
    return proposal


def _same(value: float, stored: float | None) -> bool:
    """Return whether a value is the stored one; None stands for values that aren't finite."""
    return value == stored if stored is not None else not math.isfinite(value)


def _ask(
    proposal: dict[str, Any],
    differences: Mapping[int, float],
    candidate: Values,
    rule: GateRule,
    noise: float,
) -> None:
    """Judge a proposal that isn't decided, and note the answer in it.

    Seeds count in the order in which they were first given; of those given at once, the lowest
    first.
    """
    before = [int(seed) for seed in proposal["values"]]
    order = [*before, *(seed for seed in differences if seed not in before)][: LOOKS[-1]]
    proposal["values"] = {
        str(seed): differences[seed] if math.isfinite(differences[seed]) else None for seed in order
    }
    lost = [seed for seed in order if not math.isfinite(candidate[seed])]
    if lost:
        finite = [differences[seed] for seed in order if seed not in lost]
        look = decide(finite[: LOOKS[0] - 1], proposal["level"])
        proposal |= {"decision": "drop", "look": {**_json(look), "missing": 0}, "lost": lost}
        proposal["look"]["reason"] = "lost"
        return
    look = decide(
        [differences[seed] for seed in order], proposal["level"], rule.smallest_effect, noise
    )
    proposal |= {"decision": look.decision, "look": _json(look)}


def _json(look: Look) -> dict[str, Any]:
    """Return a look for JSON, which has no NaN."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(look).items()
    }


def _answer(stream: Mapping[str, Any], proposal: Mapping[str, Any], rule: GateRule) -> Gated:
    """Return what the gate says about a proposal of the stream."""
    look = proposal["look"]
    return Gated(
        decision=proposal["decision"],
        claim=_claim(look, proposal, rule),
        effect=look["effect"],
        low=look["low"],
        high=look["high"],
        p=look["p"],
        level=proposal["level"],
        seeds=look["seeds"],
        seeds_needed=look["missing"],
        proposal=proposal["number"],
        asked=stream["asked"],
        kept=sum(one["decision"] == "keep" for one in stream["proposals"]),
        error_spent=sum(one["level"] for one in stream["proposals"]),
    )


def _claim(look: Mapping[str, Any], proposal: Mapping[str, Any], rule: GateRule) -> str:
    """Return the decision and its reason as one sentence."""
    seeds = f"{look['seeds']} seed{'' if look['seeds'] == 1 else 's'}"
    effect = "" if look["effect"] is None else f"by {abs(look['effect']):.4g}"
    over = f"over {seeds}"
    change = "better" if (look["effect"] or 0) > 0 else "worse"
    words = {
        "better": f"{rule.outcome} gets better {effect} {over} (p = {look['p'] or 0:.2g}).",
        "too small": f"{rule.outcome} gets better by less than {rule.smallest_effect} {over}.",
        "hopeless": f"{rule.outcome} gets {change} {effect} {over}; {LOOKS[-1]} seeds would hardly "
        "show an improvement.",
        "not shown": f"{rule.outcome} gets {change} {effect} {over}, which doesn't show an "
        "improvement.",
        "lost": f"the candidate has no finite {rule.outcome} at seed "
        f"{', '.join(map(str, proposal.get('lost', ())))}.",
        "seeds": f"{look['missing']} more seeds are needed for the next look, at "
        f"{look['seeds'] + look['missing']}.",
    }
    return words[look["reason"]]
