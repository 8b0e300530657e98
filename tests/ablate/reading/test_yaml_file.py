"""The YAML reader: 1.2 scalars, places, and refusals in one line."""

import math
from pathlib import Path

import pytest

from ablate.reading.yaml_file import (
    DEEPEST,
    LARGEST_FILE,
    Mark,
    Node,
    parse_option,
    parse_yaml,
    read_yaml,
)
from ablate.study.nouns import StudyError


def plain(text: str) -> object:
    return parse_yaml(text, "f.yaml", Path()).plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E3", 1000.0),
        ("-.5", -0.5),
        ("3.10", 3.1),
        ("010", 10),
        ("08", 8),
        ("-7", -7),
        ("0x10", 16),
        ("0o10", 8),
        (".inf", math.inf),
        ("true", True),
        ("False", False),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'1e-4'", "1e-4"),
        ('"true"', "true"),
        ("0b11", "0b11"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = plain(f"a: {text}")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)  # type: ignore[index]


def test_keys_are_text_as_written() -> None:
    assert plain("{on: 1, true: 2, 0.10: 3, 1e-4: 4, null: 5}") == {
        "on": 1,
        "true": 2,
        "0.10": 3,
        "1e-4": 4,
        "null": 5,
    }


def test_every_value_has_its_place() -> None:
    tree = parse_yaml("a:\n  b: [x,\n      y]\n", "f.yaml", Path())
    assert str(tree.at(("a", "b"))[0]) == "f.yaml:2:3"
    assert str(tree.at(("a", "b", 1))[0]) == "f.yaml:3:7"
    assert str(tree.at(("a", "nope"))[0]) == "f.yaml:1:1"


def test_aliases_and_merge_keys() -> None:
    text = (
        "one: &one {x: 1, y: 2}\ntwo: {<<: *one, y: 3}\nthree: {<<: [*one, {z: 4}]}\nfour: *one\n"
    )
    assert plain(text) == {
        "one": {"x": 1, "y": 2},
        "two": {"x": 1, "y": 3},
        "three": {"x": 1, "y": 2, "z": 4},
        "four": {"x": 1, "y": 2},
    }


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3:1", "duplicate key a; it stands in line 1"),
        ("a: {x: 1, x: 2}", "f.yaml:1:11", "duplicate key x"),
        ("a: [1", "f.yaml:1:6", "not valid YAML"),
        ("a:\n\tb: 1", "f.yaml:2:1", "a tab"),
        ("a: b: c", "f.yaml:1:5", "needs quotes"),
        ("a: !!python/object/apply:os.system ['x']", "f.yaml:1:4", "tag tag:yaml.org,2002:python"),
        ("a: !x 1", "f.yaml:1:4", "tag !x"),
        ("a: !!int 1", "f.yaml:1:4", "tag"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1", "second document"),
        ("a: *nope", "f.yaml:1:4", "alias *nope"),
        ("a: &a [*a]", "f.yaml:1:8", "alias *a has no anchor before it"),
        ("a: 1e999", "f.yaml:1:4", "out of range"),
        ("a: " + "9" * 5000, "f.yaml:1:4", "out of range"),
        ("? [x]\n: 1", "f.yaml:1:3", "a key must be plain text"),
        ("'': 1", "f.yaml:1:1", "an empty key"),
        ("a: {<<: 3}", "f.yaml:1:9", "<< takes a map"),
        ("[" * 2000, "f.yaml:1:25", f"nested more than {DEEPEST} deep"),
        ("a: \x07", "f.yaml:1:4", "U+0007"),
        ("@a: 1", "f.yaml:1:1", "not valid YAML"),
        (LAUGHS, "f.yaml:6:", "values, aliases filled in"),
        ("", "f.yaml", "empty"),
    ],
)
def test_refusals_are_one_line_with_a_place(text: str, place: str, word: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_yaml(text, "f.yaml", Path())
    message = str(caught.value)
    assert message.startswith(place)
    assert word in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large, latin, bom = tmp_path / "large.yaml", tmp_path / "latin.yaml", tmp_path / "bom.yaml"
    large.write_bytes(b"#" * (LARGEST_FILE + 1))
    latin.write_bytes(b"a: 1\nb: \xe9\n")
    bom.write_bytes(b"\xef\xbb\xbfa: 1\n")
    with pytest.raises(StudyError, match="too large"):
        read_yaml(large)
    with pytest.raises(StudyError, match=r"latin.yaml:2:1: not UTF-8"):
        read_yaml(latin)
    with pytest.raises(StudyError, match="cannot be read"):
        read_yaml(tmp_path)
    assert read_yaml(bom).plain() == {"a": 1}


def test_options_of_the_command_line_have_no_line() -> None:
    node = parse_option("--set a={b: [1]}", "{b: [1]}")
    assert str(node.at(("b", 0))[0]) == "--set a={b: [1]}"
    assert parse_option("--set a=", "") == Node(None, Mark("--set a="), "")
