"""Choosing the form of the cpu kernels: C++ or numba."""

import logging
from functools import cache

from emotag.errors import AssetMissing
from emotag.render import native
from emotag.render.kernels import NAMES, Kernels

log = logging.getLogger(__name__)
SLOWER_THAN_NUMBA = "cpp-portable"


@cache
def numba() -> Kernels:
    """The form that is always there; compiled by numba at the first use and kept in its cache."""
    from emotag.render import (
        kernels_backward,
        kernels_colour,
        kernels_forward,
        kernels_projection,
        kernels_ssim,
        kernels_tiles,
    )

    modules = (
        kernels_projection, kernels_colour, kernels_tiles, kernels_forward, kernels_backward, kernels_ssim,
    )  # fmt: skip
    found = {name: next(getattr(m, name) for m in modules if hasattr(m, name)) for name in NAMES}
    return Kernels("numba", **found)


@cache
def cpp() -> Kernels:
    """The C++ form, built at the first use where no built library is at hand.

    Raises:
        AssetMissing: it cannot be built or loaded here; the message says why.
    """
    return native.load()


@cache
def best() -> Kernels:
    """C++ where it can be had and is the faster form, else numba; the log says which and why."""
    try:
        chosen, reason = cpp(), ""
        if chosen.name == SLOWER_THAN_NUMBA:
            chosen, reason = numba(), f" (without AVX2 it is faster than {chosen.name})"
    except AssetMissing as error:
        chosen, reason = numba(), f" ({error})"
    log.info("cpu kernels: %s%s", chosen.name, reason)
    return chosen
