"""The identity of a trial of the core depends on the modules that it uses, and on no others."""

import pytest

from ablate.trainers.core.menus import science_menus
from ablate.trainers.core.sources import sources_of

NETWORKS = {"naive": "naive", "cyclefunit": "cyclefunit", "funit": "networks"}
FILES = {"synthetic": "synthetic_set", "image_folder": "folders", "celeba": "celeba_layout"}


def used(model: str, dataset: str) -> set[str]:
    values = {"model": model, "dataset": dataset, "losses": {"long_recon": 1.0}, "metrics": ()}
    return set(sources_of(values, science_menus()))


@pytest.mark.parametrize("model", NETWORKS)
def test_other_models_are_not_reached(model: str) -> None:
    names = used(model, "synthetic")
    assert f"g2g_core.models.{NETWORKS[model]}" in names
    others = {f"g2g_core.models.{name}" for name in ("naive", "cyclefunit")}
    assert not names & others - {f"g2g_core.models.{model}"}


@pytest.mark.parametrize("dataset", FILES)
def test_other_datasets_are_not_reached(dataset: str) -> None:
    names = used("funit", dataset)
    assert {f"g2g_core.data.{module}" for module in FILES.values()} & names == {
        f"g2g_core.data.{FILES[dataset]}"
    }


def test_how_menus_are_made_is_no_part_of_a_trial() -> None:
    names = used("funit", "synthetic")
    assert not {name for name in names if name.startswith("g2g_base") or name.endswith(".menu")}
    assert not {"g2g_core.models", "g2g_core.data"} & names
