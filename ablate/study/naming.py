"""Readable names of arms and trials, the same in the terminal, in progress lines, and in MLflow."""

from collections.abc import Mapping

from reports.documents.plan import PlanDocument


def cell_name(plan: PlanDocument, levels: Mapping[str, str]) -> str:
    """Return a cell in words: the levels that differ from the reference.

    Examples are `+ long_fm + reassembly_fm` and `weight: small`. The reference itself is called
    `reference`.

    Args:
        plan: with `factors`, as in `plan.json`.
        levels: factor -> level label.
    """
    parts = []
    for factor, level in levels.items():
        rules = plan["factors"][factor]
        if level != rules["reference"]:
            switched_on = set(rules["levels"]) <= {"with", "without"}
            parts.append(f"+ {factor}" if switched_on and level == "with" else f"{factor}: {level}")

    text = " ".join(part if part.startswith("+") else f"· {part}" for part in parts).removeprefix(
        "· "
    )
    return text or "reference"


def trial_name(plan: PlanDocument, levels: Mapping[str, str], seed: int) -> str:
    """Return a trial in words: its cell and its seed, for example `+ long_fm · seed 3`."""
    return f"{cell_name(plan, levels)} · seed {seed}"
