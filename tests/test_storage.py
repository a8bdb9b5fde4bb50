"""Files: exact round trips, and refusal of everything that is not exactly what was written."""

import contextlib
import json
import os
import pickle
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tabular_inversion import MDP, AgentValues, Goals, storage
from tabular_inversion.errors import FileAccessError, FileFormatError

ENDINGS = [".npz", ".json"]
ARRAYS = {"x": np.array([[0.1, np.nan], [-0.0, 1e-320]]), "flags": np.array([True, False]), "n": np.arange(3)}
METADATA = {"name": "né", "discount": 0.1, "nothing": None, "list": [1, [2.5]]}
TEMPORARY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

numbers = hnp.arrays(
    dtype=st.sampled_from(["<f8", ">f8", "<f4", "<f2", "<i8", "|u1", "<u8", "|b1"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(params=ENDINGS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"file{request.param}"


@pytest.fixture
def written(path: Path) -> Path:
    return storage.write(path, "thing", ARRAYS, METADATA)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and np.array_equal(first, second, equal_nan=first.dtype.kind == "f")
        and (first.dtype.kind != "f" or np.array_equal(np.signbit(first[first == 0]), np.signbit(second[second == 0])))
    )


def assert_content(path: Path) -> None:
    arrays, metadata = storage.read(path, "thing")
    assert arrays.keys() == ARRAYS.keys()
    assert all(same(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert metadata == METADATA


def test_what_is_written_is_read(written: Path) -> None:
    assert_content(written)


@TEMPORARY
@given(st.data(), st.sampled_from(ENDINGS))
def test_every_array_and_metadata_come_back_exactly(tmp_path: Path, data: st.DataObject, ending: str) -> None:
    arrays = data.draw(st.dictionaries(st.text("abc_", min_size=1, max_size=4), numbers, max_size=3))
    metadata = data.draw(st.dictionaries(st.text(), json_values, max_size=3))
    path = tmp_path / f"drawn{ending}"
    if ending == ".json" and any(a.dtype.kind == "f" and np.isinf(a).any() for a in arrays.values()):
        with pytest.raises(FileFormatError, match="cannot hold"):
            storage.write(path, "thing", arrays, metadata)
        return
    storage.write(path, "thing", arrays, metadata)
    found, found_metadata = storage.read(path, "thing")
    assert found.keys() == arrays.keys()
    assert all(same(found[name], arrays[name]) for name in arrays)
    assert found_metadata == metadata


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_nan_is_taken_for_the_same(tmp_path: Path, ending: str) -> None:
    strange = np.array([0xFFF8000000000001, 0x7FF0000000000001], dtype=np.uint64).view(np.float64)
    path = storage.write(tmp_path / f"nan{ending}", "thing", {"x": strange}, {})
    assert np.isnan(storage.read(path, "thing")[0]["x"]).all()


def test_arrays_need_not_be_contiguous(path: Path) -> None:
    storage.write(path, "thing", {"x": np.arange(12).reshape(3, 4).T[::2]}, {})
    assert storage.read(path, "thing")[0]["x"].tolist() == np.arange(12).reshape(3, 4).T[::2].tolist()


@settings(TEMPORARY, max_examples=150)
@given(data=st.data(), ending=st.sampled_from(ENDINGS))
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path, data: st.DataObject, ending: str) -> None:
    """A zip file has dates, and JSON has 1e-320 for 1E-320: a flip there leaves the content as it was."""
    path = storage.write(tmp_path / f"flipped{ending}", "thing", ARRAYS, METADATA)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    with contextlib.suppress(FileFormatError):
        assert_content(path)


@settings(TEMPORARY, max_examples=100)
@given(data=st.data(), ending=st.sampled_from(ENDINGS))
def test_a_truncated_file_is_refused(tmp_path: Path, data: st.DataObject, ending: str) -> None:
    path = storage.write(tmp_path / f"short{ending}", "thing", ARRAYS, METADATA)
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(FileFormatError):
        storage.read(path, "thing")


@settings(TEMPORARY, max_examples=100)
@given(st.binary(max_size=200), st.sampled_from(ENDINGS))
def test_other_bytes_are_refused(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"other{ending}"
    path.write_bytes(content)
    with pytest.raises(FileFormatError):
        storage.read(path, "thing")


@settings(TEMPORARY, max_examples=100)
@given(json_values)
def test_other_json_is_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(value))
    with pytest.raises(FileFormatError):
        storage.read(path, "thing")


class Trap:
    """Unpickling it would run code."""

    sprung = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (setattr, (Trap, "sprung", True))


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap()))


def npz_of_objects(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, header=np.array([Trap()], dtype=object), x=np.array([Trap()], dtype=object))


def bare_npy(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.arange(3))


def npz_without_header(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, x=np.arange(3))


def npz_with_a_list_for_header(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, header=np.frombuffer(b"[1]", np.uint8))


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "make", [pickled, npz_of_objects, bare_npy, npz_without_header, npz_with_a_list_for_header, folder]
)
def test_files_of_other_programs_are_refused_and_never_unpickled(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "file.npz"
    make(path)
    with pytest.raises((FileFormatError, FileAccessError)):
        storage.read(path, "thing")
    assert not Trap.sprung


def tampered(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d["metadata"].update(discount=0.2), "checksum"),
        (lambda d: d["arrays"]["x"]["data"].__setitem__(0, 0.2), "checksum"),
        (lambda d: d["arrays"]["n"].update(dtype="<f8"), "checksum"),
        (lambda d: d["arrays"]["flags"].update(shape=[2, 1]), "checksum"),
        (lambda d: d["arrays"].pop("n"), "checksum"),
        (lambda d: d["arrays"].update(m=d["arrays"]["n"]), "checksum"),
        (lambda d: d.pop("sha256"), "checksum"),
        (lambda d: d.update(sha256=None), "checksum"),
        (lambda d: d.update(extra=1), "checksum"),
        (lambda d: d.update(kind="other"), "holds 'other', not 'thing'"),
        (lambda d: d.pop("kind"), "holds None"),
        (lambda d: d.update(version=2), "version 2; this package reads"),
        (lambda d: d.update(version="1"), "version '1'"),
        (lambda d: d.update(format="else"), "'else'"),
        (lambda d: d.pop("arrays"), "truncated or no"),
        (lambda d: d.update(arrays=[]), "truncated or no"),
        (lambda d: d["arrays"]["x"].pop("shape"), "truncated or no"),
        (lambda d: d["arrays"]["x"].update(shape=[7]), "truncated or no"),
        (lambda d: d["arrays"]["x"].update(dtype="O"), "expected numbers"),
        (lambda d: d["arrays"]["x"].update(dtype="nonsense"), "truncated or no"),
        (lambda d: d["arrays"]["n"]["data"].__setitem__(0, 10**40), "truncated or no"),
        (lambda d: d["arrays"]["x"]["data"].__setitem__(0, float("inf")), "checksum|truncated or no"),
        (lambda d: d["metadata"].update(discount=float("nan")), "truncated or no|checksum"),
    ],
)
def test_altered_documents_are_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], match: str) -> None:
    path = storage.write(tmp_path / "file.json", "thing", ARRAYS, METADATA)
    tampered(path, change)
    with pytest.raises(FileFormatError, match=match):
        storage.read(path, "thing")


def test_a_file_of_another_kind_is_refused(written: Path) -> None:
    with pytest.raises(FileFormatError, match="holds 'thing', not 'world'; pass the right file"):
        storage.read(written, "world")


@pytest.mark.parametrize("ending", ["", ".pkl", ".npy", ".JSON", ".txt"])
def test_other_endings_are_refused(tmp_path: Path, ending: str) -> None:
    for use in (lambda p: storage.write(p, "thing", {}, {}), lambda p: storage.read(p, "thing")):
        with pytest.raises(FileFormatError, match=r"use \.npz, or \.json"):
            use(tmp_path / f"file{ending}")


def test_missing_places_are_named(path: Path) -> None:
    with pytest.raises(FileFormatError, match="there is no file"):
        storage.read(path, "thing")
    with pytest.raises(FileAccessError, match=r"cannot write .* name a file in a folder"):
        storage.write(path.parent / "nowhere" / path.name, "thing", {}, {})


UNWRITABLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"x": np.array([None])}, {}),
    ({"x": np.array([Trap()])}, {}),
    ({"x": np.array([1j])}, {}),
    ({"x": np.array(["text"])}, {}),
    ({"x": np.zeros(2, dtype=[("a", float)])}, {}),
    ({"header": np.zeros(2)}, {}),
    ({}, {"x": object()}),
    ({}, {"x": float("nan")}),
    ({}, {"x": np.zeros(2)}),
]


@pytest.mark.parametrize(("arrays", "metadata"), UNWRITABLE)
def test_what_cannot_be_written_leaves_nothing_and_spares_the_old_file(
    written: Path, arrays: dict[str, Any], metadata: dict[str, Any]
) -> None:
    before = written.read_bytes()
    with pytest.raises(FileFormatError, match="cannot"):
        storage.write(written, "thing", arrays, metadata)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt(), MemoryError()])
def test_an_interrupted_write_leaves_nothing_and_spares_the_old_file(
    written: Path, failure: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = written.read_bytes()

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(storage, "_write_npz", fail)
    monkeypatch.setattr(storage, "_write_json", fail)
    with pytest.raises(FileAccessError if isinstance(failure, OSError) else type(failure)):
        storage.write(written, "thing", ARRAYS, METADATA)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_an_existing_file_is_replaced(written: Path) -> None:
    storage.write(written, "thing", {"x": np.ones(1)}, {})
    assert storage.read(written, "thing")[0]["x"].tolist() == [1.0]
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_the_umask_decides_who_may_read(path: Path) -> None:
    before = os.umask(0o027)
    try:
        storage.write(path, "thing", ARRAYS, METADATA)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_asking_for_what_a_file_lacks_is_an_error_of_the_file(path: Path) -> None:
    for kind, load in (("mdp", MDP.load), ("agent-values", AgentValues.load)):
        storage.write(path, kind, {}, {})
        with pytest.raises(FileFormatError, match="holds no '"):
            load(path)


def test_files_hold_no_pickle(tmp_path: Path) -> None:
    agent = AgentValues([[[1.0, 2.0]]], Goals([[0.5]]), 0.5)
    agent.save(tmp_path / "agent.npz")
    with np.load(tmp_path / "agent.npz", allow_pickle=False) as archive:
        assert {archive[name].dtype.kind for name in archive.files} <= set("fiub")


LIMITED = """
import os, resource, sys
from tabular_inversion.environments import random_mdp
from tabular_inversion.errors import FileAccessError
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
else:
    os.setuid(65534)
try:
    random_mdp(20, 2, seed=0).save(sys.argv[1])
except FileAccessError as problem:
    print(problem)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize(("place", "why"), [("full", "File too large"), ("read-only", "Permission denied")])
def test_a_full_disk_and_a_read_only_folder_are_one_line_and_spare_the_old_file(
    tmp_path: Path, place: str, why: str
) -> None:
    if place == "read-only" and os.geteuid() != 0:
        pytest.skip("only root can become someone else")
    path = tmp_path / "world.npz"
    path.write_bytes(b"before")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path), place], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert why in done.stdout
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_device_without_room_is_one_line(tmp_path: Path) -> None:
    link = tmp_path / "world.npz"
    link.symlink_to("/dev/full")
    with pytest.raises(FileAccessError, match="No space left on device"):
        storage.write(link, "thing", ARRAYS, METADATA)


def npz_with(path: Path, members: dict[str, bytes]) -> Path:
    """Write members that claim whatever they like; a zip of zeros is a thousandth of what it unpacks to."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(shape: str, size: int = 8) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(size)


@pytest.mark.parametrize(
    ("member", "match"),
    [
        (npy("(10**30,)".replace("10**30", "1" + "0" * 30)), "bytes, and has 8"),
        (npy("(1000000000, 1000000000)"), "bytes, and has 8"),
        (npy("(-1,)"), "bytes, and has 8|truncated"),
        (npy("(2,)"), "16 bytes, and has 8"),
        (npy("(1e30,)"), "truncated or no"),
    ],
)
def test_what_a_member_claims_is_checked_before_memory_is_taken(tmp_path: Path, member: bytes, match: str) -> None:
    header = npy("(0,)", 0)
    path = npz_with(tmp_path / "file.npz", {"header.npy": header, "x.npy": member})
    with pytest.raises(FileFormatError, match=match):
        storage.read(path, "thing")


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path: Path) -> None:
    rows = 3 * 2**17
    path = tmp_path / "file.npz"
    npz_with(path, {"x.npy": npy(f"({rows}, 1024)", 3 * 2**20)})
    # The directory at the end of the file says that there are three gigabytes.
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.infolist()[0].file_size
    content = content.replace(size.to_bytes(4, "little"), (3 * 2**30).to_bytes(4, "little"))
    content = content.replace(size.to_bytes(8, "little"), (3 * 2**30).to_bytes(8, "little"))
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=r"takes 3072 MiB of memory, above the limit of 2048 MiB"):
            storage.read(path, "thing")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("load", [MDP.load, AgentValues.load])
def test_the_limit_can_be_raised(tmp_path: Path, load: Callable[..., Any], path: Path) -> None:
    world = MDP(np.full((30, 1, 30), 1 / 30), 0.5)
    thing: Any = world if load == MDP.load else AgentValues(np.zeros((3, 30, 1)), Goals(np.zeros((3, 30))), 0.5)
    thing.save(path)
    with pytest.raises(FileFormatError, match="larger max_bytes"):
        load(path, max_bytes=1000)
    assert load(path, max_bytes=1e6) == thing


@pytest.mark.parametrize("metadata", [None, [], 1, "x"])
def test_metadata_is_an_object(tmp_path: Path, metadata: Any) -> None:
    path = tmp_path / "file.npz"
    storage.write(path, "mdp", {}, metadata)
    with pytest.raises(FileFormatError, match="no metadata"):
        MDP.load(path)


@pytest.mark.parametrize("shape", [[1e30, 1, 1e30], [10**30, 1, 10**30], [2, 1], None, "x", [2, 2, 2], [-1, 1, -1]])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_shape_that_is_not_that_of_the_arrays_is_refused(tmp_path: Path, shape: Any, sparse: bool) -> None:
    world = MDP([[[0.5, 0.5]], [[0.0, 1.0]]], 0.5)
    written: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "write", lambda _path, _kind, arrays, metadata: written.update(arrays, m=metadata))
        (world.sparse() if sparse else world).save("unused.npz")
    metadata = written.pop("m") | {"shape": shape}
    storage.write(tmp_path / "file.npz", "mdp", written, metadata)
    with pytest.raises(FileFormatError, match="does not hold what its kind promises"):
        MDP.load(tmp_path / "file.npz")
