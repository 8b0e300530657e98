"""Plans: ids that say what matters, equal cells, order, selection, missing things, size."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import changes, plan_csv, plan_record
from ablate.study.identity import digest, dumps
from ablate.study.nouns import Plan, StudyError, StudySpec
from ablate.trainers.core.menus import Menus

Load = Callable[..., StudySpec]


@pytest.fixture
def planned(study: Load, menus: Menus) -> Callable[..., Plan]:
    """The plan of a study file's text."""

    def make(*overrides: str, text: str | None = None, **options: object) -> Plan:
        spec = study(text, *overrides) if text else study(STUDY, *overrides)
        return plan(spec, menus=menus, **options)  # type: ignore[arg-type]

    return make


STUDY = """
name: tiny
base:
  losses: {adversarial: 1.0, short_recon: 0.1, d_hinge: 1.0}
  steps: 20
factors:
  long_recon: {path: losses.long_recon, levels: {without: 0.0, with: 0.1}}
  rate: {path: lr_generator, levels: {low: 1e-4, high: 1e-3}}
seeds: [0, 1]
outcome: {metric: mixed_l1}
"""


def ids(made: Plan) -> list[str]:
    return [trial.id for trial in made.trials]


def test_all_cells_at_the_first_seed_then_at_the_next(planned: Callable[..., Plan]) -> None:
    made = planned()
    assert [(trial.seed, *trial.levels.values()) for trial in made.trials] == [
        (seed, long, rate)
        for seed in (0, 1)
        for long in ("without", "with")
        for rate in ("low", "high")
    ]
    assert len(set(ids(made))) == 8
    assert len({trial.cell_id for trial in made.trials}) == 4
    assert all(len(trial.id) == 12 and int(trial.id, 16) >= 0 for trial in made.trials)
    assert made.trials[2].config.losses["long_recon"] == 0.1
    assert made.trials[5].config.lr_generator == 1e-3
    assert made.trials[5].config.seed == 1


@pytest.mark.parametrize(
    "override",
    [
        "base.losses.long_fm=0",
        "base.losses.adversarial=1",
        "base.checkpoint_every=7",
        "base.network.filters=64",
        "base.restore=[generator]",
        "base.schedules.long_fm={kind: ramp, end: 9}",
        "base.schedules.adversarial={kind: constant}",
        "base.schedules.adversarial=null",
        "question=Another?",
        "notes=more",
        "base.weight_decay=0.0001",
    ],
)
def test_what_does_not_matter_keeps_the_ids(planned: Callable[..., Plan], override: str) -> None:
    assert ids(planned(override)) == ids(planned())


@pytest.mark.parametrize(
    "override",
    [
        "base.losses.adversarial=2",
        "base.losses.long_fm=1",
        "base.schedules.adversarial={kind: ramp, end: 9}",
        "base.steps=21",
        "base.threads=2",
        "base.network.filters=32",
        "base.data.classes=20",
        "base.image_size=64",
        "base.precision=bfloat16",
        "base.evaluate=[average, raw]",
        "base.weight_decay=0",
    ],
)
def test_what_matters_gives_new_ids(planned: Callable[..., Plan], override: str) -> None:
    assert not set(ids(planned(override))) & set(ids(planned()))


def test_the_order_of_keys_and_comments_do_not_matter(planned: Callable[..., Plan]) -> None:
    turned = """
seeds: [0, 1]        # a comment
outcome: {metric: mixed_l1}
factors:
  long_recon: {levels: {without: 0, with: 1e-1}, path: losses.long_recon}
  rate: {levels: {low: {lr_generator: 0.0001}, high: {lr_generator: 0.001}}}
base: {steps: 20, losses: {d_hinge: 1, short_recon: .1, adversarial: 1}}
name: tiny
"""
    made = planned(text=turned)
    assert ids(made) == ids(planned())
    assert made.hash == planned().hash


def test_the_hash_holds_the_rule_of_decision(planned: Callable[..., Plan]) -> None:
    assert planned("outcome.smallest_effect=0.01").hash != planned().hash
    assert planned("outcome.degradation.patience=2").hash != planned().hash
    assert planned("base.steps=21").hash != planned().hash


def test_more_seeds_levels_and_factors_keep_the_trials_there_were(
    planned: Callable[..., Plan],
) -> None:
    before = set(ids(planned()))
    assert before < set(ids(planned("seeds=[0, 1, 2]")))
    assert before < set(ids(planned("factors.rate.levels.higher=0.01")))
    assert before < set(
        ids(planned("factors.fm={path: losses.long_fm, levels: {without: 0, with: 1}}"))
    )


def test_equal_cells_run_once_and_are_named(planned: Callable[..., Plan]) -> None:
    made = planned("factors.long_recon.levels.zero=0")
    assert len(made.trials) == 8
    assert len(made.cells) == 6
    assert made.equal_cells == (
        ({"long_recon": "without", "rate": "low"}, {"long_recon": "zero", "rate": "low"}),
        ({"long_recon": "without", "rate": "high"}, {"long_recon": "zero", "rate": "high"}),
    )


def test_selection(planned: Callable[..., Plan]) -> None:
    made = planned(only=["rate=low"], seeds=[5])
    assert [(trial.seed, trial.levels["long_recon"]) for trial in made.trials] == [
        (5, "without"),
        (5, "with"),
    ]
    assert len(planned(only=["rate=low", "rate=high"]).trials) == 8
    for only, message in (
        (["rate"], "factor=level"),
        (["rat=low"], "did you mean rate"),
        (["rate=lo"], "mean low"),
    ):
        with pytest.raises(StudyError, match=message):
            planned(only=only)
    for seeds in ([], [1, 1], [-1]):
        with pytest.raises(StudyError, match="--seeds"):
            planned(seeds=seeds)


def test_checkpoints_count_by_content_not_by_place(
    planned: Callable[..., Plan], tmp_path: Path, menus: Menus
) -> None:
    one, other, third = tmp_path / "one.pt", tmp_path / "deep" / "other.pt", tmp_path / "third.pt"
    other.parent.mkdir()
    one.write_bytes(b"weights")
    other.write_bytes(b"weights")
    third.write_bytes(b"others")
    first, second = planned(f"base.checkpoint={one}"), planned(f"base.checkpoint={other}")
    assert ids(first) == ids(second)
    assert ids(first) != ids(planned())
    changed = planned(f"base.checkpoint={third}")
    assert not set(ids(first)) & set(ids(changed))
    assert changes(changed, plan_record(first)) == ["checkpoint changed: 8 trials run again"]
    assert not set(ids(first)) & set(
        ids(planned(f"base.checkpoint={one}", "base.restore=[generator]"))
    )


def test_files_that_are_read_beside_a_checkpoint_count(
    planned: Callable[..., Plan], tmp_path: Path
) -> None:
    names = ("gen_00000010.pt", "dis_00000010.pt", "optimizer.pt")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    override = f"base.checkpoint={tmp_path / names[0]}"
    seen = [set(ids(planned(override)))]
    for name in names:
        (tmp_path / name).write_bytes(b"others")
        seen.append(set(ids(planned(override))))
    (tmp_path / names[1]).unlink()
    seen.append(set(ids(planned(override))))
    assert len(set.union(*seen)) == 5 * 8
    tmp_path.joinpath("deep").mkdir()
    for name in (names[0], names[2]):
        (tmp_path / name).rename(tmp_path / "deep" / name)
    assert set(ids(planned(f"base.checkpoint={tmp_path / 'deep' / names[0]}"))) == seen[-1]


def test_weights_are_found_from_the_study_file_and_count_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "study.yaml"
    weights = tmp_path / "weights.pth"

    def made(where: str) -> Plan:
        text = STUDY.replace("base:", f"base:\n  network: {{identity_weights: {where}}}")
        path.write_text(text, encoding="utf-8")
        return plan(load_study(path))

    weights.write_bytes(b"weights")
    monkeypatch.chdir("/")
    first = made("../weights.pth")
    assert {trial.config.network["identity_weights"] for trial in first.trials} == {str(weights)}
    assert first.missing == ()
    weights.write_bytes(b"others")
    assert not set(ids(first)) & set(ids(made("../weights.pth")))
    (tmp_path / "studies" / "moved.pth").write_bytes(b"weights")
    assert ids(made("moved.pth")) == ids(first)
    assert changes(made("../weights.pth"), plan_record(first)) == [
        "weights changed: 8 trials run again"
    ]
    weights.unlink()
    assert made("../weights.pth").missing == (f"network.identity_weights: {weights}: no such file",)


def test_the_data_must_go_with_the_evaluation(
    planned: Callable[..., Plan],
    make_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "cache"))
    data = ("base.dataset=image_folder", f"base.data.root={make_folder()}")
    enough = planned(*data, "base.eval_shots=5")
    assert enough.missing == ()
    (line,) = planned(*data, "base.eval_shots=9").missing
    assert "eval_shots is 9; class" in line
    (line,) = planned(*data, "factors.shots={path: eval_shots, levels: [1, 9]}").missing
    assert "eval_shots is 9; class" in line
    assert {t.identity["data"] for t in planned(*data, "base.eval_pairs=5").trials} == {
        t.identity["data"] for t in enough.trials
    }


def test_missing_things_are_listed_not_raised(planned: Callable[..., Plan], tmp_path: Path) -> None:
    made = planned(
        f"base.checkpoint={tmp_path / 'none.pt'}",
        "base.dataset=image_folder",
        f"base.data.root={tmp_path}",
    )
    assert len(made.trials) == 8
    assert len(made.missing) == 2
    assert all("\n" not in line for line in made.missing)
    assert any("none.pt: no such file" in line for line in made.missing)


def test_the_code_counts(
    planned: Callable[..., Plan], menus: Menus, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = planned()
    edited = {**before.sources, "g2g_core.training.loop": "another"}
    monkeypatch.setattr("ablate.trainers.core.builder.sources_of", lambda *_: edited)
    after = planned()
    assert not set(ids(before)) & set(ids(after))
    line = "code changed (g2g_core.training.loop): 8 trials run again"
    assert changes(after, plan_record(before)) == [line]
    assert changes(after, {}) == []

    # A folder of version 0.1.0 has no sources in its plan.
    old = {name: value for name, value in plan_record(before).items() if name != "sources"}
    (line,) = changes(after, old)
    assert "an older version made that plan and didn't record its sources" in line


def test_plan_files(planned: Callable[..., Plan], menus: Menus) -> None:
    made = planned()
    record = json.loads(json.dumps(plan_record(made)))
    assert record["reference_cell"] == made.trials[0].cell_id
    assert record["factors"]["rate"]["reference"] == "low"
    assert [factor["code"] for factor in record["factors"].values()] == ["L", "H"]
    assert [cell["arm_code"] for cell in record["cells"]] == ["ref", "H", "L", "L+H"]
    assert [trial["trial_id"] for trial in record["trials"]] == ids(made)
    assert record["outcome"]["better"] == "lower"
    lines = plan_csv(made).splitlines()
    assert lines[0] == "trial_id,cell_id,seed,arm_code,level.long_recon,level.rate"
    assert len(lines) == 9


def test_a_hundred_thousand_cells_are_planned_in_seconds(study: Load, menus: Menus) -> None:
    paths = (
        "losses.long_recon",
        "losses.long_fm",
        "losses.reassembly_fm",
        "weight_decay",
        "lr_generator",
    )
    factors = "\n".join(
        f"  f{i}: {{path: {path}, levels: {list(range(10))}}}" for i, path in enumerate(paths)
    )
    head = "name: big\nbase: {losses: {adversarial: 1}}\nseeds: [0]\noutcome: {metric: mixed_l1}\n"
    spec = study(f"{head}factors:\n{factors}\n")
    start = time.process_time()
    made = plan(spec, menus=menus)
    assert len(made.trials) == 100_000
    assert time.process_time() - start < 15  # 3 s on the machine it was measured on


@pytest.mark.parametrize("name", ["quickstart", "degradation"])
def test_keys_that_came_later_leave_plans_without_them_as_they_were(name: str) -> None:
    """The rule as it was hashed before these keys existed, spelled out: same hash, so old folders
    stay usable."""
    made = plan(load_study(name))
    outcome = made.spec.outcome
    rule: dict[str, object] = {
        "metric": "mixed_l1",
        "better": "lower",
        "summary": "last",
        "smallest_effect": 0.01,
        "degradation": {"relative": 0.1, "after_step": 0, "patience": 2},
    }
    if outcome.looks:
        rule["looks"] = list(outcome.looks)
    before = digest(dumps([sorted(trial.id for trial in made.trials), rule]))
    assert made.hash == before
    defaults = ["outcome.scale=linear", *(["outcome.spend=late"] if outcome.looks else [])]
    assert plan(load_study(name, defaults)).hash == before
    factor = made.spec.factors[0].name
    words = [f"expect.{factor}=no harm", f"factors.{factor}.ordered=false", "question=Another one?"]
    assert plan(load_study(name, words)).hash == before
    assert ids(plan(load_study(name, ["outcome.scale=log"]))) == ids(made)
    for change in ("outcome.scale=log", "outcome.also=[average_mixed_l1]"):
        assert plan(load_study(name, [change])).hash != before


def test_how_the_error_is_spent_is_decided_by_the_design(
    planned: Callable[..., Plan], menus: Menus
) -> None:
    def spent(*overrides: str) -> str:
        return str(plan_record(planned(*overrides))["outcome"].get("spend"))

    looks = ("seeds=[0, 1, 2]", "outcome.looks=[2, 3]")
    assert spent() == "None"
    assert spent(*looks) == "late"
    alone = "factors={rate: {path: lr_generator, levels: [1e-4, 1e-3]}}"
    assert spent(*looks, "design=one_at_a_time") == spent(*looks, alone) == "even"
    assert spent(*looks, "outcome.spend=middle") == "middle"
    assert planned(*looks, "outcome.spend=late").hash == planned(*looks).hash
    assert planned(*looks, "outcome.spend=even").hash != planned(*looks).hash


def test_whether_levels_are_ordered_and_what_is_expected_is_in_the_record(
    planned: Callable[..., Plan], menus: Menus
) -> None:
    plain = plan_record(planned())
    assert "expect" not in plain
    assert "ordered" not in plain["factors"]["rate"]
    told = plan_record(planned("factors.rate.ordered=true", "expect.rate=depends"))
    assert (told["factors"]["rate"]["ordered"], told["expect"]) == (True, {"rate": "depends"})
