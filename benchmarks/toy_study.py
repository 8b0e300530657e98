"""A study of the trivial trainer, for tests and benchmarks of everything around training.

    python -m benchmarks.toy_study OUT '{"seeds": 3, "steps": 20, "run": {"workers": 2}}'

The command runs such a study in a process of its own, and exits with the study's exit code. The
options are those of `toy_plan`; `run` holds options of `run_study`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.running.study import run_study
from ablate.study.nouns import Factor, Outcome, Plan, StudyError, StudySpec, Trial
from g2g_core.config import TrialConfig

if TYPE_CHECKING:
    import pandas as pd

TRAINER = "benchmarks.trivial_trainer:train"
BARE: dict[str, Any] = {"trainer": TRAINER, "report": False, "tracking_uri": "none", "quiet": True}
"""Options of a run without report, tracking, and progress."""


def toy_plan(
    seeds: int = 2,
    steps: int = 10,
    data: Mapping[str, Any] | None = None,
    planted: Mapping[str, Mapping[str, Any]] | None = None,
    name: str = "toy",
    **config: Any,
) -> Plan:
    """Return the plan of a study with two arms, `off` and `on`.

    Args:
        seeds: number of seeds.
        steps: number of steps of each trial.
        data: options of the trivial trainer for all trials.
        planted: arm and seed, such as `on/1` -> further options for that trial alone.
        name: name of the study.
        **config: further fields of the config.
    """
    base = TrialConfig(
        **{"steps": steps, "eval_every": 5, "checkpoint_every": 2, "data": dict(data or {})}
        | config
    )
    factor = Factor("weight", {"off": {"losses.long_recon": 0.0}, "on": {"losses.long_recon": 0.1}})

    trials = []
    for seed in range(seeds):
        for number, (label, patch) in enumerate(factor.levels.items()):
            document = base.to_dict() | {
                "seed": seed,
                "losses": {"long_recon": patch["losses.long_recon"]},
            }
            document["data"] = {**base.data, **(planted or {}).get(f"{label}/{seed}", {})}

            cell = f"{number:012x}"
            id_ = f"{number:04x}{seed:08x}"
            trials.append(
                Trial(id_, cell, {"weight": label}, seed, TrialConfig.from_dict(document))
            )

    return Plan(
        spec=StudySpec(
            name=name,
            question="Does the toy work?",
            base=base,
            factors=(factor,),
            design={"kind": "full_factorial"},
            seeds=tuple(range(seeds)),
            outcome=Outcome("mixed_l1", better="lower", smallest_effect=0.01),
        ),
        trials=tuple(trials),
        hash="70" * 32,
        reference={"weight": "off"},
        cells=tuple(
            (f"{number:012x}", {"weight": label}) for number, label in enumerate(factor.levels)
        ),
    )


def table(out: Path) -> "pd.DataFrame":
    """Return the history of a toy study without the times and attempts.

    What remains is identical in all runs of the study.

    Args:
        out: the folder that the study ran in.
    """
    import pandas as pd

    history = pd.read_parquet(out / "toy" / "history.parquet").astype(
        {"trial_id": str, "name": str}
    )
    timeless = history[~history["name"].str.startswith("time/")]
    return timeless.drop(columns="attempt").reset_index(drop=True)


def main() -> None:
    out, options = sys.argv[1], json.loads(sys.argv[2])
    run = BARE | options.pop("run", {})
    try:
        result = run_study(toy_plan(**options), out, **run)
    except StudyError as error:
        sys.exit(f"{error}")
    print(*result.messages, sep="\n", file=sys.stderr)
    sys.exit(result.exit_code)


if __name__ == "__main__":
    main()
