"""Crop FUNIT's animal faces from ImageNet into class folders with two list files.

The faces (arXiv 1905.01723, section 4: 117,484 crops of 149 classes) may not be redistributed.
Therefore, everyone crops them from their own copy of the ILSVRC2012 training images.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from PIL import Image

from g2g_base.atomic import write_bytes
from g2g_core.data.decode import FORMATS, BadImage, quiet_decoding
from g2g_core.data.listing import existing_folder
from g2g_core.data.pairs import DataError, shown

TEST_CLASSES = tuple(
    f"n{number:08d}"
    for number in (
        *(2086240, 2091467, 2092002, 2095314, 2095889, 2096437, 2098286, 2099429, 2099849, 2101006),
        *(2102480, 2105412, 2105855, 2106030, 2106382, 2107142, 2110627, 2110806, 2110958, 2112018),
        *(2112350, 2113023, 2113799, 2115641, 2115913, 2123045, 2123394, 2124075, 2125311, 2138441),
    )
)
"""WordNet ids of FUNIT's 30 test classes; the other 119 classes are for training."""

QUALITY = 95  # of the JPEG files; FUNIT's script uses Pillow's default of 75, which adds artifacts


@dataclass(frozen=True)
class Face:
    """One line of the coordinates.

    Attributes:
        image: path of the image, `class/image`.
        box: left, top, right, and bottom edge of the face, in pixels of the image.
    """

    image: str
    box: tuple[int, int, int, int]

    @property
    def file(self) -> str:
        """Path below the output folder: `<image>_<left>_<top>_<right>_<bottom>.jpg`."""
        return f"{self.image}_{'_'.join(str(edge) for edge in self.box)}.jpg"


@dataclass(frozen=True)
class Cropped:
    """The result of `crop_faces`.

    Attributes:
        cut: number of files written by this call.
        kept: number of files that existed before.
        problems: one message for each image that could not be cropped.
        lists: list file -> number of its lines, one list for training classes and one for test
            classes. The lists name all files that now exist.
    """

    cut: int
    kept: int
    problems: tuple[str, ...]
    lists: dict[str, int]


def crop_faces(coordinates: str, images: str, out: str, workers: int = 4) -> Cropped:
    """Crop all faces that have no file yet, and write both list files.

    The list files are `animals_list_train.txt` and `animals_list_test.txt`.

    Args:
        coordinates: file with lines `class/image left top right bottom`; FUNIT's authors
            publish it.
        images: ImageNet's training folder, which contains the images.
        out: folder for the faces; created if it is missing.
        workers: number of threads.

    Raises:
        DataError: the coordinates or the folder of images cannot be used. A missing or damaged
            image does not raise an error: it is listed in `problems`, and the others are cropped.
    """
    faces = read_coordinates(coordinates)
    root, target = existing_folder(images, "images"), Path(out)
    missing = [face for face in faces if not (target / face.file).exists()]

    with quiet_decoding(), ThreadPoolExecutor(max_workers=workers) as pool:
        results = list(pool.map(lambda face: _cut(root, target, face), missing))
    problems = tuple(problem for problem in results if problem)

    lists = {}
    for name, is_test in (("animals_list_train.txt", False), ("animals_list_test.txt", True)):
        files = [
            face.file
            for face in faces
            if (face.image.split("/")[0] in TEST_CLASSES) == is_test
            and (target / face.file).exists()
        ]
        write_bytes(target / name, "".join(f"{file}\n" for file in sorted(set(files))).encode())
        lists[name] = len(set(files))

    return Cropped(len(missing) - len(problems), len(faces) - len(missing), problems, lists)


def read_coordinates(path: str) -> list[Face]:
    """Return the faces of a coordinates file.

    Raises:
        DataError: the file cannot be read or is empty, or a line is not a path and four numbers
            that form a box.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        raise DataError(f"{shown(path)}: {reason}") from error
    faces = list(_faces(path, lines))
    if not faces:
        raise DataError(f"{shown(path)}: no coordinates in it")
    return faces


def _faces(path: str, lines: list[str]) -> Iterator[Face]:
    """Yield the face of each line that is not empty; raise DataError for a malformed line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue

        name, *edges = line.split()
        parts = PurePosixPath(name).parts
        inside = len(parts) >= 2 and parts[0] != "/" and ".." not in parts and "\0" not in name
        if not inside or len(edges) != 4 or not all(edge.lstrip("-").isdecimal() for edge in edges):
            raise DataError(
                f"{shown(path)}:{number}: {line[:80]!r} is not class/image left top right bottom"
            )

        left, top, right, bottom = (int(edge) for edge in edges)
        if right <= left or bottom <= top:
            raise DataError(
                f"{shown(path)}:{number}: the box {left} {top} {right} {bottom} is empty"
            )
        yield Face(name, (left, top, right, bottom))


def _cut(root: Path, target: Path, face: Face) -> str | None:
    """Write one face, and return the problem if there is one.

    Edges outside the image are moved to its border.
    """
    try:
        with Image.open(root / face.image, formats=FORMATS) as image:
            left, top, right, bottom = face.box
            box = (max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height))
            if box[2] <= box[0] or box[3] <= box[1]:
                raise BadImage(
                    f"the box {face.box} lies outside its {image.width}x{image.height} pixels"
                )

            file = BytesIO()
            image.convert("RGB").crop(box).save(file, "JPEG", quality=QUALITY)
    except FileNotFoundError:
        return f"{shown(face.image)}: no such file"
    except Exception as error:  # damaged images raise nearly every type
        return f"{shown(face.image)}: {' '.join(str(error).split()) or type(error).__name__}"

    write_bytes(target / face.file, file.getvalue())
    return None
