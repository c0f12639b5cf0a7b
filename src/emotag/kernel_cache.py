"""Makes numba's cache notice edits of imported kernels.

Numba keeps compiled functions until their own file changes. Kernels here call, and take constants from, kernels of other
modules, which are compiled into them: those would stay as they were. So cached functions of this package are stamped with
the digests of all that their module imports inside it (`emotag.workflow.sources`). Importing this module is enough; the
packages that hold kernels do so before they import one.
"""

from collections.abc import Callable

from numba.core import caching

from emotag.workflow.sources import PACKAGE, closure


class _WatchesImports:
    """Mixed into numba's cache locators: where a function's cache lies is theirs, how fresh it is, is told here."""

    def __init__(self, py_func: Callable, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._module = py_func.__module__

    def get_source_stamp(self) -> list[str]:
        """`module@digest` of the function's module and of all that it imports inside the package."""
        return closure(self._module)

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "_WatchesImports | None":
        """None, so that numba asks the next locator, for functions of other packages."""
        return super().from_function(py_func, py_file) if py_func.__module__.startswith(f"{PACKAGE}.") else None


class InChosenFolder(_WatchesImports, caching.UserProvidedCacheLocator):
    """Below NUMBA_CACHE_DIR, where that is set."""


class BesideModule(_WatchesImports, caching.InTreeCacheLocator):
    """In the module's own __pycache__, where that can be written."""


class InUsersFolder(_WatchesImports, caching.UserWideCacheLocator):
    """In the user's cache folder."""


# In numba's own order of preference, before its own.
caching.CacheImpl._locator_classes[:0] = [InChosenFolder, BesideModule, InUsersFolder]
