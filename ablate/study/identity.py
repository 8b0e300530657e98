"""The digests that identify a trial, and the form that values have when they are digested."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

LENGTH = 12
"""Hex digits of a trial's id."""
PARTS = ("config", "data", "checkpoint", "weights", "code")
"""Parts of an identity, each with a digest of its own."""
TUNED = "tuned"
"""A further part, which only the identity of a trial has that chooses a value among tries."""


def dumps(value: Any) -> str:
    """Return JSON with sorted keys and without spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text: str) -> str:
    """Return the first 32 hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def cell_id(identity: Mapping[str, str]) -> str:
    """Return the id of a cell, 12 hex digits, which trials with different seeds share."""
    return digest("/".join(identity[part] for part in PARTS))[:LENGTH]


def trial_id(identity: Mapping[str, str], seed: int) -> str:
    """Return the id of a trial, 12 hex digits made of its cell's identity and its seed."""
    further = [identity[TUNED]] if TUNED in identity else []
    return digest("/".join([*(identity[part] for part in PARTS), *further, str(seed)]))[:LENGTH]


def canonical_options(
    given: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return all options with their defaults, except those that can't change any result.

    These are options marked `x-neutral` and paths.

    Args:
        given: the options that a study sets.
        options: name -> JSON Schema of every option.
    """
    known = {
        name: rule
        for name, rule in options.items()
        if not rule.get("x-neutral") and rule.get("format") != "path"
    }
    return {
        name: canonical_number(given.get(name, rule.get("default")), rule)
        for name, rule in known.items()
    }


def canonical_number(value: Any, rule: Mapping[str, Any]) -> Any:
    """Return a value in its schema's type, so that `1` and `1.0` have the same digest.

    Args:
        value: a value, or a list of values.
        rule: JSON Schema of the value; integers become floats where it allows only `number`.
    """
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, list | tuple):
        return [canonical_number(item, rule.get("items", {})) for item in value]
    if (
        isinstance(value, int)
        and not isinstance(value, bool)
        and "number" in kinds
        and "integer" not in kinds
    ):
        return float(value)
    return value
