"""The commands for runs that other programs made, `judge` and `gate`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.commands.output import Json, Quiet, say, show, show_json
from ablate.disk.folder import StudyFolder

if TYPE_CHECKING:
    from ablate.judging.matching import Matched
    from ablate.judging.question import Question

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A table, an MLflow store (file, folder, or address), or a judge.yaml.",
    ),
]
Factors = Annotated[
    str, typer.Option("--factors", metavar="NAMES", help="What is compared, for example lr,loss.")
]
Pair = Annotated[
    str, typer.Option("--pair", metavar="NAME", help="What runs to compare share, such as seed.")
]
OutcomeName = Annotated[
    str, typer.Option("--outcome", metavar="NAME", help="The number that decides.")
]
Better = Annotated[str, typer.Option("--better", metavar="lower|higher", help="Better direction.")]
Smallest = Annotated[
    float | None,
    typer.Option("--smallest-effect", metavar="M", help="Smallest difference that matters."),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="NAME=VALUE", help="Judge only runs with this value."),
]


def judge(
    source: Source,
    factors: Factors = "",
    pair: Pair = "",
    outcome: OutcomeName = "",
    better: Better = "",
    smallest_effect: Smallest = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference", metavar="FACTOR=LEVEL", help="The level that effects are measured from."
        ),
    ] = None,
    where: Where = None,
    duplicates: Annotated[
        str,
        typer.Option(
            "--duplicates",
            metavar="first|last|mean",
            help="What counts of runs with one arm and seed.",
        ),
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Folder to write.  [default: runs/NAME-judged]"),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Of html, pdf, text, latex, csv.")
    ] = "html,pdf,text,latex,csv",
    command: Annotated[
        str,
        typer.Option(
            "--continue",
            metavar="COMMAND",
            help="Also write continue.yaml, a study of this program that settles what is open.",
        ),
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge runs that other programs made, and report them like a study.

    What you don't name is guessed from the names of columns, printed, and written to judge.yaml in
    the folder, which you can edit and judge again.

    Examples: `g2g-ablate judge results.csv --factors lr,loss --pair seed --outcome val_error`;
    `g2g-ablate judge mlflow.db --where experiment=tuning --outcome val_acc --smallest-effect 0.01`
    """
    from ablate.judging.judge import asked, judge
    from ablate.judging.question import choices

    if (
        Path(source).name == "judge.yaml"
        and to is None
        and StudyFolder(Path(source).parent).plan.exists()
    ):
        to = Path(source).parent
    question = with_options(asked(source), factors, pair, outcome, better, smallest_effect, where)
    if duplicates:
        question = replace(question, duplicates=_one_of("--duplicates", duplicates))
    judged = judge(
        question,
        to,
        [name.strip() for name in formats.split(",")],
        references=choices("--reference", reference or ()),
    )

    written = judged.written
    settles: list[str] = []
    if command:
        from ablate.judging.continued import write_continued

        settles = write_continued(judged.folder, StudyFolder(judged.folder).continued, command)
    if as_json:
        show_json(
            {
                "files": [str(path) for path in written.files],
                "answer": list(written.answer),
                "folder": str(judged.folder),
                "question": judged.matched.question.document(),
                "guessed": sorted(judged.matched.question.guessed),
                "continued": settles,
            }
        )
        return
    for line in meaning(judged.matched):
        say(line, quiet)
    for line in written.answer:
        say(line, quiet)
    for line in settles:
        say(f"continue.yaml settles {line}", quiet)
    for path in written.files[:2]:
        show(str(path))


def with_options(
    question: "Question",
    factors: str,
    pair: str,
    outcome: str,
    better: str,
    smallest_effect: float | None,
    where: list[str] | None,
) -> "Question":
    """Return a question with what options of the command line say."""
    from ablate.judging.question import AskedFactor, choices, factor_name
    from ablate.study.nouns import StudyError

    names = [name.strip() for name in factors.split(",") if name.strip()]
    if names:
        known = question.factors
        question = replace(
            question,
            factors={
                factor_name(name): known.get(factor_name(name), AskedFactor(name)) for name in names
            },
        )
        if len(question.factors) < len(names):
            raise StudyError(f"--factors {factors}: two of them are named alike")
    if better not in ("", "lower", "higher"):
        raise StudyError(f"--better {better}: must be lower or higher")
    if smallest_effect is not None and not 0 < smallest_effect < float("inf"):
        raise StudyError(f"--smallest-effect {smallest_effect}: must be a number above 0")
    rule = dict(question.outcome)
    rule |= {"metric": outcome} if outcome else {}
    rule |= {"better": better} if better else {}
    rule |= {"smallest_effect": smallest_effect} if smallest_effect is not None else {}
    return replace(
        question,
        pair=pair or question.pair,
        outcome=rule,
        where={**question.where, **choices("--where", where or ())},
    )


def meaning(matched: "Matched") -> list[str]:
    """Return what the columns of a source were taken for, in lines for people."""
    question, judged = matched.question, matched.judged
    keys = ("factors", "pair", "outcome", "better")
    told = {name: " (guessed)" if name in question.guessed else "" for name in keys}
    source, kind = judged["source"], judged["kind"]
    lines = [f"{source}: {len(matched.runs)} of {judged['runs']} runs in a {kind}"]
    for name, factor in question.factors.items():
        column = "" if factor.column == name else f" ({factor.column})"
        levels = ", ".join(factor.levels)
        lines.append(f"  factor   {name}{column}: {levels}{told['factors']}")
    lines.append(f"  pair     {question.pair}: {len(matched.seeds)} seeds{told['pair']}")
    better = question.outcome["better"]
    lines.append(
        f"  outcome  {question.metric}{told['outcome']}, {better} is better{told['better']}"
    )
    return lines


def _one_of(option: str, given: str) -> str:
    """Return a value of `--duplicates`.

    Raises:
        StudyError: it isn't one.
    """
    from ablate.judging.question import DUPLICATES
    from ablate.study.nouns import StudyError

    if given not in DUPLICATES:
        raise StudyError(f"{option} {given}: must be one of {', '.join(DUPLICATES)}")
    return given


KEEP, DROP, MORE = 0, 10, 11
"""Exit codes of `gate`."""


def gate(
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="What judge reads; @NAME=VALUE chooses runs.")
    ],
    candidate: Annotated[
        str, typer.Argument(metavar="CANDIDATE", help="The same; with --run a table to fill.")
    ],
    state: Annotated[
        Path, typer.Option("--state", metavar="FILE", help="What this stream has asked and spent.")
    ],
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="NAME", help="The number that decides.")
    ],
    better: Better = "",
    pair: Pair = "",
    smallest_effect: Smallest = None,
    guard: Annotated[
        str,
        typer.Option(
            "--guard",
            metavar="stream|proposal",
            help="What keeps luck with a chance of 5% at most.  [default: stream]",
        ),
    ] = "stream",
    command: Annotated[
        str,
        typer.Option(
            "--run", metavar="COMMAND", help="Makes the candidate's run of {seed}, one by one."
        ),
    ] = "",
    reference_command: Annotated[
        str,
        typer.Option("--run-reference", metavar="COMMAND", help="The same for the reference."),
    ] = "",
    budget: Annotated[
        int, typer.Option("--budget", min=1, metavar="N", help="Most seeds that --run may make.")
    ] = 20,
    name: Annotated[str, typer.Option("--name", help="Of the proposal, for people.")] = "",
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say whether a change is better than the reference: exit 0 keep, 10 drop, 11 more seeds.

    The state file counts what a loop asks. While nothing is better, a stream of proposals keeps
    something with a chance of at most 5%, ever, however many there are.

    Examples: `g2g-ablate gate base.csv new.csv --outcome val_loss --state gate.json`;
    `g2g-ablate gate base.csv new.csv --outcome val_loss --state gate.json
    --run "python train.py --seed {seed}" --budget 20`
    """
    from ablate.judging.gating import Asked, gated

    answer = gated(
        Asked(reference, candidate, pair, outcome, better, smallest_effect, guard, name),
        state,
        (reference_command, command),
        budget,
        lambda line: say(line, quiet),
    )
    if as_json:
        show_json(answer.to_dict())
    else:
        show(f"{answer.decision}: {answer.claim}")
        say(
            f"proposal {answer.proposal}, {answer.kept} kept so far; level {answer.level:.2g}, "
            f"{answer.error_spent:.2g} spent",
            quiet,
        )
    return {"keep": KEEP, "drop": DROP}.get(answer.decision, MORE)


COMMANDS = (judge, gate)
