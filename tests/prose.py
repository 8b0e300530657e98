"""Finds phrases that our style of writing avoids, in Markdown and in the texts of Python files.

    python tests/prose.py [FILE_OR_FOLDER ...]

Prose is Markdown outside code, and comments and strings of Python files. A line that must keep a
phrase ends in `<!-- prose: ok -->` (Markdown) or `# prose: ok` (Python).
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

UNIT = (
    r"(?:arm|cell|class|factor|folder|level|machine|metric|minute|node|panel|record|row|seed|step"
    r"|study|trial|verdict)"
)
THING = (
    r"(?:row|line|panel|mark|dot|folder|figure|effect|verdict|function|sentence|record|report"
    r"|file|image)"
)
RULES = {
    "per: write 'one row per trial'": (
        rf"\b(?:a|an|one|each|two) {THING}s? an? {UNIT}\b"
        rf"|\b(?:row|rows|line|panel|images|once) an? {UNIT}\b"
    ),
    "told: say who says what": (
        r"\b(?:is|are|be|was|were|being) told\b|\btold (?:in|as|of|by|first|apart|that|anew)\b"
        r"|\btells? (?:what|how|which|that|each|the|apart)\b"
    ),
    "go on: write 'resume' or 'continue'": r"\b(?:go(?:es)? on|going on)\b(?! (?:the|a)\b)",
    "anew: write 'again'": r"\banew\b",
    "hang on: write 'depend on'": r"\bhang(?:s|ing)? on\b",
    "stand: write 'is' or 'are'": (
        r"\bstands? (?:in|at|beside|by|where|under|for ever)\b|\bhow (?:a|the) \w+ stands\b"
    ),
    "beside: write 'next to', 'besides' or 'in addition to'": r"\bbeside(?! each other)\b",
    "in order: write 'cleanly'": (
        r"\bstops?(?: a study| the study)? in order\b|\bend(?:s|ed)?(?:,)? in order\b|, in order\b"
    ),
    "bit: write 'bit-identical'": (
        r"\bequal to the bit\b|, to the bit\b|\bgives? other bits\b|\bequal bits\b"
    ),
    "equal: write 'identical', 'the same' or 'match'": (
        r"\bequal (?:in numbers|numbers|seeds|results|bytes|documents|configs?|errors|inputs)\b"
        r"|\bends? equal\b"
    ),
    "used to: write 'trained with'": r"\b(?:is|are) used to (?:them|it|the)\b",
    "one line: say what the user sees": (
        r"\b(?:in|as|with) one (?:clear )?line\b|\bone line each\b|\b(?:is|are) one line\b"
    ),
    "no X: write 'is not a', 'does not need'": (
        r"(?<!there )\b(?:is|are) no (?!longer|more than|less than)\w+"
        r"|\b(?:needs|need|gives|give|changes|change) no \w+"
    ),
    "otherwise: name the other way": r"\b(?:asked|evaluated|trains?|says?) otherwise\b",
    "so many: give the number": r"\bso (?:many|long)\b",
    "fall: write 'degrade' or 'drop'": r"\b(?:the|a|of) fall\b|\bfell\b(?! back)",
    "rival, mend, cure, slip, spare: write it plainly": (
        r"\b(?:rivals?|mend(?:s|ed|ing)?|cures?|a slip|spared|yardsticks?)\b"
    ),
    "ours, our own: name the owner": r"\b(?:ours|our own)\b",
    "as the authors: write 'as in the authors' code'": (
        r"\bas the (?:authors|paper)\b(?!')|\bas FUNIT\b(?! does)"
    ),
    "what is there: name it": (
        r"\bwhat (?:is|are) (?:there|left|finished|done|missing|asked|restored)\b"
        r"|\bthat (?:is|are) (?:there|asked|wanted)\b"
    ),
    "can't be told: write 'can't be distinguished'": (
        r"\b(?:can't|cannot|can not) be told\b|\btell(?:s|ing)? \w+ apart\b|\btold apart\b"
    ),
    "percent: no space before %": r"\d %",
    "dataset: one word": r"\bdata sets?\b",
    "seed: 'a seed', not 'one seed a'": r"\btrials of (?:a|one) seed\b|\bseeds? an arm\b",
}
"""Name of a rule -> pattern of what it bans."""
COMPILED = {name: re.compile(text, re.IGNORECASE) for name, text in RULES.items()}
WAIVER = "prose: ok"


def findings(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, rule, and text of each banned phrase in a file."""
    text = path.read_text(encoding="utf-8")
    for number, line in _python(text) if path.suffix == ".py" else _markdown(text):
        for name, rule in COMPILED.items():
            for match in rule.finditer(line):
                yield number, name, match.group()


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines outside fenced code, without inline code, targets of links, and comments."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and WAIVER not in line:
            yield number, re.sub(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)", "X", line)


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Yield comments, and strings that read like prose: with at least two spaces."""
    kinds = (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in kinds and token.string.count(" ") > 1 and WAIVER not in token.line:
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, re.sub(r"`[^`]*`", "X", line)


def main(names: list[str]) -> int:
    """Print what is found in files and folders; the exit code is 1 if anything is."""
    count = 0
    for path in map(Path, names):
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in (file for file in files if file.suffix in (".md", ".py")):
            for number, name, text in findings(file):
                count += 1
                print(f"{file}:{number}: {name}: {text}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
