"""The ready study file with the cells that separate what a fraction cannot tell apart."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from reports.build import build_report, open_study
from reports.claims.design import Design
from reports.table import StudyTable
from reports.words.fold_over import fold_over_file
from tests.reports.truths import SWITCH, crossed, truth


def sign(levels: Mapping[str, str], *factors: str) -> int:
    return math.prod(1 if levels[factor] == "with" else -1 for factor in factors)


def half(size: float = -0.0075) -> StudyTable:
    """2^(3-1) with c = a b, of which a and b act together."""
    cells = [c for c in crossed(dict.fromkeys("abc", SWITCH)) if sign(c, "c") == sign(c, "a", "b")]
    return truth(
        ("a", "b", "c"),
        lambda s: size * sign(s, "a", "b"),
        cells=cells,
        design="fractional_factorial",
    )


def quarter() -> StudyTable:
    """2^(4-1) with d = a b c, in which a b can't be told from c d."""
    names = ("a", "b", "c", "d")
    cells = [
        c for c in crossed(dict.fromkeys(names, SWITCH)) if sign(c, "d") == sign(c, "a", "b", "c")
    ]
    return truth(
        names,
        lambda s: 0.02 * sign(s, "a", "b"),
        cells=cells,
        design="fractional_factorial",
        seeds=3,
    )


@pytest.mark.parametrize(("study", "new"), [(half, 4), (quarter, 8)])
def test_old_and_new_cells_separate_the_group(study: object, new: int) -> None:
    table = study()  # type: ignore[operator]
    text = fold_over_file(open_study(table))
    assert text.startswith(
        f"# {new} new arms besides the {len(table.study['cells'])} of the study truth"
    )
    content = yaml.safe_load(text)
    cells = content["design"]["custom"]
    assert len(cells) == 2 * new == len({tuple(cell.values()) for cell in cells})
    assert content["seeds"] == table.study["seeds"]
    assert content["factors"].keys() == table.study["factors"].keys()

    levels = {name: tuple(entry["levels"]) for name, entry in content["factors"].items()}
    design = Design("custom", levels, tuple((str(i), cell) for i, cell in enumerate(cells)), "0")
    acting = {"abc": ("a × b", "c"), "abcd": ("a × b", "c × d")}["".join(levels)]
    groups = [set(term.aliases) or {term.name} for term in (*design.compared, *design.interactions)]
    assert not any(set(acting) <= group for group in groups)


def test_arms_that_chose_a_value_choose_it_again() -> None:
    table = half()
    tuning = {"path": "rate", "values": [1, 2], "seeds": [100], "study": "t-tuning", "tries": []}
    study: Any = {**table.study, "tuning": tuning}
    content = yaml.safe_load(fold_over_file(open_study(replace(table, study=study))))
    assert content["tune"] == {"path": "rate", "values": [1, 2], "seeds": [100]}


def test_where_no_aliased_group_acts_there_is_no_file() -> None:
    whole = truth(("a", "b"), lambda s: 0.03 * sign(s, "a"))
    assert fold_over_file(open_study(whole)) == ""
    assert fold_over_file(open_study(half(size=0.0))) == ""


def test_the_report_folder_holds_it(tmp_path) -> None:  # type: ignore[no-untyped-def]
    build_report(half(), tmp_path, formats=("text",))
    assert (tmp_path / "fold-over.yaml").read_text(encoding="utf-8").startswith("# 4 new arms")
