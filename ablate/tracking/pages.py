"""Content of MLflow's pages about a study: names, colors, notes, prepared views, and addresses.

Everything here is text for tags and addresses, so this module does not import MLflow. The prepared
views use a tag that MLflow does not document (seen in 3.17). If a version ignores that tag, the
plain addresses still work.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reports.documents.names import ArmNames
from reports.documents.plan import PlanDocument

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""Colors of Okabe and Ito, which color-blind readers can distinguish."""
FACTOR_TAG = "factor."
"""Start of the names of the tags with a trial's levels."""
LOOPBACK = "http://127.0.0.1:5000"
"""Default address of `mlflow ui`."""


MOST_COMPARED = 100
"""Most runs that the page `compare` shows. Its address has 38 characters per run."""


def safe_name(name: str) -> str:
    """Return a name that MLflow accepts as the key of a metric, param, or tag.

    Other characters become `_`, and only the first 250 are kept.
    """
    cleaned = re.sub(r"[^\w\-. /:]", "_", name, flags=re.ASCII).strip("/") or "_"
    # MLflow uses keys as paths, so it accepts neither empty parts nor `.` and `..`.
    cleaned = re.sub(r"(^|/)\.+(?=/|$)", r"\1_", re.sub("/+", "/", cleaned))
    return cleaned[:250]


def colour(plan: PlanDocument, cell_id: str) -> str:
    """Return the color of a cell's runs; the reference is black."""
    if cell_id == plan.get("reference_cell"):
        return "#000000"
    others = list(
        dict.fromkeys(
            cell["cell_id"]
            for cell in plan["cells"]
            if cell["cell_id"] != plan.get("reference_cell")
        )
    )
    return COLOURS[others.index(cell_id) % 7] if cell_id in others else COLOURS[6]


def trials_filter(folder_id: str) -> str:
    """Return MLflow's search for the runs of the trials of one study folder.

    Several folders may share an experiment: those of two people, or a study and its copy.
    """
    return f'tags.role = "trial" and tags.folder_id = "{folder_id}"'


LONGEST_NOTE = 4500
"""Most characters that a note's answer may have; MLflow accepts tags of up to 5,000."""


def study_note(plan: PlanDocument, report: str = "", answer: Sequence[str] = ()) -> str:
    """Return the Markdown note of a study's experiment and of its run.

    Args:
        plan: as in plan.json.
        report: address of the report's page, or empty if it isn't known yet.
        answer: sentences of the report, or empty if it isn't written yet.
    """
    outcome = plan["outcome"]
    shown = "\n\n".join(html.escape(text) for text in answer)
    if len(shown) > LONGEST_NOTE:
        shown = shown[: shown.rfind(". ", 0, LONGEST_NOTE) + 1]  # Ends with a whole sentence.

    key = ", ".join(f"`{code}` {html.escape(meaning)}" for code, meaning in ArmNames(plan).key)
    arms = f"Arms: {key}. " if key else ""
    link = f"[The report]({report})" if report else "The report"
    return (
        f"**{plan['question'] or plan['name']}**\n\n"
        + (f"{shown}\n\n" if shown else "")
        + f"{len(plan['cells'])} cells, {len(plan['seeds'])} seeds, {len(plan['trials'])} trials. "
        f"Primary outcome: `{outcome['metric']}` ({outcome['summary']}), "
        f"{outcome['better']} is better. {arms}"
        f"Plan `{plan['hash'][:12]}`. {link} is attached to the run "
        f"`study: {plan['name']}`, under artifacts."
    )


def trial_note(plan: PlanDocument, trial: Mapping[str, Any], names: ArmNames) -> str:
    """Return the Markdown note of a trial's run."""
    arm = names.full(trial["levels"])
    rows = "\n".join(f"| {factor} | {level} |" for factor, level in trial["levels"].items())
    head = (
        f"Trial `{trial['trial_id']}` of study **{plan['name']}**: arm {arm}, seed {trial['seed']}."
    )
    return f"{head}\n\n| factor | level |\n|---|---|\n{rows}"


def addresses(
    base: str, experiment_id: str, run_ids: Sequence[str], plan: PlanDocument, folder_id: str
) -> dict[str, str]:
    """Return name -> address of the study's pages in MLflow.

    `compare` is missing if there are more than `MOST_COMPARED` runs.

    Args:
        base: address of the MLflow server, without a final slash.
        experiment_id: the study's experiment.
        run_ids: the runs of the trials, in the order of the plan.
        plan: the content of plan.json.
        folder_id: the tag of the study folder's runs.
    """
    where = f"{base}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
    state = {
        "searchFilter": trials_filter(folder_id),
        "orderByKey": f"metrics.`{answer_name(plan)}`",
        "orderByAsc": "true" if plan["outcome"]["better"] == "lower" else "false",
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": "W10=",
    }

    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in state.items())
    runs = quote(json.dumps(list(run_ids), separators=(",", ":")), safe="")
    experiments = quote(json.dumps([experiment_id]), safe="")
    pages = {
        "runs": f"{where}&{query}",
        "charts": f"{where}&compareRunsMode=CHART&{query}",
        "by_arm": f"{where}&compareRunsMode=CHART&viewStateShareKey=by_arm_{folder_id}",
        "by_trial": f"{where}&viewStateShareKey=by_trial_{folder_id}",
    }
    if len(run_ids) <= MOST_COMPARED:
        pages["compare"] = (
            f"{base}/#/compare-runs?runs={runs}&experiments={experiments}"
            "&workflowType=machine_learning"
        )
    return pages


def report_page(base: str, experiment_id: str, study_run_id: str) -> str:
    """Return the address of the report among the artifacts of the study's run.

    With an empty `base`, the address is relative to the same server.
    """
    return f"{base}/#/experiments/{experiment_id}/runs/{study_run_id}/artifacts/report/index.html"


def answer_name(plan: PlanDocument) -> str:
    """Return the name of the metric that MLflow's pages show first, that of the outcome."""
    return safe_name(f"answer/{plan['outcome']['metric']}")


def factor_tag(factor: str) -> str:
    """Return the name of the tag with a trial's level of a factor."""
    return safe_name(f"{FACTOR_TAG}{factor}")


def views(plan: PlanDocument, folder_id: str) -> dict[str, str]:
    """Return name -> JSON state of a prepared view of the experiment's page.

    `by_arm` shows charts with trials grouped by arm; `by_trial` shows every trial on its own. Both
    show factors as tags, because the params of a run keep the names that it began with.
    """
    answer = answer_name(plan)
    factors = [factor_tag(name) for name in plan["factors"]]
    columns = [
        f"metrics.`{answer}`",
        *(f"tags.`{name}`" for name in factors),
        "params.`seed`",
        "tags.`status`",
    ]
    common = {
        "searchFilter": trials_filter(folder_id),
        "orderByKey": f"metrics.`{answer}`",
        "orderByAsc": plan["outcome"]["better"] == "lower",
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "hideFinishedRuns": False,
        "runsHiddenMode": "SHOWALL",
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsExpanded": {},
        "runListHidden": False,
        "isAccordionReordered": True,
        "selectedColumns": columns,
        "useGroupedValuesInCharts": True,
    }

    sections = [
        ("answer", "The question"),
        ("metric", "Metrics"),
        ("loss", "Losses"),
        ("health", "Training health"),
    ]
    charts = [
        _line(number, name)
        for number, name in enumerate((answer, "loss/total_generator", "loss/total_discriminator"))
    ]
    drawn = {
        "compareRunSections": [
            {"uuid": key, "name": title, "display": True, "isReordered": True}
            for key, title in sections
        ],
        "compareRunCharts": charts,
        "autoRefreshEnabled": True,
    }

    grouping = {
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": "arm_code"}],
        }
    }
    return {
        f"by_arm_{folder_id}": json.dumps({**common, **drawn, **grouping}),
        f"by_trial_{folder_id}": json.dumps({**common, **drawn, "groupBy": None}),
    }


def _line(number: int, metric: str) -> dict[str, Any]:
    """Return a line chart of one metric over steps, in MLflow's format."""
    section = metric.partition("/")[0]
    return {
        "uuid": f"chart-{number}",
        "type": "LINE",
        "runsCountToCompare": 50,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "xAxisScaleType": "linear",
        "scaleType": "linear",
        "lineSmoothness": 0,
        "range": {},
        "useGlobalLineSmoothing": False,
        "useGlobalXaxisKey": False,
    }
