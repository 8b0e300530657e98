"""Named attributes of image files: tables that give each file a value of each attribute."""

import csv
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from g2g_core.data.listing import some
from g2g_core.data.pairs import Attribute, DataError, shown

Table = Mapping[str, Mapping[str, str]]
"""Attribute -> file -> value."""

PRESENT = {"-1": "without", "0": "without", "1": "with"}
"""Entry of CelebA's attribute file -> value."""


class FileAttributes:
    """Attributes of the files of a dataset.

    Args:
        table: attribute -> file -> value.
        files: all files of the dataset, training files first.
        training: number of training files.
        where: the table's file, for messages.

    Raises:
        DataError: the table lacks a file.
    """

    def __init__(self, table: Table, files: Sequence[str], training: int, where: Path) -> None:
        self.values: dict[str, tuple[str, ...]] = {}
        self.numbers: dict[str, NDArray[np.int64]] = {}
        self.training = training
        for name, by_file in table.items():
            if missing := [file for file in files if file not in by_file]:
                raise DataError(
                    f"{shown(where)}: {name} has no value for {len(missing)} images: "
                    f"{some(missing)}"
                )
            # "without" comes before "with", so that a fade goes from absent to present.
            order = {"without": 0, "with": 1}
            known = sorted({by_file[file] for file in files}, key=lambda v: (order.get(v, 2), v))
            self.values[name] = tuple(known)
            self.numbers[name] = np.array([known.index(by_file[file]) for file in files])

    def of_training(self) -> dict[str, Attribute]:
        """Return the attributes of the training images."""
        return {
            name: Attribute(values, self.numbers[name][: self.training])
            for name, values in self.values.items()
        }

    def at(self, indices: NDArray[np.int64]) -> dict[str, Tensor]:
        """Return attribute -> the value (N,) int64 of each of these files."""
        return {name: torch.from_numpy(row[indices]) for name, row in self.numbers.items()}

    @property
    def text(self) -> str:
        """All values as text, for digests."""
        return f"{self.values}{[row.tolist() for row in self.numbers.values()]}"


def read_table(path: Path, option: str) -> Table:
    """Return the attributes in a CSV file, whose first column is `file`.

    Args:
        path: the file. Its first line names the attributes.
        option: name of the option that names the file, for messages.

    Raises:
        DataError: the file is missing or not such a table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a CSV file in UTF-8"
        raise DataError(f"data.{option}: {shown(path)}: {reason}") from error
    header = rows[0] if rows else []
    if len(header) < 2 or header[0] != "file" or len(set(header)) < len(header):
        raise DataError(
            f"data.{option}: {shown(path)}: its first line must be file, then different names of "
            "attributes"
        )
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header) or not all(row):
            raise DataError(
                f"{shown(path)}:{number}: must have {len(header)} values that aren't empty"
            )
    return {
        name: {row[0]: row[column] for row in rows[1:]}
        for column, name in enumerate(header[1:], start=1)
    }


def read_celeba(path: Path, folder: str, wanted: Sequence[str]) -> Table:
    """Return the attributes in CelebA's `list_attr_celeba.txt`, with values `without` and `with`.

    Args:
        path: the file: the number of images, the names of the attributes, then one line per image
            with -1 or 1 for each attribute.
        folder: of the images, which comes before their names.
        wanted: names of attributes, since all of them together take gigabytes.

    Raises:
        DataError: the file is missing or not in this layout, or has no such attribute.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        raise DataError(f"data.root: {shown(path)}: {reason}") from error
    names = lines[1].split() if len(lines) > 1 else []
    if not names:
        raise DataError(f"{shown(path)}:2: the names of the attributes are missing")

    for name in wanted:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise DataError(f"{shown(path)}: has no attribute {name!r}{hint}")
    table: dict[str, dict[str, str]] = {name: {} for name in wanted}
    columns = [(by_file, names.index(name)) for name, by_file in table.items()]
    for number, line in enumerate(lines[2:], start=3):
        file, *entries = line.split() or [""]
        if not file:
            continue
        if len(entries) != len(names) or not set(entries) <= set(PRESENT):
            raise DataError(
                f"{shown(path)}:{number}: must be a file name and {len(names)} times -1 or 1"
            )
        for by_file, column in columns:
            by_file[f"{folder}/{file}"] = PRESENT[entries[column]]
    return table
