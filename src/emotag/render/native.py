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
    "project_range": "nnnffffdfffiq",
    "colour_range": "nnnffff",
    "cover_range": "nnfiqniii",
    "sort_range": "nnnfiiq",
    "count_slices": "nnnnniqqiiq",
    "list_slices": "nnnnniqqiiqii",
    "forward_range": _TILES + "ffffff",
    "backward_range": _TILES + "ffffffff" + "f",
    "gather_range": "nnqifffnfffff",
    "colour_gradient_range": "nnfffffff",
    "project_gradient_range": "nnnffffdffffffffd",
    "statistics_range": "nnnfffdfff",
    "gradient_range": "nnnffffffxxf",
}
# Not of the renderer: what `emotag.bench` measures the machine and a scene with.
MEASURES = {"count_range": "nnnnqiiiffnnnd", "multiply_add": "nf"}
# The same code at every level.
SHARED = ("sort_range", "count_slices", "list_slices")


class _Array(ctypes.Structure):
    # Four numbers in place of an array of them: half the time to make one, and a step makes a hundred.
    _fields_ = [("data", ctypes.c_void_p), *((f"shape{axis}", ctypes.c_int64) for axis in range(4))]


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
    return ctypes.byref(_Array(value.__array_interface__["data"][0], *value.shape))


class Kernel:
    """One function of the library; `kinds` are its arguments'."""

    def __init__(self, function: Any, name: str, kinds: str) -> None:
        function.restype = None
        self._function, self._kinds, self.__name__ = function, kinds, name

    def __call__(self, *arguments: Any) -> None:
        """Call the function."""
        _held, converted = self._converted(arguments, self._kinds)
        self._function(*converted)

    def bound(self, arguments: tuple[Any, ...]) -> Callable[[int, int], None]:
        """The function of a range [start, stop) alone, its other arguments converted once for all ranges."""
        held, converted = self._converted(arguments, self._kinds[2:])

        def call(start: int, stop: int, _held: list[Any] = held) -> None:
            self._function(ctypes.c_int64(start), ctypes.c_int64(stop), *converted)

        return call

    def _converted(self, arguments: tuple[Any, ...], kinds: str) -> tuple[list[Any], list[Any]]:
        # The first list is to be held until the call is over: a pointer does not keep what it points to.
        held = list(_flat(arguments))
        if len(held) != len(kinds):
            raise TypeError(f"{self.__name__}: found {len(held)} arguments, expected {len(kinds)}")
        return held, [_convert(self.__name__, kind, value) for kind, value in zip(kinds, held, strict=True)]


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
    found = {name: Kernel(getattr(library, symbols[name]), name, SIGNATURES[name]) for name in NAMES}
    return Kernels(f"cpp-{level}", **found)


def load_measures(level: str | None = None) -> dict[str, Kernel]:
    """The functions of `MEASURES` by name, at `level` as in `load`."""
    library, level = _open(level)
    return {name: Kernel(getattr(library, f"{name}_{level}"), name, kinds) for name, kinds in MEASURES.items()}
