"""One rule names the arms of a study, by their levels alone."""

from itertools import product

import pytest

from reports.documents.names import ArmNames

RESUME = ("whole", "generator only")
SWITCH = ("without", "with")
RATE = ("0.1", "1", "10")


def names(kind="full_factorial", factors=None, codes=None, cells=None, **more):
    """The names of a study with these factors: name -> levels."""
    factors = factors or {"resume": RESUME, "long_recon": SWITCH, "rate": RATE}
    entries = {
        name: {"levels": {level: {} for level in levels}, "reference": levels[0], "when": {}}
        for name, levels in factors.items()
    }
    for name, code in (codes or {}).items():
        entries[name]["code"] = code
    if cells is None:
        rows = product(*factors.values())
        every = [dict(zip(factors, row, strict=True)) for row in rows]
        cells = [{"cell_id": str(n), "levels": cell} for n, cell in enumerate(every)]
    plan = {"design": {"kind": kind}, "factors": entries, "cells": cells}
    return ArmNames({**plan, **more})


def test_a_code_has_the_letters_of_what_is_changed_in_the_order_of_the_file():
    study = names()
    assert study.letters == {"resume": "G", "long_recon": "L", "rate": "R"}
    assert study.code({}) == "ref"
    assert study.code({"rate": "1", "resume": "generator only"}) == "G+R2"
    assert study.code({"long_recon": "with", "rate": "10"}) == "L+R3"
    assert (
        study.words({"rate": "1", "resume": "generator only"}) == "resume=generator only + rate=1"
    )
    assert study.full({"long_recon": "with"}) == "L (long_recon)"
    assert study.trial({"long_recon": "with"}, 3) == "L · seed 3"
    assert study.key_words == (
        "G resume=generator only, L long_recon, R2 rate=1, R3 rate=10, ref none of them"
    )


@pytest.mark.parametrize(
    ("factors", "letters"),
    [
        # The first letters of the words, then other letters, then any letter
        (["long_recon", "long_fm", "long_image"], "L F I"),
        (["ab", "a", "b", "ba"], "A B C D"),
        (["loss_1", "loss_2", "loss_12", "other 2"], "1 2 L O"),
        (["λ", "日本", "été"], "A B E"),
    ],
)
def test_letters_are_unique_and_remind_of_the_name(factors, letters):
    study = names(factors=dict.fromkeys(factors, SWITCH))
    assert list(study.letters.values()) == letters.split()


def test_a_letter_comes_from_the_changed_level_unless_that_is_a_number_or_only_says_on():
    factors = {"labels": ("right", "a swapped one"), "weight": ("0.1", "1.5"), "x": ("off", "on")}
    assert names(factors=factors).letters == {"labels": "S", "weight": "W", "x": "X"}
    assert names(factors={"layer": ("stage 1", "stage 3"), "b": SWITCH}).letters["layer"] == "3"


def test_sixty_factors_have_sixty_letters():
    study = names(factors={f"factor {n}a": SWITCH for n in range(60)}, cells=[])
    assert len({letter.upper() for letter in study.letters.values()}) == 60
    assert len(set(study.letters.values())) == 60


def test_a_code_of_the_study_file_wins_and_is_not_given_twice():
    study = names(codes={"rate": "l"})
    assert study.letters == {"resume": "G", "long_recon": "R", "rate": "l"}
    assert study.code({"rate": "1"}) == "l2"


def test_a_further_factor_or_other_results_change_no_name():
    before = names(factors={"a b": SWITCH, "c": SWITCH}).letters
    after = names(factors={"a b": SWITCH, "c": SWITCH, "a": SWITCH, "b": SWITCH}).letters
    assert after.items() >= before.items()


def test_designs_with_one_change_an_arm_need_no_key():
    factors = {"long_fm": SWITCH, "resume": RESUME}
    out = names("leave_one_out", factors)
    on = {"long_fm": "with", "resume": "generator only"}
    assert out.code(on) == "all"
    assert out.code({**on, "long_fm": "without"}) == "− long_fm"
    assert out.code({**on, "resume": "whole"}) == "resume=whole"
    assert out.full(on) == "all (everything on)"

    for kind in ("add_one_in", "one_at_a_time"):
        one = names(kind, factors)
        assert one.code({}) == "ref"
        assert one.code({"long_fm": "with"}) == one.full({"long_fm": "with"}) == "+ long_fm"
        assert one.code({"resume": "generator only"}) == "resume=generator only"
        assert (one.key, one.key_words) == ((), "")


def test_one_factor_needs_no_key():
    study = names(factors={"rate": RATE})
    assert [study.full({"rate": level}) for level in RATE] == [
        "ref (rate=0.1)",
        "rate=1",
        "rate=10",
    ]


def test_levels_that_share_their_trials_share_a_code():
    cells = [
        {"cell_id": "a", "levels": {"resume": "generator only"}},
        {"cell_id": "a", "levels": {"resume": "whole"}},
        {"cell_id": "b", "levels": {"long_recon": "with"}},
        {"cell_id": "b", "levels": {"long_recon": "with", "rate": "1"}},
    ]
    study = names(cells=cells)
    assert study.code({"resume": "generator only"}) == "ref"
    assert study.code({"long_recon": "with", "rate": "1"}) == "L"
    # In words, each combination has its own name.
    assert study.words({"long_recon": "with", "rate": "1"}) == "long_recon + rate=1"


def test_another_reference_is_ref_and_the_arm_without_changes_is_none():
    study = names(reference={"resume": "generator only", "long_recon": "with", "rate": "0.1"})
    assert study.code({"resume": "generator only", "long_recon": "with"}) == "ref"
    assert study.code({}) == "none"
    assert study.key[-1] == ("ref", "resume=generator only + long_recon")


@pytest.mark.parametrize("kind", ["full_factorial", "leave_one_out", "one_at_a_time"])
def test_every_arm_has_a_code_of_its_own(kind):
    two = dict.fromkeys(("a", "b", "c"), SWITCH)
    study = names(kind, two) if kind == "leave_one_out" else names(kind)
    codes = [study.code(cell["levels"]) for cell in study.plan["cells"]]
    assert len(set(codes)) == len(codes)


def test_a_study_without_factors_has_one_arm():
    assert names(factors={"a": SWITCH}, cells=[]).code({}) == "ref"
    assert ArmNames({"cells": [{"cell_id": "x", "levels": {}}]}).full({}) == "ref"
