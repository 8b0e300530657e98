"""A ready study file with the cells that separate the effects a fraction leaves aliased."""

from typing import Any

import yaml

from reports.view.study import StudyView
from reports.words.next import fold_over


def fold_over_file(view: StudyView) -> str:
    """Return a study file with the old and the new cells; empty if nothing needs separating.

    The study keeps its name, so that finished trials are reused and the new cells are paired with
    them by seed.
    """
    cells = fold_over(view)
    if not cells:
        return ""

    plan = view.study
    base = {key: value for key, value in plan.get("base", {}).items() if key != "seed"}
    factors = {
        name: {"levels": entry["levels"], **({"when": entry["when"]} if entry.get("when") else {})}
        for name, entry in plan["factors"].items()
    }
    outcome = {
        key: value
        for key, value in plan["outcome"].items()
        if key not in ("alpha",) and value is not None
    }

    study: dict[str, Any] = {
        "name": plan["name"],
        "question": plan.get("question", ""),
        "base": base,
    }
    if plan.get("trainer"):
        study["trainer"] = plan["trainer"].get("object", plan["trainer"])
    study |= {"factors": factors, "design": {"custom": [*_levels(view), *map(dict, cells)]}}
    networks = plan.get("networks")
    # The first network's seeds are those of the study file.
    seeds = networks[0]["seeds"] if networks else plan["seeds"]
    study |= {"seeds": [int(seed) for seed in seeds], "outcome": outcome}
    if tuning := plan.get("tuning"):
        study["tune"] = {key: tuning[key] for key in ("path", "values", "seeds")}

    head = (
        f"# {len(cells)} new arms besides the {len(view.arms)} of the study {plan['name']}, whose "
        "trials are reused.\n"
    )
    return head + str(yaml.safe_dump(study, sort_keys=False, allow_unicode=True, width=120))


def _levels(view: StudyView) -> list[dict[str, str]]:
    """Return the levels of all cells of the study."""
    return [dict(levels) for _, levels in view.analysis.cells.design.settings]
