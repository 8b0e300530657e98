import multiprocessing
import os
import stat
import time

import numpy as np
import pytest

from g2g_base.atomic import write_bytes
from g2g_core.data.cache import PackedImages, decoded
from g2g_core.data.pairs import DataError
from g2g_core.hashing import cache_folder, file_digests


def files_of(folder):
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.png"))


def test_disk_is_decoded_once_and_mapped(make_folder, monkeypatch):
    folder = make_folder(size=(40, 50))
    files = files_of(folder)
    first = decoded(folder, files, 32, "key", "disk")
    monkeypatch.setattr("g2g_core.data.cache.read_image", lambda *_: pytest.fail("decoded again"))
    second = decoded(folder, files, 32, "key", "disk")
    assert isinstance(first, PackedImages)
    assert isinstance(second, PackedImages)
    assert isinstance(second.pixels, np.memmap)
    assert len(second) == len(files)
    assert all(np.array_equal(first[i], second[i]) for i in range(len(files)))
    assert second[0].shape == (32, 40, 3)


def test_modes_agree(make_folder):
    folder = make_folder(size=(50, 40))
    files = files_of(folder)
    sets = [decoded(folder, files, 32, "key", mode) for mode in ("auto", "disk", "memory", "off")]
    for i in range(len(files)):
        assert all(np.array_equal(sets[0][i], other[i]) for other in sets[1:])


@pytest.mark.parametrize("damage", ["truncate", "no index", "bad index", "other index"])
def test_a_damaged_cache_is_built_again(make_folder, damage):
    folder = make_folder()
    files = files_of(folder)
    expected = decoded(folder, files, 32, "key", "memory")
    decoded(folder, files, 32, "key", "disk")
    place = next((cache_folder() / "decoded").glob("key*/"))
    if damage == "truncate":
        os.truncate(place / "pixels.u8", 100)
    elif damage == "no index":
        (place / "shapes.json").unlink()
    else:
        (place / "shapes.json").write_text("[[1," if damage == "bad index" else "[[4, 4]]")
    again = decoded(folder, files, 32, "key", "disk")
    assert all(np.array_equal(again[i], expected[i]) for i in range(len(files)))


def test_a_cache_folder_that_cannot_be_written(make_folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("G2G_CACHE", str(tmp_path / "file"))
    folder = make_folder()
    images = decoded(folder, files_of(folder), 32, "key", "disk")
    assert len(images) == 30
    assert file_digests(folder, files_of(folder)[:2])[0] != "missing"


def test_nothing_unfinished_stays(make_folder):
    folder = make_folder()
    (folder / "a" / "0.png").write_bytes(b"broken")
    with pytest.raises(DataError):
        decoded(folder, files_of(folder), 32, "key", "disk")
    assert not list((cache_folder() / "decoded").glob("*/"))


def _build(folder, files, results):
    images = decoded(folder, files, 32, "shared", "disk")
    results.put(sum(int(images[i].astype(np.int64).sum()) for i in range(len(images))))


def test_several_processes_build_at_once(make_folder):
    folder = make_folder()
    files = files_of(folder)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=_build, args=(folder, files, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    sums = {results.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(sums) == 1
    assert len(list((cache_folder() / "decoded").glob("*/"))) == 1


def test_digests_are_remembered_by_size_and_time(make_folder, monkeypatch):
    folder = make_folder()
    files = files_of(folder)
    first = file_digests(folder, files)
    assert len(set(first)) == len(files)
    reads = []
    plain = type(folder).read_bytes
    monkeypatch.setattr(
        type(folder), "read_bytes", lambda self: (reads.append(self.name), plain(self))[1]
    )
    assert file_digests(folder, files) == first
    assert not [name for name in reads if name.endswith(".png")]
    time.sleep(0.01)
    content = plain(folder / files[3])
    (folder / files[3]).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # the same size
    changed = file_digests(folder, files)
    assert [a != b for a, b in zip(first, changed, strict=True)] == [
        i == 3 for i in range(len(files))
    ]


def test_a_damaged_memory_of_digests_is_ignored(make_folder):
    folder = make_folder()
    files = files_of(folder)
    first = file_digests(folder, files)
    store = next((cache_folder() / "digests").glob("*.json"))
    for content in (b"", b"{", b"[]", b'{"a/0.png": 3}', b"\xff"):
        store.write_bytes(content)
        assert file_digests(folder, files) == first


def test_a_missing_file_has_a_digest_of_its_own(make_folder):
    folder = make_folder()
    assert file_digests(folder, ["a/0.png", "a/none.png"])[1] == "missing"


def test_atomic_writing_leaves_no_rest(tmp_path, monkeypatch):
    write_bytes(tmp_path / "deep" / "x.json", b"one")
    write_bytes(tmp_path / "deep" / "x.json", b"two")
    assert (tmp_path / "deep" / "x.json").read_bytes() == b"two"
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_bytes(tmp_path / "deep" / "x.json", b"three")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["x.json"]
    assert (tmp_path / "deep" / "x.json").read_bytes() == b"two"
    assert stat.S_ISREG((tmp_path / "deep" / "x.json").stat().st_mode)
