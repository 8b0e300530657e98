"""The pages on study files and commands say what the program says.

Run this file to write their tables anew.
"""

import re
import subprocess
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

import pytest
import typer

from ablate.cli import app
from ablate.reading.options import options_of
from g2g_core.config import TrialConfig, facts

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ROOT / "docs" / "commands.md"
STUDY_FILES = ROOT / "docs" / "study-files.md"
Called = Callable[..., "subprocess.CompletedProcess[str]"]


def parameters(command: typer.core.TyperCommand) -> Iterator[tuple[str, str, object]]:
    """Name as the user writes it, help, and default of each argument and option of a command."""
    hints = typing.get_type_hints(command.callback)
    for parameter in command.params:
        if isinstance(parameter, typer.core.TyperArgument):
            told = parameter.metavar or str(parameter.name).upper()
        else:
            told = ", ".join(parameter.opts) + (
                f" {parameter.metavar}" if parameter.metavar else ""
            )
        kind, text = hints.get(str(parameter.name)), parameter.help or ""
        if isinstance(kind, type) and issubclass(kind, Enum):
            text += f" One of {', '.join(choice.value for choice in kind)}."
        yield told, text, parameter.default


def commands() -> dict[str, typer.core.TyperCommand]:
    """All commands by name."""
    return typer.main.get_command(app).commands  # type: ignore[attr-defined,no-any-return]


def commands_table() -> str:
    """Every command with its arguments and options, as Markdown."""
    lines = []
    for name, command in commands().items():
        text = " ".join((command.help or "").split())
        lines += [f"## {name}", "", text, "", "| argument or option | meaning |", "|---|---|"]
        for written, meaning, default in parameters(command):
            told = "" if default in (None, False, ()) else f" Default: {default}."
            lines.append(f"| `{written}` | {meaning}{told} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def config_table() -> str:
    """The fields of the base config, as table rows."""
    rows = []
    for name, rule in options_of(TrialConfig).items():
        if name == "seed":
            continue
        default = rule.get("default")
        told = "" if default in (None, [], {}) else f"; default {default}".replace("'", "")
        if limits := facts()[name].limits.get("enum"):
            told += f"; one of {', '.join(limits)}"
        rows.append(f"| `{name}` | {rule['description'].rstrip('.')}{told} |")
    return "\n".join(rows)


def filled(text: str, mark: str, table: str) -> str:
    """The page with what is between `<!-- mark -->` and the next `<!-- end -->` replaced."""
    start = f"<!-- {mark} -->"
    if "<!-- end -->" not in text:
        return text.replace(start, f"{start}\n{table}\n<!-- end -->")
    return re.sub(
        rf"{start}.*?<!-- end -->",
        lambda _: f"{start}\n{table}\n<!-- end -->",
        text,
        flags=re.DOTALL,
    )


@pytest.mark.parametrize(
    ("page", "mark", "table"),
    [(COMMANDS, "commands", commands_table), (STUDY_FILES, "config", config_table)],
)
def test_tables_are_those_of_the_program(page: Path, mark: str, table: object) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"<!-- {mark} -->" in text
    assert text == filled(text, mark, table()), f"write it anew: python {Path(__file__).name}"  # type: ignore[operator]


def test_every_command_has_help() -> None:
    for name, command in commands().items():
        assert command.help, name
        for written, meaning, _ in parameters(command):
            assert meaning.removesuffix("None."), f"{name} {written}"


def examples() -> list[str]:
    """The commands of the page's examples that need no run before them."""
    block = (
        COMMANDS.read_text(encoding="utf-8")
        .partition("## Examples")[2]
        .partition("```sh\n")[2]
        .partition("```")[0]
    )
    return [line for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("line", examples())
def test_examples_run(line: str, tmp_path: Path, called: Called) -> None:
    program, *words = line.split()
    assert program == "g2g-ablate"
    done = called(*words, where=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("page", "trials"), [(STUDY_FILES, 12), (ROOT / "README.md", 42)], ids=lambda it: str(it)
)
def test_the_study_of_the_page_plans(page: Path, trials: int, tmp_path: Path) -> None:
    """As a file of its own, in a folder without the bundled studies."""
    from ablate.planning.load import load_study
    from ablate.planning.plan import plan

    block = page.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "my-study.yaml"
    path.write_text(block, encoding="utf-8")
    planned = plan(load_study(path))
    assert len(planned.trials) == trials
    assert not planned.missing


if __name__ == "__main__":
    for path, mark, table in (
        (COMMANDS, "commands", commands_table()),
        (STUDY_FILES, "config", config_table()),
    ):
        path.write_text(filled(path.read_text(encoding="utf-8"), mark, table), encoding="utf-8")
