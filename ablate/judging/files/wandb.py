"""Weights & Biases: a run's folder, `run-ID.wandb` of offline runs or `files/` of synced ones.

A `.wandb` file is a log as LevelDB writes it, in blocks of 32 KiB, after seven bytes of its own.
Each record is a message of protocol buffers, of which three kinds of fields are read here.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import yaml

from ablate.judging.run_file import Content, Curves, RunFile, add_row, flat

BLOCK, HEADER = 32768, 7
"""Size of a block, and of the header of a file and of a record, in bytes."""
FULL, FIRST, LAST = 1, 2, 4
"""Kinds of records in a block: a whole one, and the first and last part of a longer one."""
HISTORY, CONFIG, RUN, EXIT = 2, 5, 17, 18
"""Numbers of the fields of a record."""
ITEMS, KEY, NESTED, VALUE = 1, 1, 2, 16
"""Numbers of the fields of an item: its key, the parts of a nested key, and its value as JSON."""
STEP, RUN_CONFIG, CODE = 2, 4, 1
"""Numbers of the step of a row of the history, of the config of a run, and of its exit code."""


def read_config(path: Path) -> Content:
    """Return the options of a config, in which each is a map with `value`."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    options = {
        key: entry["value"]
        for key, entry in (values.items() if isinstance(values, dict) else ())
        if isinstance(entry, dict) and "value" in entry and not str(key).startswith("_")
    }
    return Content(flat(options))


def read_summary(path: Path) -> Content:
    """Return the last value of each number, at the run's last step."""
    values = json.loads(path.read_text(encoding="utf-8"))
    curves: Curves = {}
    own = {k: v for k, v in values.items() if k == "_step" or not k.startswith("_")}
    add_row(curves, own, 0, ("_step",))
    return Content(curves=curves)


def read_offline(path: Path) -> Content:
    """Return the options and the history of an offline run."""
    content = Content(status="interrupted")
    for record in _records(path.read_bytes()):
        for field, part in _fields(record):
            if not isinstance(part, bytes):
                continue
            if field == HISTORY:
                row = {k: v for k, v in _items(part).items() if not k.startswith("_")}
                at = _items(part).get("_step", _step(part))
                add_row(content.curves, {**row, "_step": at}, 0, ("_step",))
            elif field == CONFIG:
                content.options |= flat(_config(part))
            elif field == RUN:
                for number, inner in _fields(part):
                    if number == RUN_CONFIG and isinstance(inner, bytes):
                        content.options |= flat(_config(inner))
            elif field == EXIT:
                code = next((value for number, value in _fields(part) if number == CODE), 0)
                content.status = "failed" if code else "finished"
    return content


def _config(part: bytes) -> dict[str, object]:
    """Return the options of a config, without what W&B adds."""
    return {key: value for key, value in _items(part).items() if not key.startswith("_")}


def _items(part: bytes) -> dict[str, object]:
    """Return the items of a message: key -> value."""
    values: dict[str, object] = {}
    for field, item in _fields(part):
        if field != ITEMS or not isinstance(item, bytes):
            continue
        keys, value = [], ""
        for number, inner in _fields(item):
            if not isinstance(inner, bytes):
                continue
            if number in (KEY, NESTED):
                keys.append(inner.decode())
            elif number == VALUE:
                value = inner.decode()
        if keys and value:
            values[".".join(filter(None, keys))] = json.loads(value)
    return values


def _step(part: bytes) -> int:
    """Return the step that a row of the history names."""
    for field, inner in _fields(part):
        if field == STEP and isinstance(inner, bytes):
            return next(
                (int(n) for number, n in _fields(inner) if number == 1 and isinstance(n, int)), 0
            )
    return 0


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log; one that was cut ends it."""
    place, parts = HEADER, b""
    while place + HEADER <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER:
            place += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, place)
        start, place = place + HEADER, place + HEADER + size
        if place > len(data) or not kind:
            return
        parts = data[start:place] if kind in (FULL, FIRST) else parts + data[start:place]
        if kind in (FULL, LAST):
            yield parts


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message: number, and value as a whole number or as bytes."""
    place = 0
    while place < len(message):
        key, place = _number(message, place)
        kind = key & 7
        if kind == 0:
            value, place = _number(message, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = _number(message, place)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            return
        yield key >> 3, message[place : place + size]
        place += size


def _number(message: bytes, place: int) -> tuple[int, int]:
    """Return a whole number that is written in groups of seven bits, and the place after it."""
    value = shift = 0
    while place < len(message):
        byte = message[place]
        value, shift, place = value | (byte & 127) << shift, shift + 7, place + 1
        if byte < 128:
            break
    return value, place


FILES = {
    "wandb-options": RunFile("files/config.yaml", read_config, numbers=False),
    "wandb": RunFile("files/wandb-summary.json", read_summary),
    "wandb-offline": RunFile("run-*.wandb", read_offline),
}
