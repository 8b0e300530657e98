"""The gate between a reference and a candidate: state, decisions, sources, and commands."""

import json
import random
import sys
from pathlib import Path

import pytest

from ablate.commands.judging import DROP, KEEP, MORE
from ablate.commands.judging import gate as command
from ablate.judging.arms import read_arm
from ablate.judging.gate import GateRule, gate
from ablate.judging.gating import Asked, gated
from ablate.study.nouns import StudyError

RULE = GateRule("val_error", "lower")


def arm(
    seeds: int, effect: float = 0.0, name: str = "base", noise: float = 0.1
) -> dict[int, float]:
    """Outcomes of an arm: a shift of each seed, which both arms share, and noise of its own."""
    return {
        seed: 1
        + effect
        + random.Random(f"seed {seed}").uniform(-1, 1)
        + noise * random.Random(f"{name} {seed}").uniform(-1, 1)
        for seed in range(seeds)
    }


def table(path: Path, values: dict[int, float]) -> str:
    path.write_text(
        "seed,val_error\n" + "".join(f"{seed},{value!r}\n" for seed, value in values.items())
    )
    return str(path)


def test_an_improvement_is_kept_and_a_change_without_effect_is_dropped(tmp_path: Path) -> None:
    state = tmp_path / "gate.json"
    better = gate(arm(20), arm(20, -0.3, "new"), state, RULE)
    assert (better.decision, better.proposal, better.kept) == ("keep", 1, 1)
    assert better.effect == pytest.approx(0.3, abs=0.06)
    assert "val_error gets better by 0." in better.claim
    same = gate(arm(20), arm(20, 0.0, "other"), state, RULE)
    assert (same.decision, same.proposal, same.kept, same.asked) == ("drop", 2, 1, 2)
    worse = gate(arm(20), arm(20, 0.3, "third"), state, RULE)
    assert worse.decision == "drop"
    assert "gets worse by" in worse.claim
    assert worse.error_spent == pytest.approx(3 * 0.003)


def test_more_seeds_of_one_proposal_cost_nothing_more(tmp_path: Path) -> None:
    state, new = tmp_path / "gate.json", arm(20, -0.3, "new")
    few = gate(arm(20), {seed: new[seed] for seed in range(3)}, state, RULE)
    assert (few.decision, few.seeds_needed, few.seeds) == ("more", 5, 3)
    assert few.claim == "5 more seeds are needed for the next look, at 8."
    more = gate(arm(20), {seed: new[seed] for seed in range(few.seeds_needed + 3)}, state, RULE)
    assert (more.decision, more.seeds_needed, more.proposal) == ("more", 4, 1)
    last = gate(arm(20), new, state, RULE)
    assert (last.decision, last.proposal, last.level) == ("keep", 1, few.level)
    # Whoever asks again gets the same answer
    again = gate(arm(20), new, state, RULE)
    assert (again.decision, again.proposal, again.asked) == ("keep", 1, 4)
    assert again.error_spent == few.error_spent


def test_proposals_may_take_turns(tmp_path: Path) -> None:
    state, arms = tmp_path / "gate.json", {name: arm(20, 0.0, name) for name in "ab"}
    places = [
        gate(arm(20), {seed: arms[name][seed] for seed in range(n)}, state, RULE).proposal
        for n in (3, 8, 20)
        for name in "ab"
    ]
    assert places == [1, 2] * 3


def test_values_that_were_exchanged_are_another_proposal(tmp_path: Path) -> None:
    state, new = tmp_path / "gate.json", arm(8, 0.0, "new")
    gate(arm(20), {seed: new[seed] for seed in range(4)}, state, RULE)
    chosen = gate(arm(20), {seed: new[seed] - (seed == 1) for seed in range(4)}, state, RULE)
    assert chosen.proposal == 2
    dropped = gate(arm(20), {seed: new[seed] for seed in (2, 3)}, state, RULE)
    assert dropped.proposal == 3


def test_a_candidate_that_diverges_is_dropped_and_a_lost_reference_is_not_compared(
    tmp_path: Path,
) -> None:
    new = {**arm(8, -0.5, "new"), 5: float("nan")}
    lost = gate(arm(20), new, tmp_path / "a.json", RULE)
    assert (lost.decision, lost.claim) == (
        "drop",
        "the candidate has no finite val_error at seed 5.",
    )
    assert gate(arm(20), new, tmp_path / "a.json", RULE).proposal == 1
    reference = {**arm(8), 5: float("nan")}
    assert gate(reference, arm(8, -0.5, "new"), tmp_path / "b.json", RULE).seeds_needed == 1


def test_another_rule_needs_another_state(tmp_path: Path) -> None:
    state = tmp_path / "gate.json"
    gate(arm(8), arm(8, 0.0, "new"), state, RULE)
    with pytest.raises(StudyError, match="begun with better lower, not higher"):
        gate(arm(8), arm(8), state, GateRule("val_error", "higher"))
    state.write_text("{}")
    with pytest.raises(StudyError, match="is not the state of a gate, or is damaged"):
        gate(arm(8), arm(8), state, RULE)
    assert state.read_text() == "{}"


def test_the_guard_of_each_proposal_has_one_level(tmp_path: Path) -> None:
    state, rule = tmp_path / "gate.json", GateRule("val_error", "lower", None, "proposal")
    levels = [gate(arm(9), arm(9, 0, str(n)), state, rule).level for n in range(3)]
    assert levels == [0.05] * 3


def test_arms_are_read_from_any_source_and_repeated_runs_tell_the_noise(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        "variant,seed,step,val_error\n"
        + "".join(
            f"{variant},{seed},{step},{seed + step + bonus}\n"
            for variant, bonus in (("base", 0.0), ("base", 0.2), ("new", -1.0))
            for seed in range(3)
            for step in (0, 1)
        )
    )
    base = read_arm(f"{path}@variant=base", "", "val_error")
    assert base.values == {0: 1.0, 1: 2.0, 2: 3.0}
    assert base.noise == pytest.approx(0.2)
    assert read_arm(f"{path}@variant=new", "seed", "val_error").values == {0: 0, 1: 1, 2: 2}
    with pytest.raises(StudyError, match="no run has variant=old"):
        read_arm(f"{path}@variant=old", "", "val_error")
    with pytest.raises(StudyError, match="did you mean val_error"):
        read_arm(str(path), "", "val_eror")


PROGRAM = (
    "import random, sys; seed = sys.argv[1]; "
    "value = random.Random(seed).random() - 0.5 + 0.01 * random.Random(seed + 'n').random(); "
    "print('step 1 val_error: 9.0'); print(f'val_error: {value}')"
)


def test_a_command_makes_the_seeds_that_are_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = {seed: random.Random(str(seed)).random() for seed in range(20)}
    base, new = table(tmp_path / "base.csv", reference), tmp_path / "new.csv"
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    options = {
        "state": tmp_path / "gate.json",
        "outcome": "val_error",
        "command": f"{sys.executable} -S -E {program} {{seed}}",
        "as_json": True,
        "guard": "proposal",
    }
    assert command(base, str(new), budget=3, **options) == MORE
    assert json.loads(capsys.readouterr().out)["seeds_needed"] == 5
    assert len(new.read_text().splitlines()) == 4
    assert command(base, str(new), budget=20, **options) == KEEP
    assert json.loads(capsys.readouterr().out)["seeds"] == 8
    assert [line.split(",")[0] for line in new.read_text().splitlines()[1:]] == list("01234567")

    assert (
        command(
            base,
            table(tmp_path / "same.csv", {s: v + 0.001 * (-1) ** s for s, v in reference.items()}),
            **{**options, "command": ""},
        )
        == DROP
    )


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("print(1)", "gave no val_error: print `val_error: NUMBER`"),
        ("import sys; sys.exit(3)", None),
        ("print('{\"val_error\": 0.5}')", None),
    ],
)
def test_what_a_command_gives_is_read_or_refused(
    tmp_path: Path, program: str, line: str | None
) -> None:
    base = table(tmp_path / "base.csv", arm(2))
    script = tmp_path / "train.py"
    script.write_text(program)
    asked = Asked(base, str(tmp_path / "new.csv"), "", "val_error")
    commands = ("", f"{sys.executable} -S -E {script} {{seed}}")
    if line:
        with pytest.raises(StudyError, match=line):
            gated(asked, tmp_path / "gate.json", commands, 1)
        return
    answer = gated(asked, tmp_path / "gate.json", commands, 1)
    assert answer.decision == ("drop" if "exit" in program else "more")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"outcome": "thing"}, "say which is better"),
        ({"guard": "all"}, "--guard all: must be stream or proposal"),
        ({"better": "more"}, "--better more: must be lower or higher"),
        ({"reference": "none.csv"}, "none.csv: no such file or folder"),
        ({"commands": ("", "train.py")}, "has no {seed}"),
        ({"commands": ("", "train.py {seed}"), "candidate": "store.db"}, r"must be a \.csv"),
        ({"commands": ("", "/none/at/all {seed}")}, "--run: /none/at/all: No such file"),
    ],
)
def test_mistakes_are_refused_before_anything_is_spent(
    tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    base = table(tmp_path / "base.csv", arm(8))
    given: dict[str, object] = {
        "reference": base,
        "candidate": str(tmp_path / "new.csv"),
        "pair": "",
        "outcome": "val_error",
        **changes,
    }
    commands = given.pop("commands", ("", ""))
    with pytest.raises(StudyError, match=line):
        gated(Asked(**given), tmp_path / "gate.json", commands)  # type: ignore[arg-type]
