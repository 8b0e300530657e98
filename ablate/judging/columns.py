"""What the columns of a source mean: which is meant by a name, and what names usually mean."""

import math
import re
from collections.abc import Iterable, Sequence

from ablate.reading.problems import did_you_mean
from ablate.study.nouns import StudyError

PAIRS = (
    *("seed", "random_seed", "random_state", "rng_seed", "trial_seed", "manual_seed"),
    *("fold", "cv_fold", "split", "replicate", "rep", "repeat", "repetition"),
)
"""Usual names of what pairs runs, in the order in which they are tried."""
STEPS = ("step", "global_step", "_step", "epoch", "iteration", "iter", "training_iteration")
"""Usual names of the step of a row."""
RUNS = ("run_id", "run", "trial_id", "run_name", "trial", "id", "name")
"""Usual names of the run of a row."""
STATES = ("status", "state")
"""Usual names of how a run ended."""
HIGHER = re.compile(
    r"acc|auc|auroc|f1|precision|recall|score|reward|return|r2|psnr|ssim|bleu|rouge|iou|map\b|dice"
    r"|correct|success|win",
    re.IGNORECASE,
)
"""Names of numbers of which more is usually better."""
LOWER = re.compile(
    r"loss|err|l1|l2|mse|mae|rmse|perplexity|ppl|fid|lpips|nll|regret|wer|cer|bpb|bpc|time|distance",
    re.IGNORECASE,
)
"""Names of numbers of which less is usually better."""


def named(wanted: str, columns: Iterable[str], what: str) -> str:
    """Return the column that a name means: its own, or the only one that ends with it.

    `lr` also means `config/optimizer.lr` if no other column ends with `lr`.

    Args:
        wanted: the name that was given.
        columns: the columns of the source.
        what: what the name is given for, for messages.

    Raises:
        StudyError: no column or several columns are meant.
    """
    columns = tuple(dict.fromkeys(columns))
    if wanted in columns:
        return wanted
    short = [name for name in columns if last(name) == wanted.casefold()]
    # A parameter goes before a tag of the same name.
    short = [name for name in short if not name.startswith("tags.")] or short
    if len(short) == 1:
        return short[0]
    if short:
        raise StudyError(f"{what} {wanted}: means one of {', '.join(short)}; give the whole name")
    raise StudyError(f"{what} {wanted}: no such column{did_you_mean(wanted, columns)}")


def usual(names: Sequence[str], columns: Iterable[str]) -> str:
    """Return the column with the first of these usual names; empty if there is none."""
    columns = tuple(columns)
    for name in names:
        same = [column for column in columns if last(column) == name]
        same = [column for column in same if not column.startswith("tags.")] or same
        if same:
            return min(same, key=len)
    return ""


def usual_direction(metric: str) -> str:
    """Return which direction of a metric is usually better: `lower`, `higher`, or empty."""
    lower, higher = bool(LOWER.search(metric)), bool(HIGHER.search(metric))
    return "" if lower == higher else "lower" if lower else "higher"


def last(column: str) -> str:
    """Return the last part of a column's name in small letters: `lr` of `config/optimizer.lr`.

    Optuna's tables have `params_lr`.
    """
    return re.split(r"[/.]", column)[-1].casefold().removeprefix("params_")


def number(text: str) -> float | None:
    """Return a text as a number, `nan` and `inf` included; None if it isn't one."""
    try:
        return float(text)
    except ValueError:
        return None


def alike(text: str) -> str | float:
    """Return what two texts have in common that mean one level: `0.1`, `0.10`, and `1e-1`."""
    value = number(text)
    if value is not None and math.isfinite(value):
        return value
    return text.casefold() if text.casefold() in ("true", "false") else text


def in_order(labels: Iterable[str]) -> list[str]:
    """Return levels in their usual order: numbers ascending, and `off` before `on`.

    Other levels stay in the order in which the source has them.
    """
    labels = list(dict.fromkeys(labels))
    values = [number(label) for label in labels]
    if all(value is not None for value in values):
        return sorted(labels, key=float)
    first = ("false", "off", "no", "without", "none", "baseline", "reference", "control", "")
    return sorted(labels, key=lambda label: label.casefold() not in first)
