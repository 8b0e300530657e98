"""Study files: what a good one becomes, and what a wrong one is told."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from ablate.planning.load import load_study, schema
from ablate.planning.plan_file import resolved_yaml
from ablate.reading.study_tree import bundled_studies
from ablate.study.nouns import Factor, FurtherOutcome, Outcome, StudyError, StudySpec
from ablate.trainers.core.checks import cautions, never_degraded
from ablate.trainers.core.menus import Menus
from ablate.trainers.core.trainer import CoreTrainer

Load = Callable[..., StudySpec]
HEAD = "name: x\nseeds: [0]\noutcome: {metric: mixed_l1}\n"
BASE = HEAD + "base: {losses: {adversarial: 1}}\n"


def problems(load: Load, text: str, *overrides: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        load(text, *overrides)
    return [line.replace(str(Path.cwd()), "") for line in str(caught.value).splitlines()]


def test_both_forms_of_a_factor_and_lists(study: Load) -> None:
    spec = study(
        BASE
        + """
factors:
  short: {path: losses.long_recon, levels: {without: 0, with: 0.1}}
  full: {levels: {a: {steps: 5}, b: {steps: 6, batch_size: 2}}}
  listed: {path: lr_generator, levels: [1e-4, 0.10]}
"""
    )
    assert spec.factors == (
        Factor("short", {"without": {"losses.long_recon": 0}, "with": {"losses.long_recon": 0.1}}),
        Factor("full", {"a": {"steps": 5}, "b": {"steps": 6, "batch_size": 2}}),
        Factor("listed", {"1e-4": {"lr_generator": 1e-4}, "0.10": {"lr_generator": 0.1}}),
    )
    assert spec.outcome == Outcome("mixed_l1", better="lower")
    assert spec.design == {"kind": "full_factorial"}


def test_the_direction_is_the_metrics_own(study: Load) -> None:
    assert study(BASE, "outcome.metric=swap_score").outcome.better == "higher"
    assert study(BASE, "outcome={metric: spread, better: higher}").outcome.better == "higher"
    assert study(BASE, "outcome.metric=average_swap_score").outcome.better == "higher"


def test_labels_are_text_wherever_they_stand(study: Load) -> None:
    spec = study(
        BASE
        + """
factors:
  on: {path: channels_last, levels: {false: false, on: true}}
  rate: {path: lr_generator, levels: {0.10: 0.1, 1e-2: 0.01}, when: {on: on}}
exclude: [{rate: 1e-2, on: on, reason: slow}]
design: {custom: [{rate: 0.10, on: false}, {rate: 0.10, on: on}, {rate: 1e-2, on: on}]}
""",
        "exclude=[]",
    )
    assert list(spec.factors[0].levels) == ["false", "on"]
    assert spec.factors[1].when == {"on": "on"}
    assert spec.design["cells"][0] == {"rate": "0.10", "on": "false"}


def test_extends_merges_maps_and_replaces_lists(study: Load, tmp_path: Path, menus: Menus) -> None:
    (tmp_path / "deep").mkdir()
    study(BASE + "notes: first\n", name="first.yaml")
    second = tmp_path / "deep" / "second.yaml"
    second.write_text(
        "extends: ../first.yaml\nbase: {losses: {long_fm: 2}, checkpoint: c.pt}\nseeds: [1, 2]\n"
    )
    third = tmp_path / "third.yaml"
    third.write_text("extends: deep/second.yaml\nname: third\nbase: {steps: 3}\n")
    spec = load_study(third, (), menus)
    assert spec.base.losses == {"adversarial": 1, "long_fm": 2}
    assert (spec.name, spec.seeds, spec.base.steps, spec.notes) == ("third", (1, 2), 3, "first")
    assert spec.base.checkpoint == str(tmp_path / "deep" / "c.pt")


def test_problems_are_told_in_the_file_that_has_them(
    study: Load, tmp_path: Path, menus: Menus
) -> None:
    (tmp_path / "parent.yaml").write_text(BASE.replace("adversarial", "adversary"))
    child = tmp_path / "child.yaml"
    child.write_text("extends: parent.yaml\nbase:\n  steps: many\n")
    with pytest.raises(StudyError) as caught:
        load_study(child, (), menus)
    first, second = str(caught.value).splitlines()
    assert (
        first
        == f"{child}:3:10: base.steps: 'many' must be a whole number, at least 1, at most 10000000"
    )
    assert second.startswith(
        f"{tmp_path / 'parent.yaml'}:4:17: base.losses.adversary: no such loss; did you mean adv"
    )


def test_circles_of_extends_are_named(tmp_path: Path, menus: Menus) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "b")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {other}.yaml\n")
    with pytest.raises(StudyError, match=r"b.yaml -> c.yaml -> b.yaml"):
        load_study(tmp_path / "a.yaml", (), menus)


def test_paths_are_relative_to_the_file_and_overrides_to_the_current_folder(
    study: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        BASE + "factors: {d: {levels: {a: {}, b: {dataset: image_folder, data: {root: faces}}}}}\n"
    )
    spec = study(text)
    assert spec.factors[0].levels["b"]["data"] == {"root": str(tmp_path / "faces")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert study(BASE, "base.checkpoint=c.pt").base.checkpoint == str(elsewhere / "c.pt")


def test_overrides_find_keys_with_dots_and_make_new_ones(study: Load) -> None:
    text = BASE + "factors: {f: {levels: {a.b: {losses.long_fm: 0}, c: {losses.long_fm: 1}}}}\n"
    spec = study(
        text, "factors.f.levels.a.b.losses.long_fm=0.5", "base.network.filters=8", "seeds=[4, 5]"
    )
    assert spec.factors[0].levels["a.b"] == {"losses.long_fm": 0.5}
    assert spec.base.network == {"filters": 8}
    assert spec.seeds == (4, 5)


def test_all_errors_at_once_in_the_order_of_the_file(study: Load) -> None:
    lines = problems(
        study,
        """name: x
seeds: [0]
basis: {}
base:
  losses: {long_reco: 1}
  steps: 1e3
factors:
  f: {path: losses.long_fm, levels: {a: 0, b: none}}
exclude: [{g: a, reason: r}, {f: c, reason: r}]
outcome: {metric: mixed_l2}
""",
    )
    assert [line.partition(": ")[0].rpartition("study.yaml")[2] for line in lines] == [
        ":3:1",
        ":5:12",
        ":6:10",
        ":8:47",
        ":9:12",
        ":9:34",
        ":10:19",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "base: {losses: {adversarial: 1}, checkpoint: 3}",
            "base.checkpoint: 3 must be text or a map or null",
        ),
        (
            "base: {losses: {adversarial: yes}}",
            "base.losses.adversarial: 'yes' must be a number, at least 0",
        ),
        ("base: {losses: {d_r1: 1}}", "base.losses: no loss of the generator is on"),
        ("base: {losses: {adversarial: 1}, network: {widht: 1}}", "no such option of the model"),
        (
            "base: {losses: {adversarial: 1}, network: {code_size: 1}}",
            "model funit2funit has no such option",
        ),
        ("base: {losses: {adversarial: 1}, channels_last: on}", "on is text here, write true"),
        (
            "base: {losses: {adversarial: 1}, steps: 100.0}",
            "must be a whole number, at least 1, at most 10000000; write 100",
        ),
        (
            "base: {losses: {adversarial: 1}, steps: 1_000}",
            "write 1000 without quotes or underscores",
        ),
        (
            "base: {losses: {adversarial: 1}, seed: 3}",
            "base.seed: unknown key; the replicates are seeds",
        ),
        ("base: {losses: {adversarial: .inf}}", "base.losses.adversarial: must be a finite number"),
        ("base: {losses: {adversarial: 1}, restore: [generators]}", "did you mean generator?"),
        ("base: {losses: {adversarial: 1}, evaluate: []}", "base.evaluate: needs at least 1"),
        (
            (
                "base: {losses: {adversarial: 1}, schedules: {long_fm: {kind: ramp, start: 5, "
                "end: 5}}}"
            ),
            "base.schedules.long_fm: a ramp needs an end",
        ),
    ],
)
def test_wrong_bases(study: Load, text: str, message: str) -> None:
    (line,) = problems(study, HEAD + text)
    assert message in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "factors: {f: {path: losses.long_fm, levels: {a: 0}}}",
            "factors.f.levels: needs at least 2, has 1",
        ),
        ("factors: {f: {path: seed, levels: [0, 1]}}", "factors.f.path: 'seed' is not known"),
        ("factors: {f: {levels: {a: 1, b: 2}}}", "factors.f.levels.a: 1 must be a map"),
        (
            "factors: {f: {levels: {a: {loses.long_fm: 1}, b: {}}}}",
            "no such path of the config; did you mean losses.",
        ),
        ("factors: {f: {path: steps, levels: [1, 1]}}", "levels holds a value twice"),
        (
            "factors: {f: {path: steps, levels: [1, 2], wen: {}}}",
            "factors.f.wen: unknown key; did you mean when?",
        ),
        (
            "factors: {f: {path: steps, levels: [1, 2], when: {f: 1}}}",
            "factors.f.when: goes in a circle",
        ),
        (
            "factors: {f: {path: steps, levels: [1, 2]}, g: {path: steps, levels: [3, 4]}}",
            "which factor f sets too",
        ),
        (
            "factors: {f: {levels: {a: {}, b: {model: naive, network.filters: 2}}}}",
            "model naive has no such option",
        ),
        (
            "factors: {f: {path: losses.adversarial, levels: [1, 0]}}",
            "factors.f.levels.0: no loss of the generator",
        ),
        ("design: full", "design: 'full' is not known; did you mean full_factorial?"),
        (
            "factors: {f: {path: losses.long_fm, levels: {a: 0, b: 0.0}}}",
            "factors.f: changes nothing",
        ),
        (
            "factors: {f: {levels: {a: {}, b: {schedules.long_fm: {kind: ramp, end: 9}}}}}",
            "factors.f: changes nothing: its levels train alike in every cell",
        ),
        (
            "design: fractional_factorial",
            "design: needs its size: {fractional_factorial: {resolution: 4}}, or {runs",
        ),
        ("design: custom", "design: needs its cells: {custom: [{factor: level}, ...]}"),
        ("design: {fractional_factorial: {resolution: 6}}", "one of 3, 4, 5"),
        ("design: {fractional_factorial: {}}", "design.fractional_factorial: needs at least 1"),
        ("design: {kind: custom}", "design.kind: unknown key"),
        ("exclude: [{reason: none}]", "exclude.0: needs at least 2"),
        ("exclude: [{f: a}]", "exclude.0: reason is missing"),
        ("seeds: []", "duplicate key seeds"),
    ],
)
def test_wrong_factors_and_designs(study: Load, text: str, message: str) -> None:
    lines = problems(study, BASE + text)
    assert any(message in line for line in lines), lines


IDLE = (
    "factors: {f: {path: losses.long_fm, levels: {a: 0, b: 0.0}}, g: {path: steps, levels: [5, "
    "6]}}\n"
)


def test_factors_that_are_meant_to_change_nothing_are_listed(study: Load) -> None:
    assert study(BASE + IDLE + "equal_arms: [[{f: a}, {f: b}]]\n").factors[0].name == "f"
    assert (
        len(study(BASE + IDLE.replace("b: 0.0", "b: 0.0, c: 1")).factors[0].levels) == 3
    )  # one level that acts


def test_a_rule_of_degradation_that_cannot_hold_is_said(study: Load) -> None:
    rule = (
        "outcome: {metric: mixed_l1, degradation: {relative: 0.1, after_step: %d, patience: %d}}\n"
    )
    head = BASE.replace("outcome: {metric: mixed_l1}\n", rule).replace(
        "adversarial: 1}", "adversarial: 1}, steps: 100"
    )
    spec = study(
        head.replace("steps: 100", "steps: 100, eval_every: 30") % (30, 3)
    )  # evaluated at 60, 90 and 100
    assert never_degraded(spec) is None
    for after, patience, evaluations in ((30, 4, 3), (100, 1, 0), (90, 2, 1)):
        spec = study(head.replace("steps: 100", "steps: 100, eval_every: 30") % (after, patience))
        assert f"there are {evaluations} after step {after}" in str(never_degraded(spec))
    longer = "factors: {f: {path: steps, levels: [100, 200]}}\n"
    assert never_degraded(study(head % (100, 1) + longer)) is None


def test_what_is_hardly_meant_is_said(study: Load) -> None:
    base = HEAD + "base: {losses: {adversarial: 1, long_fm: 1}, steps: 60, %s}\n"
    assert cautions(study(base % "discriminator_warmup: 59")) == []
    (line,) = cautions(study(base % "discriminator_warmup: 60"))
    assert "their generator never moves" in line
    (line,) = cautions(study(base % "schedules: {long_fm: {kind: delay, start: 60}}"))
    assert line.startswith("schedules.long_fm: starts after the last step")
    assert cautions(study(base % "schedules: {long_fm: {kind: delay, start: 59}}")) == []


def test_unknown_files_and_bundled_names(menus: Menus, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such study file"):
        load_study("nope.yaml", (), menus)
    with pytest.raises(StudyError, match="is a folder"):
        load_study(Path(__file__).parent, (), menus)
    child = tmp_path / "child.yaml"
    child.write_text(f"extends: {tmp_path}\n")
    with pytest.raises(
        StudyError, match=r"child.yaml:1:10: extends: .*: is a folder, not a study file"
    ):
        load_study(child, (), menus)
    for bad in ("\0", "x" * 5000, ""):
        with pytest.raises(StudyError, match=r"no such study|folder"):
            load_study(bad, (), menus)


def test_the_resolved_file_loads_as_the_same_study(
    study: Load, tmp_path: Path, menus: Menus
) -> None:
    spec = study(
        BASE
        + """
question: "1e-4"
factors:
  on: {path: channels_last, levels: {false: false, on: true}}
  rate: {path: lr_generator, levels: {0.10: 0.1, 1e-2: 0.01}, when: {on: on}}
exclude: [{rate: 1e-2, on: on, reason: "0x10"}]
""".replace(", when: {on: on}", ""),
    )
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved_yaml(spec), encoding="utf-8")
    assert load_study(path, (), menus) == spec


def test_the_schema_is_valid_and_agrees_with_validation(study: Load, menus: Menus) -> None:
    rules = schema(CoreTrainer(menus))
    jsonschema.Draft202012Validator.check_schema(rules)
    assert json.loads(json.dumps(rules)) == rules
    validator = jsonschema.Draft202012Validator(rules)
    good = yaml.safe_load(BASE + "factors: {f: {path: losses.long_fm, levels: {a: 0, b: 1}}}")
    assert validator.is_valid(good)
    for path, value in [
        (("base", "losses", "adversarial"), "x"),
        (("base", "modell"), "naive"),
        (("factors", "f", "levels", "a"), "x"),
        (("factors", "f", "path"), "loses"),
        (("name",), "../x"),
        (("seeds",), []),
        (("outcome", "metric"), "nope"),
    ]:
        wrong = json.loads(json.dumps(good))
        inner = wrong
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        assert not validator.is_valid(wrong), path
        with pytest.raises(StudyError):
            study(yaml.safe_dump(wrong))


def test_bundled_studies_are_found_by_name() -> None:
    for name, path in bundled_studies().items():
        assert path.name == f"{name}.yaml"
        assert path.is_file()


def test_null_drops_a_factor_of_the_extended_study(
    study: Load, tmp_path: Path, menus: Menus
) -> None:
    (tmp_path / "first.yaml").write_text(
        BASE
        + "factors: {a: {path: steps, levels: [2, 3]}, b: {path: batch_size, levels: [2, 3]}}\n"
    )
    second = tmp_path / "second.yaml"
    second.write_text("extends: first.yaml\nfactors: {a: null}\n")
    assert [factor.name for factor in load_study(second, (), menus).factors] == ["b"]


def test_dropping_a_factor_that_is_not_there_is_a_slip(
    study: Load, tmp_path: Path, menus: Menus
) -> None:
    (tmp_path / "parent.yaml").write_text(
        BASE + "factors: {long: {path: losses.long_fm, levels: {a: 0, b: 1}}}\n"
    )
    child = tmp_path / "child.yaml"
    child.write_text("extends: parent.yaml\nfactors:\n  lnog: null\n")
    with pytest.raises(
        StudyError,
        match=r"child.yaml:3:9: factors.lnog: null, but .* no such factor; did you mean long",
    ):
        load_study(child, (), menus)


FACTORS = BASE + (
    "factors: {f: {path: losses.long_fm, levels: {a: 0, b: 1}}, g: {path: steps, levels: [5, 6]}}\n"
)


def test_the_keys_of_the_second_edition(study: Load) -> None:
    text = FACTORS.replace("levels: [5, 6]", "levels: [5, 6], ordered: true").replace(
        "[0]", "[0, 1, 2]"
    ) + ("expect: {f: no harm, g=6: helps}\n")
    also = "outcome.also=[average_swap_score, {metric: spread, better: higher, smallest_effect: 2}]"
    margin = "outcome.smallest_effect=0.1"
    spec = study(
        text, "outcome.scale=log", margin, also, "outcome.looks=[2, 3]", "outcome.spend=middle"
    )
    assert (spec.outcome.scale, spec.outcome.spend) == ("log", "middle")
    assert spec.outcome.also == (
        FurtherOutcome("average_swap_score", "higher"),
        FurtherOutcome("spread", "higher", 2),
    )
    assert spec.expect == {"f": "no harm", "g=6": "helps"}
    assert [factor.ordered for factor in spec.factors] == [None, True]
    assert study(resolved_yaml(spec), name="again.yaml") == spec


def test_codes_are_in_the_plan_and_in_the_resolved_file(study: Load) -> None:
    spec = study(FACTORS, "factors.f.code=2", "factors.g.code=n", "factors.g.levels=[5, 6, 7]")
    assert [factor.code for factor in spec.factors] == ["2", "n"]
    assert study(resolved_yaml(spec), name="again.yaml") == spec
    assert [factor.code for factor in study(FACTORS).factors] == [None, None]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (("f.code=GG",), "f.code: 'GG' must be one letter from A to Z or one digit"),
        (("f.code=é",), "f.code: 'é' must be one letter"),
        (("f.code=12",), "f.code: '12' must be one letter"),
        (("f.code=[G]",), r"f.code: \['G'\] must be text"),
        (("f.code=G", "g.code=g"), "g.code: g is the code of f already"),
        (("g.code=1", "g.levels=[5, 6, 7]"), "g.code: must be a letter, not 1"),
    ],
)
def test_a_code_that_cannot_be_is_one_line(
    study: Load, codes: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StudyError, match=message) as raised:
        study(FACTORS, *(f"factors.{code}" for code in codes))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("outcome.scale=logarithmic", "outcome.scale: 'logarithmic' is not known"),
        (
            "outcome.scale=log",
            "outcome.scale: log needs a smallest_effect, a ratio minus 1: 0.1 for 10%",
        ),
        ("outcome.spend=early", "outcome.spend: 'early' is not known; one of even, middle, late"),
        (
            "outcome.spend=even",
            "outcome.spend: spends nothing: without outcome.looks all seeds run",
        ),
        ("outcome.also=[]", "outcome.also: needs at least 1, has 0"),
        (
            "outcome.also=[swap_scor]",
            "outcome.also.0: 'swap_scor' is not known; did you mean swap_score?",
        ),
        ("outcome.also=[3]", "outcome.also.0: 3 must be text or a map"),
        ("outcome.also=[{better: lower}]", "outcome.also.0: metric is missing"),
        (
            "outcome.also=[{metric: spread, bettr: lower}]",
            "outcome.also.0.bettr: unknown key; did you mean better?",
        ),
        (
            "outcome.also=[{metric: spread, smallest_effect: 0}]",
            "also.0.smallest_effect: 0 must be a number or null",
        ),
        ("outcome.also=[mixed_l1]", "outcome.also.0: mixed_l1 is the primary outcome already"),
        ("outcome.also=[spread, {metric: spread}]", "outcome.also.1: spread is listed twice"),
        (
            "outcome.also=[{metric: swap_score, better: lower}]",
            "outcome.also.0.better: swap_score is better higher",
        ),
        ("outcome.also=[kid]", "outcome.also.0: kid is not recorded; one of"),
        (
            "outcome.also=[copy]",
            "outcome.also.0: copy does not depend on any network of this study; choose another",
        ),
        (
            "outcome.metric=copy",
            "outcome.metric: copy does not depend on any network of this study; choose another",
        ),
        ("expect={h: harms}", "expect.h: no such factor; one of f, g"),
        ("expect={f: harm}", "expect.f: 'harm' is not known; did you mean harms?"),
        ("expect={f=c: harms}", "expect.f=c: 'c' is no level of f; one of b"),
        (
            "expect={f=a: harms}",
            "expect.f=a: 'a' is the first level of f, which the others are compared with",
        ),
        (
            "factors.f.ordered=on",
            "factors.f.ordered: 'on' must be true or false; on is text here, write true",
        ),
    ],
)
def test_mistakes_in_the_keys_of_the_second_edition(
    study: Load, override: str, message: str
) -> None:
    (line,) = problems(study, FACTORS, override)
    assert message in line


WORDED = """
label: A study
metrics: {mixed_l1: {label: the error}}
factors:
  short:
    label: the short loss
    labels: {with: adding the short loss}
    path: losses.long_recon
    levels: {without: 0, with: 0.1}
"""


def test_plain_names_are_in_the_plan_and_in_no_identity(study: Load) -> None:
    worded, bare = study(BASE + WORDED), study(BASE + WORDED, "label=B", "metrics={}")
    assert worded.words == {"label": "A study", "metrics": {"mixed_l1": {"label": "the error"}}}
    assert worded.factors[0].words["labels"] == {"with": "adding the short loss"}
    assert bare.words == {"label": "B"}
    assert worded.outcome == bare.outcome
    assert study(resolved_yaml(worded), name="again.yaml") == worded


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "factors.short.labels={wiht: x}",
            "factors.short.labels.wiht: no level wiht; did you mean",
        ),
        ("metrics={mixed_l2: {label: x}}", "metrics.mixed_l2: no metric mixed_l2; did you mean"),
        ("metrics={mixed_l1: {name: x}}", "name"),
        ("factors.short.label=[a]", "factors.short.label"),
    ],
)
def test_a_plain_name_of_nothing_is_one_line(study: Load, override: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as raised:
        study(BASE + WORDED, override)
    assert "\n" not in str(raised.value)
