"""A claim is data that cannot contradict itself."""

import json
import math
from dataclasses import replace

import pytest

from reports.claims.claim import Claim, ClaimError, Counts, Scope, averaged, check

HARMS = Claim(
    "direction:a", "direction", "a", Scope("on_average"), word="harms on average", p_adjusted=0.01
)
DEPENDS = Claim(
    "depends:a_×_b", "depends", "a × b", Scope("everywhere"), word="depends", p_adjusted=0.01
)


@pytest.mark.parametrize("p", [0.05, 0.2, math.nan])
def test_nothing_is_claimed_above_the_error(p: float) -> None:
    with pytest.raises(ClaimError, match="corrected p"):
        replace(HARMS, p_adjusted=p)


@pytest.mark.parametrize("kind", ["undecided", "uncompared"])
def test_what_asserts_nothing_has_no_word(kind: str) -> None:
    assert Claim(f"{kind}:a", kind, "a", Scope("on_average")).word == ""  # type: ignore[arg-type]
    with pytest.raises(ClaimError, match="asserts nothing"):
        Claim(f"{kind}:a", kind, "a", Scope("on_average"), word="harms")  # type: ignore[arg-type]


def test_a_scope_names_what_it_holds_in() -> None:
    with pytest.raises(ClaimError, match="does not name"):
        replace(HARMS, scope=Scope("at"))
    with pytest.raises(ClaimError, match="alias group"):
        replace(HARMS, scope=Scope("alias_group"))
    assert Scope("at", {"b": "with"}).single
    assert not Scope("everywhere").single


def test_an_average_is_not_claimed_beside_an_interaction() -> None:
    check((HARMS, replace(DEPENDS, subject="b × c")))
    with pytest.raises(ClaimError, match="beside an established interaction"):
        check((HARMS, DEPENDS))
    check((replace(HARMS, scope=Scope("at", {"b": "with"}), gate=DEPENDS.id), DEPENDS))


def test_a_conditional_claim_needs_its_gate_and_ids_are_unique() -> None:
    conditional = replace(HARMS, scope=Scope("at", {"b": "with"}), gate=DEPENDS.id)
    with pytest.raises(ClaimError, match="is no claim"):
        check((conditional,))
    with pytest.raises(ClaimError, match="one id"):
        check((HARMS, HARMS))


@pytest.mark.parametrize(
    ("scope", "kind", "is_average"),
    [
        (Scope("on_average"), "direction", True),
        (Scope("on_average"), "equivalent", True),
        (Scope("everywhere"), "direction", False),
        (Scope("clean"), "direction", True),
        (Scope("clean", every=True), "equivalent", False),
        (Scope("on_average"), "one_sided", False),
    ],
)
def test_averages_are_known_by_their_scope(scope: Scope, kind: str, is_average: bool) -> None:
    assert averaged(replace(HARMS, scope=scope, kind=kind)) is is_average  # type: ignore[arg-type]


def test_json_has_no_number_that_is_not_finite() -> None:
    content = replace(HARMS, counts=Counts(3, 5, 0, 5), low=-math.inf).to_dict()
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text)["counts"] == {
        "diverged": 3,
        "ended": 5,
        "diverged_first": 0,
        "ended_first": 5,
    }
    assert content["estimate"] is None
    assert content["low"] is None
    assert content["scope"]["type"] == "on_average"
