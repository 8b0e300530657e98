import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reports import ReportError, build_report, make_comparison
from reports.comparison import AGREEMENT
from reports.render.plain_text import to_text

SAME = {"config": "c", "data": "d", "checkpoint": "none", "weights": "none", "code": "k"}


@pytest.fixture
def make(make_study):
    """A function that makes a study of the factor `clip` with planted effects, one per seed."""

    def made(
        name, effects, margin=0.01, base=None, identity=SAME, pairs="abc", first_seed=0, **options
    ):
        table = make_study(
            name=name, factors=1, seeds=len(effects), names={"long_recon": "clip"}, **options
        )
        ids = {trial: f"{name}-{trial}" for trial in table.trials["trial_id"]}
        seeds = table.trials["seed"].to_numpy()
        changed = (table.trials["level.clip"] == "with").to_numpy()
        values = 0.1 + 0.001 * seeds + np.where(changed, np.array(effects)[seeds], 0.0)
        ended = table.trials["status"] == "finished"
        trials = table.trials.assign(
            **{"digest.eval_pairs": pairs, "metric.kid": np.where(ended, values, np.nan)},
            trial_id=table.trials["trial_id"].map(ids),
            seed=seeds + first_seed,
        )
        plan = {
            **table.study,
            "hash": name.encode().hex(),
            "seeds": [seed + first_seed for seed in table.study["seeds"]],
            "outcome": {**table.study["outcome"], "smallest_effect": margin},
            "trials": [
                {**trial, "trial_id": ids[trial["trial_id"]], "identity": identity}
                for trial in table.study["trials"]
            ],
            "base": {"steps": 400, "lr": 0.1, **(base or {})},
        }
        history = table.history.assign(trial_id=table.history["trial_id"].map(ids))
        return replace(table, study=plan, trials=trials, history=history)

    return made


WORSE = (0.028, 0.030, 0.031, 0.033, 0.028)
BETTER = (-0.029, -0.031, -0.032, -0.034, -0.029)
AGAIN = (0.029, 0.031, 0.030, 0.034, 0.027)


def text_of(*tables):
    """The text of a comparison, with its lines joined."""
    return " ".join(to_text(make_comparison(tables).document).split())


def test_words_by_different_margins_are_not_compared_and_the_effects_are(make):
    # +0.030 harms by a margin of 0.01; -0.031 is equivalent by a margin of 0.05.
    text = text_of(make("first", WORSE), make("second", BETTER, margin=0.05, first_seed=9))
    assert "The effects on kid can be compared; the words of the verdicts can't." in text
    assert "Their margins differ (first: 0.01; second: 0.05)" in text
    assert (
        "The studies disagree on clip: its effect is +0.0300 (95% interval +0.0274 to +0.0326) "
        "in first and −0.0310 " in text
    )
    assert "(p < 0.001)" in text
    assert (
        "the margins differ (0.01, 0.05), so the words “harms” and “equivalent” can't be compared"
        in text
    )
    assert text.index("Their margins differ") < text.index("+0.030")


def test_studies_that_do_not_differ_have_a_mean_and_no_claim_that_they_are_the_same(make):
    text = text_of(make("first", WORSE), make("second", AGAIN, first_seed=9))
    assert "can be compared: the reports know of no difference between these studies" in text
    assert (
        "It isn't settled whether the effect of clip differs between the studies: it is +0.0300"
        in text
    )
    assert "The mean of these studies is +0.0301 (95% interval +0.0284 to +0.0318)." in text
    assert "Two studies are too few to say anything of studies like these." in text
    assert "disagree" not in text


def test_from_three_studies_on_there_is_a_mean_in_studies_like_these(make):
    tables = [
        make(name, AGAIN, first_seed=9 * at) for at, name in enumerate(("first", "second", "third"))
    ]
    document = make_comparison(tables).document
    assert "In studies like these, the mean effect of clip is +0.0302 (95% interval" in to_text(
        document
    )
    (forest,) = next(
        block for block in document.blocks() if getattr(block, "name", "") == "agreement"
    ).panels
    assert "mean of these studies +0.0302; studies like these +0.0302" in forest.drawing.alt


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base": {"lr": 0.2}}, "Their bases differ: lr (first: 0.1; second: 0.2)."),
        ({"base": {"crop": True}}, "Their bases differ: crop (first: not set; second: true)."),
        ({"base": {str(n): n for n in range(8)}}, "4 (first: not set; second: 4), and 3 more."),
        ({"identity": {**SAME, "data": "other"}}, "The digests of their data differ."),
        ({"identity": {**SAME, "code": "other"}}, "The digests of their training code differ."),
        (
            {"identity": {}},
            "It isn't known whether the data, pre-trained checkpoints, weights of named networks",
        ),
        ({"first_seed": 0}, "They have seeds in common."),
        (
            {"pairs": "other"},
            "Their evaluation pairs differ, by their digests. Levels of the outcome can't",
        ),
    ],
)
def test_what_differs_is_said_before_any_number_and_forbids_no_effect(make, options, words):
    text = text_of(make("first", WORSE), make("second", AGAIN, **{"first_seed": 9, **options}))
    assert (
        "The effects on kid and the verdicts can be compared, with these differences in mind."
        in text
    )
    assert words in text
    assert text.index(words) < text.index("+0.03")
    assert "The mean of these studies is" in text


def with_levels(table, **levels):
    factors = {"clip": {**table.study["factors"]["clip"], "levels": levels}}
    return replace(table, study={**table.study, "factors": factors})


def test_a_path_that_a_factor_sets_in_one_study_is_told_as_that(make):
    second = make("second", AGAIN, base={"lr": 0.2}, first_seed=9)
    second = with_levels(second, without={"lr": 0.2}, **{"with": {"lr": 0.5}})
    text = text_of(make("first", WORSE), second)
    assert "Their bases differ: lr (first: 0.1; second: set by clip)." in text


def test_levels_of_one_label_that_set_other_values_are_told_and_other_paths_are_not_compared(make):
    first, second = make("first", WORSE), make("second", AGAIN, first_seed=9)
    more = with_levels(
        second, without={"losses.long_recon": 0.0}, **{"with": {"losses.long_recon": 0.3}}
    )
    other = with_levels(second, without={"lr": 0.1}, **{"with": {"lr": 0.5}})
    told = "The level clip=with sets different values: losses.long_recon (first: 0.1; second: 0.3)."
    first = with_levels(
        first, without={"losses.long_recon": 0.0}, **{"with": {"losses.long_recon": 0.1}}
    )
    text = text_of(first, more)
    assert told in text
    assert "The mean of these studies" in text

    text = text_of(first, other)
    assert (
        "losses.long_recon (first: 0.1; second: not set) and lr (first: not set; second: 0.5)"
        in text
    )
    assert (
        "clip: the effects aren't compared. Its levels set different parts of the config." in text
    )
    assert "mean of these studies" not in text


def with_outcome(table, **changes):
    return replace(table, study={**table.study, "outcome": {**table.study["outcome"], **changes}})


def with_steps(table, steps):
    return replace(table, study={**table.study, "base": {**table.study["base"], "steps": steps}})


@pytest.mark.parametrize(
    ("change", "difference", "reason"),
    [
        (
            lambda t: with_outcome(t, metric="swap_score"),
            "Their outcomes differ (first: kid; second: swap_score).",
            "",
        ),
        (
            lambda t: with_outcome(t, better="higher"),
            "Their better directions differ",
            "opposite directions",
        ),
        (
            lambda t: with_outcome(t, scale="log"),
            "Their scales differ (first: linear; second: log).",
            "scales",
        ),
        (
            lambda t: with_outcome(t, summary="best"),
            "Their summaries of the curve differ",
            "in different ways",
        ),
        (
            lambda t: with_steps(t, 800),
            "first: 400 steps each; second: 800 steps each",
            "for different lengths",
        ),
    ],
)
def test_other_outcomes_have_no_number_over_studies(make, change, difference, reason):
    text = text_of(make("first", WORSE), change(make("second", AGAIN, first_seed=9)))
    assert (
        "The effects of these studies can't be compared. Each study keeps its own answer." in text
    )
    assert difference in text
    assert reason in text
    assert "clip: the effects aren't compared." in text
    assert "mean of these studies" not in text
    assert "Figure references" not in text


def test_levels_need_the_same_evaluation_pairs(make):
    first, second = make("first", WORSE), make("second", AGAIN, first_seed=9)
    assert "Figure references" in text_of(first, second)
    unknown = replace(second, trials=second.trials.drop(columns="digest.eval_pairs"))
    text = text_of(first, unknown)
    assert (
        "second didn't record the evaluation pairs, so it isn't known whether they are the same."
        in text
    )
    assert "Figure references" not in text


def test_studies_with_trials_in_common_have_no_common_mean(make_study):
    text = text_of(make_study(name="first"), make_study(name="second", factors=3))
    assert "They have 16 trials in common" in text
    assert (
        "Their factors or designs differ: first, full factorial: long_recon and long_fm; second"
        in text
    )
    assert (
        "long_recon: the effects aren't compared. first and second have trials in common." in text
    )


def test_diverged_trials_leave_no_fair_sample(make):
    second = make("second", AGAIN, first_seed=9, status={(1, 2): "diverged"})
    text = text_of(make("first", WORSE), second)
    assert "Trials that it is compared in diverged in second" in text
    assert "mean of these studies" not in text


def test_an_effect_that_depends_on_another_factor_has_no_common_mean(make_study):
    def crossed(name):
        table = make_study(name=name, seeds=5)
        a, b = (table.trials[f"level.{f}"] == "with" for f in ("long_recon", "long_fm"))
        noise = 0.0005 * np.sin(7.0 * np.arange(len(table.trials)))
        ids = [f"{name}-{trial}" for trial in table.trials["trial_id"]]
        return replace(
            table,
            trials=table.trials.assign(
                trial_id=ids, **{"metric.kid": 0.1 + 0.03 * (a ^ b) + noise}
            ),
        )

    text = text_of(crossed("first"), crossed("second"))
    assert (
        "Its effect depends on another factor in first and second, so one number doesn't "
        "describe it." in text
    )
    assert "mean of these studies" not in text


def test_studies_without_a_common_change_are_told_as_that(make, make_study):
    text = text_of(make("first", WORSE), make_study(name="second", names={"long_recon": "other"}))
    assert "These studies share no change that both can judge" in text


def test_studies_of_one_name_are_told_apart(make):
    first, second = make("first", WORSE), make("first", AGAIN, first_seed=9)
    text = text_of(first, replace(second, study={**second.study, "hash": "abcd"}))
    assert "first (plan 6669727374)" in text
    assert "first (plan abcd)" in text


def test_a_study_with_itself_is_refused(make):
    first = make("first", WORSE)
    with pytest.raises(ReportError, match="two different studies"):
        make_comparison([first, first])


def test_files_of_a_comparison(make, tmp_path):
    build_report(
        [make("first", WORSE), make("second", BETTER, margin=0.05, first_seed=9)], tmp_path
    )
    assert (tmp_path / "index.html").exists()
    assert (tmp_path / "report.pdf").exists()
    assert (tmp_path / "figures" / "agreement-1.svg").exists()
    for number in (1, 2):
        assert (tmp_path / f"data-{number}" / "arms.csv").exists()
        assert (tmp_path / "tables" / f"methods-{number}.tex").exists()

    frame = pd.read_csv(tmp_path / "data" / "agreement.csv")
    assert tuple(frame) == AGREEMENT
    assert list(frame["of"]) == ["study", "study", "mean of these studies"]
    assert list(frame["effect"]) == pytest.approx([0.030, -0.031, -0.0005])
    assert set(frame["words_not_compared"]) == {"margin"}

    content = json.loads((tmp_path / "data" / "report.json").read_text())
    assert [study["data"] for study in content["studies"]] == ["data-1", "data-2"]
    assert [one["what"] for one in content["differences"]] == ["margin"]
    assert content["agreement"][0]["differ"] is True
    assert content["agreement"][0]["test"]["p"] == pytest.approx(frame["p"].iloc[-1])
    assert "data/agreement.csv" in content["files"]["csv"]


def test_one_study_in_a_list_is_an_ordinary_report(make_study, tmp_path):
    build_report([make_study()], tmp_path, formats=("csv",))
    assert (tmp_path / "data" / "arms.csv").exists()
