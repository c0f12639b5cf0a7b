"""Building the C++ kernels, and choosing between them and numba."""

import dataclasses
import logging
import threading

import numpy as np
import pytest

from emotag.errors import AssetMissing
from emotag.render import compiler, forms, native, prebuild


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache folder of the test's own, and no library beside the source."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(compiler, "shipped_path", lambda: tmp_path / "none.so")
    for choice in (forms.cpp, forms.best):
        choice.cache_clear()
    yield tmp_path / "emotag"
    for choice in (forms.cpp, forms.best):
        choice.cache_clear()


@pytest.fixture
def compiler_here():
    try:
        compiler.find_compiler()
    except AssetMissing as error:
        pytest.skip(str(error))


def test_many_jobs_build_once(empty_cache, compiler_here, monkeypatch):
    built = []

    def build(name, path):
        built.append(path)
        path.write_bytes(b"")

    monkeypatch.setattr(compiler, "build", build)
    jobs = [threading.Thread(target=compiler.library) for _ in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert len(built) == 1 and built[0].parent == empty_cache


def test_key_holds_source_compiler_and_machine(empty_cache, compiler_here, monkeypatch):
    monkeypatch.setattr(compiler, "build", lambda name, path: path.write_bytes(b""))
    first = compiler.library()
    assert compiler.library() == first
    monkeypatch.setattr(compiler, "cpu_flags", lambda: "another machine")
    second = compiler.library()
    monkeypatch.setattr(compiler, "FLAGS", ("-O1",))
    assert len({first, second, compiler.library()}) == 3


def test_a_shipped_library_needs_no_compiler(empty_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    shipped = tmp_path / "shipped.so"
    shipped.write_bytes(b"")
    monkeypatch.setattr(compiler, "shipped_path", lambda: shipped)
    assert compiler.library() == shipped


def test_prebuilding_puts_the_library_where_it_is_looked_for(empty_cache, compiler_here, monkeypatch, capsys):
    monkeypatch.setattr(compiler, "build", lambda name, path: path.write_bytes(b"built"))
    assert prebuild.main() == 0
    assert capsys.readouterr().out.strip() == str(compiler.library()) == str(compiler.shipped_path())
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert prebuild.main() == 2


@pytest.mark.parametrize(
    ("command", "complaint"), [("no-such-compiler", "no compiler found"), ("false", "failed: no message")]
)
def test_without_a_working_compiler_it_is_numba_and_the_log_says_so(
    empty_cache, monkeypatch, caplog, command, complaint
):
    monkeypatch.setenv("CXX", command)
    with pytest.raises(AssetMissing, match=complaint):
        forms.cpp()
    with caplog.at_level(logging.INFO):
        assert forms.best().name == "numba"
    assert "cpu kernels: numba (C++ kernels: " in caplog.text and complaint in caplog.text
    assert not list(empty_cache.glob("*.so"))


def test_the_portable_level_is_left_for_numba(monkeypatch, caplog):
    portable = dataclasses.replace(forms.numba(), name="cpp-portable")
    monkeypatch.setattr(forms, "cpp", lambda: portable)
    with caplog.at_level(logging.INFO):
        assert forms.best.__wrapped__().name == "numba"
    assert "without AVX2" in caplog.text


def test_cache_that_cannot_be_written_is_told(empty_cache, compiler_here, monkeypatch):
    empty_cache.parent.joinpath("file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(empty_cache.parent / "file"))
    with pytest.raises(AssetMissing, match="cannot be written.*set XDG_CACHE_HOME"):
        compiler.library()


def test_a_broken_library_is_told(empty_cache, tmp_path, monkeypatch):
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(compiler, "shipped_path", lambda: broken)
    with pytest.raises(AssetMissing, match="cannot be loaded.*remove it"):
        native.load()


def test_arrays_of_another_type_do_not_reach_the_library(compiler_here):
    colour = native.load("portable").colour_range
    good = np.zeros((4, 3), np.float32)
    with pytest.raises(TypeError, match="found a dense array of float64"):
        colour(0, 4, 4, good.astype(np.float64), good, good, good)
    with pytest.raises(TypeError, match="found a strided array"):
        colour(0, 4, 4, good[:, ::2], good, good, good)
    with pytest.raises(TypeError, match="found 3 arguments, expected 7"):
        colour(0, 4, 4)
