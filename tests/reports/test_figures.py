import pytest
from matplotlib.figure import Figure

from reports import figures, open_study


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(scope="module")
def view(study):
    return open_study(study)


def test_curves_draw_seeds_and_means(view, ax):
    figures.curves(view, ax, arms=["long_fm"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["long_fm"]
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert len(lines) == 5
    onsets = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v"]
    assert len(onsets) == 4


def test_forest_and_arms_have_a_row_each(view, ax):
    figures.forest(view, ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(view.analysis.effects["term"])
    other = Figure().subplots()
    figures.arms(view, other)
    assert [tick.get_text() for tick in other.get_yticklabels()] == [
        "long_fm",
        "long_recon",
        "long_recon + long_fm",
    ]


def test_shapley_bars_are_the_values(view, ax):
    figures.shapley(view, ax)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(
        view.analysis.shapley["value"].tolist()
    )


def test_survival_starts_at_one(view, ax):
    figures.survival(view, ax)
    assert all(line.get_ydata()[0] == 1 for line in ax.lines)
    assert len(ax.lines) == 2


def test_disentanglement_draws_each_finished_trial(view, ax):
    figures.disentanglement(view, ax, "swap_score")
    assert len(ax.lines) == 14
    with pytest.raises(KeyError):
        figures.disentanglement(view, ax, "nothing")
