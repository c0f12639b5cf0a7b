"""The C++ form of the kernels: `raster.cpp` through ctypes, which lets go of the interpreter's lock during a call.

An array argument is passed as a pointer to its address and shape; a tuple of arrays as one argument each; a tuple of
numbers as an array. Types are checked against the table below, since a mistake here would not be told but crash.
"""

import ctypes
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from emotag.errors import AssetMissing
from emotag.render import compiler
from emotag.render.kernels import NAMES, Kernels

LEVELS = ("portable", "avx2", "avx512")
DTYPES = {"f": np.dtype(np.float32), "d": np.dtype(np.float64), "i": np.dtype(np.int32), "q": np.dtype(np.int64)}
# Arguments by kernel: n whole number, x number, else the type of an array.
_TILES = "nnnnqiiiffnf"
SIGNATURES = {
    "project_range": "nnffffdfffi",
    "colour_range": "nnnffff",
    "cover_range": "nnfiqniii",
    "fill_tiles": "nnnfiqiqnii",
    "forward_range": _TILES + "ffff",
    "backward_range": _TILES + "ffffffff" + "f",
    "gather_range": "nnqifffnffff",
    "colour_gradient_range": "nnfffffff",
    "project_gradient_range": "nnfffdfffffff",
    "statistics_range": "nnnfffdfff",
    "gradient_range": "nnnffffffxxf",
}
# Not of the renderer: what `emotag.bench` measures the machine and a scene with.
MEASURES = {"count_range": "nnnnqiiiffnnnd", "multiply_add": "nf"}
# The same code at every level.
SHARED = ("fill_tiles",)


class _Array(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.c_int64 * 4)]


def _flat(arguments: Iterable[Any]) -> Iterator[Any]:
    for argument in arguments:
        if not isinstance(argument, tuple):
            yield argument
        elif argument and isinstance(argument[0], np.ndarray):
            yield from argument
        else:
            yield np.array(argument, np.float64)


def _convert(name: str, kind: str, value: Any) -> Any:
    if kind == "n":
        return ctypes.c_int64(value)
    if kind == "x":
        return ctypes.c_double(value)
    if value.dtype != DTYPES[kind] or not value.flags.c_contiguous:
        layout = "dense" if value.flags.c_contiguous else "strided"
        raise TypeError(f"{name}: found a {layout} array of {value.dtype}, expected a dense one of {DTYPES[kind]}")
    return ctypes.byref(_Array(value.__array_interface__["data"][0], (ctypes.c_int64 * 4)(*value.shape)))


def _wrapped(function: Any, name: str, kinds: str) -> Callable[..., None]:
    function.restype = None

    def call(*arguments: Any) -> None:
        # Held until the call is over: a pointer does not keep what it points to.
        held = list(_flat(arguments))
        if len(held) != len(kinds):
            raise TypeError(f"{name}: found {len(held)} arguments, expected {len(kinds)}")
        function(*(_convert(name, kind, value) for kind, value in zip(kinds, held, strict=True)))

    call.__name__ = name
    return call


def _open(level: str | None) -> tuple[ctypes.CDLL, str]:
    path = compiler.library()
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise AssetMissing(
            f"C++ kernels: {path} cannot be loaded ({error}); remove it to have it built anew"
        ) from error
    best = library.best_level()
    level = LEVELS[best] if level is None else level
    if LEVELS.index(level) > best:
        raise AssetMissing(f"C++ kernels: this machine cannot run {level}; it can run {LEVELS[best]}")
    return library, level


def load(level: str | None = None) -> Kernels:
    """The kernels at `level` (one of `LEVELS`; the best this machine can run if None).

    Raises:
        AssetMissing: the library cannot be built or loaded, or the machine lacks the level's instructions.
    """
    library, level = _open(level)
    symbols = {name: name if name in SHARED else f"{name}_{level}" for name in NAMES}
    found = {name: _wrapped(getattr(library, symbols[name]), name, SIGNATURES[name]) for name in NAMES}
    return Kernels(f"cpp-{level}", **found)


def load_measures(level: str | None = None) -> dict[str, Callable[..., None]]:
    """The functions of `MEASURES` by name, at `level` as in `load`."""
    library, level = _open(level)
    return {name: _wrapped(getattr(library, f"{name}_{level}"), name, kinds) for name, kinds in MEASURES.items()}
