"""Wrong study files: each gives clear lines with a place, exit code 2, never a traceback, and
nothing is started."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ablate.planning.load import load_study
from ablate.study.nouns import StudyError, StudySpec
from ablate.trainers.core.menus import Menus

Load = Callable[..., StudySpec]
HEAD = "name: x\nseeds: [0]\noutcome: {metric: mixed_l1}\n"
BASE = HEAD + "base: {losses: {adversarial: 1}}\n"
TWO = BASE + (
    "factors: {f: {path: losses.long_fm, levels: {a: 0, b: 1}}, g: {path: steps, levels: {c: "
    "5, d: 6}}}\n"
)

WRONG: dict[str, str] = {
    "nothing": "",
    "only a comment": "# nothing\n",
    "null": "null",
    "text": "hello",
    "number": "3",
    "list": "- name: x",
    "open bracket": "name: [x",
    "open quote": "name: 'x",
    "tab": "name: x\nbase:\n\tsteps: 3\n",
    "colon": "name: a: b",
    "bad indent": "name: x\n   seeds: [0]\n",
    "two documents": BASE + "---\n" + BASE,
    "tag": BASE + "notes: !!python/name:os.system\n",
    "own tag": BASE + "notes: !secret x\n",
    "unknown alias": BASE + "notes: *n\n",
    "duplicate key": BASE + "seeds: [1]\n",
    "duplicate level": BASE + "factors: {f: {path: steps, levels: {a: 1, a: 2}}}\n",
    "list as key": "? [a]\n: b\n",
    "no name": "seeds: [0]\noutcome: {metric: mixed_l1}\nbase: {losses: {adversarial: 1}}\n",
    "no seeds": "name: x\noutcome: {metric: mixed_l1}\nbase: {losses: {adversarial: 1}}\n",
    "no outcome": "name: x\nseeds: [0]\nbase: {losses: {adversarial: 1}}\n",
    "no losses": HEAD,
    "name is a number": BASE.replace("name: x", "name: 3"),
    "name is a list": BASE.replace("name: x", "name: [x]"),
    "seeds is a number": BASE.replace("[0]", "0"),
    "seeds is empty": BASE.replace("[0]", "[]"),
    "seed is text": BASE.replace("[0]", "[a]"),
    "seed is negative": BASE.replace("[0]", "[-1]"),
    "seed is huge": BASE.replace("[0]", "[99999999999]"),
    "seed is a fraction": BASE.replace("[0]", "[0.5]"),
    "seed twice": BASE.replace("[0]", "[1, 1]"),
    "base is a list": HEAD + "base: []\n",
    "unknown model": HEAD + "base: {model: funit3, losses: {adversarial: 1}}\n",
    "unknown dataset": HEAD + "base: {dataset: celeb, losses: {adversarial: 1}}\n",
    "unknown loss": HEAD + "base: {losses: {adversarial: 1, long_rec: 1}}\n",
    "loss is text": HEAD + "base: {losses: {adversarial: high}}\n",
    "loss is boolean": HEAD + "base: {losses: {adversarial: true}}\n",
    "loss is negative": HEAD + "base: {losses: {adversarial: -1}}\n",
    "loss is not a number": HEAD + "base: {losses: {adversarial: .nan}}\n",
    "loss is too large": HEAD + "base: {losses: {adversarial: 1e400}}\n",
    "losses is a list": HEAD + "base: {losses: [adversarial]}\n",
    "steps is zero": HEAD + "base: {losses: {adversarial: 1}, steps: 0}\n",
    "steps is text": HEAD + "base: {losses: {adversarial: 1}, steps: '100'}\n",
    "batch is a fraction": HEAD + "base: {losses: {adversarial: 1}, batch_size: 4.0}\n",
    "optimizer": HEAD + "base: {losses: {adversarial: 1}, optimizer: sgd}\n",
    "precision": HEAD + "base: {losses: {adversarial: 1}, precision: float16}\n",
    "decay over one": HEAD + "base: {losses: {adversarial: 1}, ema_decay: 1.5}\n",
    "restore": HEAD + "base: {losses: {adversarial: 1}, restore: [everything]}\n",
    "evaluate": HEAD + "base: {losses: {adversarial: 1}, evaluate: [ema]}\n",
    "metric": HEAD + "base: {losses: {adversarial: 1}, metrics: [fid]}\n",
    "outcome not recorded": HEAD + "base: {losses: {adversarial: 1}, metrics: [spread]}\n",
    "outcome that is not usual": BASE.replace("mixed_l1", "kid"),
    "outcome of the first weights": BASE.replace("mixed_l1", "raw_mixed_l1"),
    "outcome of no average": BASE.replace("mixed_l1", "average_mixed_l1").replace(
        "1}}", "1}, ema_decay: null}"
    ),
    "outcome of no weights": HEAD
    + "base: {losses: {adversarial: 1}, ema_decay: null, evaluate: [average]}\n",
    "outcome of a level": BASE.replace("mixed_l1", "average_mixed_l1")
    + "factors: {f: {path: evaluate, levels: {a: [raw, average], b: [raw]}}}\n",
    "bound that is not recorded": HEAD
    + "base: {losses: {adversarial: 1}, stop_beyond: {raw_mixed_l1: 1}}\n",
    "bound that is not usual": HEAD + "base: {losses: {adversarial: 1}, stop_beyond: {kid: 1}}\n",
    "network option": HEAD + "base: {losses: {adversarial: 1}, network: {filter: 3}}\n",
    "network value": HEAD + "base: {losses: {adversarial: 1}, network: {filters: many}}\n",
    "network of another model": HEAD
    + "base: {model: naive, losses: {adversarial: 1}, network: {filters: 3}}\n",
    "data option": HEAD + "base: {losses: {adversarial: 1}, data: {root: faces}}\n",
    "schedule kind": HEAD
    + "base: {losses: {adversarial: 1}, schedules: {adversarial: {kind: cosine}}}\n",
    "schedule key": HEAD
    + "base: {losses: {adversarial: 1}, schedules: {adversarial: {kind: ramp, stop: 3}}}\n",
    "schedule backwards": HEAD
    + "base: {losses: {adversarial: 1}, schedules: {adversarial: {kind: ramp, start: 9}}}\n",
    "factors is a list": BASE + "factors: [f]\n",
    "factor is a list": BASE + "factors: {f: [0, 1]}\n",
    "factor without levels": BASE + "factors: {f: {path: steps}}\n",
    "factor with one level": BASE + "factors: {f: {path: steps, levels: {a: 3}}}\n",
    "factor's path": BASE + "factors: {f: {path: losses.long, levels: {a: 0, b: 1}}}\n",
    "factor's value": BASE + "factors: {f: {path: steps, levels: {a: 3, b: four}}}\n",
    "factor's patch": BASE + "factors: {f: {levels: {a: {step: 3}, b: {step: 4}}}}\n",
    "factor's name": BASE + "factors: {'f g': {path: steps, levels: {a: 3, b: 4}}}\n",
    "factor called reason": BASE + "factors: {reason: {path: steps, levels: {a: 3, b: 4}}}\n",
    "empty label": BASE + "factors: {f: {path: steps, levels: {'': 3, b: 4}}}\n",
    "label with a newline": BASE + 'factors: {f: {path: steps, levels: {"a\\nb": 3, b: 4}}}\n',
    "when names no factor": TWO.replace("d: 6}}", "d: 6}, when: {h: a}}"),
    "when names no level": TWO.replace("d: 6}}", "d: 6}, when: {f: c}}"),
    "when goes in a circle": TWO.replace("b: 1}}", "b: 1}, when: {g: d}}").replace(
        "d: 6}}", "d: 6}, when: {f: b}}"
    ),
    "two factors, one path": TWO.replace("path: steps", "path: losses.long_fm"),
    "design": TWO + "design: half\n",
    "design is a list": TWO + "design: [full_factorial]\n",
    "two designs": TWO + "design: {custom: [{f: b}], fractional_factorial: {runs: 2}}\n",
    "fraction without size": TWO + "design: fractional_factorial\n",
    "fraction of three runs": TWO + "design: {fractional_factorial: {runs: 3}}\n",
    "fraction of resolution 9": TWO + "design: {fractional_factorial: {resolution: 9}}\n",
    "custom cell without factor": TWO + "design: {custom: [{h: a}]}\n",
    "custom cell without level": TWO + "design: {custom: [{f: c}]}\n",
    "custom leaves a level out": TWO + "design: {custom: [{f: b}]}\n",
    "exclude without reason": TWO + "exclude: [{f: b}]\n",
    "exclude is a map": TWO + "exclude: {f: b, reason: r}\n",
    "exclude names no factor": TWO + "exclude: [{h: b, reason: r}]\n",
    "exclude the reference": TWO + "exclude: [{f: a, g: c, reason: r}]\n",
    "exclude a whole level": TWO + "exclude: [{f: b, reason: r}]\n",
    "equal arms of one": TWO + "equal_arms: [[{f: a}]]\n",
    "equal arms without level": TWO + "equal_arms: [[{f: a}, {f: z}]]\n",
    "outcome is text": TWO.replace("{metric: mixed_l1}", "mixed_l1"),
    "outcome's metric": TWO.replace("mixed_l1", "mixed_l3"),
    "outcome's direction": TWO.replace("{metric: mixed_l1}", "{metric: mixed_l1, better: higher}"),
    "outcome's summary": TWO.replace("{metric: mixed_l1}", "{metric: mixed_l1, summary: median}"),
    "outcome's effect": TWO.replace("{metric: mixed_l1}", "{metric: mixed_l1, smallest_effect: 0}"),
    "outcome's rule": TWO.replace(
        "{metric: mixed_l1}", "{metric: mixed_l1, degradation: {patience: 0}}"
    ),
    "question is a map": TWO + "question: {a: b}\n",
    "a cell without losses": BASE + "factors: {f: {path: losses.adversarial, levels: [1, 0]}}\n",
    "a cell of another model": HEAD
    + "base: {losses: {adversarial: 1}, network: {filters: 8}}\n"
    + "factors: {m: {path: model, levels: {a: funit2funit, b: naive}}}\n",
}


def test_there_are_many() -> None:
    assert len(WRONG) >= 60


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_files_are_told_where_and_what(study: Load, tmp_path: Path, kind: str) -> None:
    with pytest.raises(StudyError) as caught:
        study(WRONG[kind])
    for line in str(caught.value).splitlines():
        place, _, message = line.partition(": ")
        assert place.startswith(str(tmp_path / "study.yaml"))
        assert 5 < len(message) < 300
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_the_files_these_are_made_from_are_right(study: Load) -> None:
    assert study(BASE).factors == ()
    assert len(study(TWO).factors) == 2


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (
            "outcome not recorded",
            "3:19: outcome.metric: mixed_l1 is not recorded; one of spread, average_spread",
        ),
        (
            "outcome of the first weights",
            "3:19: outcome.metric: raw_mixed_l1 is not recorded; did you mean mixed_l1?",
        ),
        (
            "outcome of no average",
            "3:19: outcome.metric: average_mixed_l1 is not recorded; did you mean mixed_l1?",
        ),
        (
            "outcome of no weights",
            "3:19: outcome.metric: mixed_l1 is not recorded; evaluate names no weights that are",
        ),
        (
            "outcome of a level",
            (
                "3:19: outcome.metric: average_mixed_l1 is not recorded with f=b; did you mean "
                "mixed_l1?"
            ),
        ),
        (
            "bound that is not recorded",
            "4:62: base.stop_beyond.raw_mixed_l1: is not recorded by the trial; did you",
        ),
    ],
)
def test_an_outcome_or_bound_that_is_not_recorded_has_the_nearest_name(
    study: Load, kind: str, message: str
) -> None:
    with pytest.raises(StudyError) as caught:
        study(WRONG[kind])
    (line,) = str(caught.value).splitlines()
    assert f"study.yaml:{message}" in line


HOSTILE = [
    "..",
    ".",
    "../x",
    "a/../../x",
    "/etc",
    "/",
    "a/b",
    "a\\\\b",
    "C:",
    "~",
    "~root",
    "",
    " ",
    " x",
    "x ",
    ".hidden",
    "-rf",
    "x" * 65,
    "x" * 5000,
    "a\\0b",
    "a\\nb",
    "a\\n",
    "a\\tb",
    "λ",
    "日本",
    "x\\u202ey",
    "CON",
    "nul",
    "com1.txt",
    "mlflow.db",
    "mlartifacts",
    "a..b",
    "x.",
    "$HOME",
    "a;b",
    "a|b",
    "*",
    "%2e%2e",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_leave_the_output_folder(study: Load, name: str) -> None:
    with pytest.raises(StudyError) as caught:
        study(BASE.replace("name: x", f'name: "{name}"'))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(StudyError):
        study(BASE + f'factors: {{"{name}/": {{path: steps, levels: [1, 2]}}}}\n')


@pytest.mark.parametrize("name", ["a", "A-1", "funit2funit", "x.y_z-2", "9lives", "x" * 64])
def test_plain_names_are_fine(study: Load, name: str) -> None:
    assert study(BASE.replace("name: x", f"name: {name}")).name == name


words = st.sampled_from(
    [
        "name",
        "seeds",
        "outcome",
        "base",
        "factors",
        "design",
        "exclude",
        "extends",
        "losses",
        "adversarial",
        "levels",
        "path",
        "metric",
        "mixed_l1",
        "steps",
        "custom",
        "fractional_factorial",
        "when",
        "reason",
        "true",
        "null",
        "on",
        "1e-4",
        "010",
        ".nan",
        ".inf",
        "../x",
        "<<",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(
    text=st.text(max_size=60) | st.lists(words, max_size=12).map(": ".join) | st.binary(max_size=40)
)
def test_no_text_gives_a_traceback(tmp_path: Path, menus: Menus, text: str | bytes) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    with pytest.raises(StudyError):
        load_study(path, (), menus)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
@given(key=words, value=values, setting=st.text(max_size=30))
def test_no_value_gives_a_traceback(
    tmp_path: Path, menus: Menus, key: str, value: object, setting: str
) -> None:
    import yaml

    path = tmp_path / "any.yaml"
    lines = [line for line in TWO.splitlines(keepends=True) if not line.startswith(key + ":")]
    path.write_text(
        "".join(lines) + yaml.safe_dump({key: value}, allow_unicode=True), encoding="utf-8"
    )
    for overrides in ((), (setting,), (f"base.{setting}",)):
        with contextlib.suppress(StudyError):
            assert load_study(path, overrides, menus).name
