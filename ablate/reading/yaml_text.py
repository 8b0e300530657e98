"""Write a study as YAML that `ablate.reading.yaml_file` reads back unchanged."""

from collections.abc import Mapping
from typing import Any

import yaml

from ablate.reading.yaml_file import scalar_value


def dumped(study: Mapping[str, Any]) -> str:
    """Return a study as YAML, its keys in the order of the map."""
    return str(yaml.dump(study, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def as_written(value: Any, text: Any) -> Any:
    """Return a value whose numbers, booleans, and nulls `dumped` writes as the file had them.

    Args:
        value: a scalar, a list, or a map of such values.
        text: what the file has at the same place: the text of a scalar, or a map of texts.
    """
    if isinstance(value, Mapping):
        return {key: as_written(item, text[key]) for key, item in value.items()}
    return value if isinstance(value, str | list) else Plain(text or "null")


class Plain(str):
    """A scalar that `dumped` writes as it is, without quotes."""


class _Dumper(yaml.SafeDumper):
    """A YAML dumper that quotes ambiguous text and writes no aliases.

    Text is ambiguous if the study file's reader would take it for a number, boolean, or null.
    """

    def ignore_aliases(self, _data: Any) -> bool:
        """Return True: people read these files, so repeated values are written out."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    """Return the node for a text, in quotes if the text alone would be read as something else."""
    try:
        plain = isinstance(scalar_value(value), str)
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


def _plain(dumper: _Dumper, value: Plain) -> yaml.ScalarNode:
    """Return the node for a scalar without quotes."""
    tag = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return yaml.ScalarNode(tag, str(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Plain, _plain)
