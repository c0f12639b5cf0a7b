"""Safetensors files an array at a time: the library reads what is written, in its own layout."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from emotag.io.tensors import Spool, stored, write_tensors

rng = np.random.default_rng(0)
ARRAYS = {
    "b/two": rng.normal(size=(7, 3)).astype(np.float32),
    "b/one": rng.normal(size=(4,)).astype(np.float32),
    "whole": rng.integers(0, 9, (2, 2, 2)),
    "wide": rng.normal(size=(3, 2)),
    "mask": np.array([True, False, True]),
    "half": rng.normal(size=(5,)).astype(np.float16),
    "byte": rng.integers(-9, 9, 5).astype(np.int8),
    "empty": np.zeros((0, 4), np.float32),
    "scalar": np.array(2.5),
}


def test_the_file_is_the_library_s_but_for_the_order_of_its_header(tmp_path):
    write_tensors(tmp_path / "file", ARRAYS, {"kind": "test"})
    data, theirs = (tmp_path / "file").read_bytes(), save(ARRAYS, {"kind": "test"})
    header, other = (json.loads(d[8 : 8 + int.from_bytes(d[:8], "little")]) for d in (data, theirs))
    assert header["__metadata__"].pop("sha256")
    assert header == other
    length = sum(array.nbytes for array in ARRAYS.values())
    assert data[-length:] == theirs[-length:]
    assert all(np.array_equal(array, ARRAYS[name]) for name, array in load_file(tmp_path / "file").items())


def test_spooled_arrays_give_the_same_bytes(tmp_path):
    spool = Spool(tmp_path / "folder")
    write_tensors(tmp_path / "a", ARRAYS, {})
    write_tensors(tmp_path / "b", {name: spool.keep(array) for name, array in ARRAYS.items()}, {})
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in "ab"}
    assert len(digests) == 1 and not list((tmp_path / "folder").iterdir())


def test_rows_are_read_on_demand(tmp_path):
    write_tensors(tmp_path / "file", ARRAYS, {"kind": "test"})
    metadata, arrays = stored(tmp_path / "file")
    assert metadata["kind"] == "test" and set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert np.array_equal(np.asarray(arrays[name]), array) and arrays[name].dtype == array.dtype
    for rows in (slice(2, 5), slice(None, 3), slice(5, 99), slice(3, 3), slice(-2, None)):
        assert np.array_equal(arrays["b/two"][rows], ARRAYS["b/two"][rows])
    assert len(arrays["b/two"]) == 7 and arrays["b/two"].shape == (7, 3)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    write_tensors(tmp_path / "file", ARRAYS, {})
    _, arrays = stored(tmp_path / "file")
    with (tmp_path / "file").open("r+b") as file:
        file.truncate((tmp_path / "file").stat().st_size - 1)
    with pytest.raises(OSError, match="too early"):
        np.asarray(arrays["mask"])
