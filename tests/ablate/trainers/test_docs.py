"""The page on trainers shows what the examples are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "trainers.md").read_text(encoding="utf-8")
EXAMPLES = [
    path
    for name in ("digits", "characters", "lightning")
    for path in sorted((ROOT / "docs" / "examples" / name).iterdir())
    if path.is_file()
]


@pytest.mark.parametrize("language", ["python", "yaml", "toml"])
def test_every_block_is_part_of_an_example(language: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        assert any(block in text for text in texts), block


def test_the_digits_take_at_most_thirty_lines_of_code() -> None:
    text = (ROOT / "docs" / "examples" / "digits" / "digits.py").read_text(encoding="utf-8")
    code = re.sub(r'"""(?:.|\n)*?"""|^ *#.*', "", text, flags=re.MULTILINE)
    lines = [line for line in code.split("\n") if line.strip()]
    assert len(lines) <= 30
