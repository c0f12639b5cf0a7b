"""Choosing a back end by name."""

import logging

from emotag.errors import ConfigError
from emotag.render import forms, gsplat
from emotag.render.base import Renderer
from emotag.render.cpu import CpuRenderer
from emotag.render.reference import TorchRenderer

log = logging.getLogger(__name__)
NAMES = ("auto", "cpu", "cpp", "numba", "torch", "gsplat")


def load(name: str = "auto", threads: int | None = None, antialiased: bool = False) -> Renderer:
    """The back end called `name`; `auto` is gsplat where there is a GPU and the package, else cpu, and says so.

    Args:
        name: one of `NAMES`; `cpu` is the better of `cpp` and `numba` (`forms.best`).
        threads: of the cpu back ends; all the cores this process may use if None.
        antialiased: opacities make up for the blur (see `emotag.render.base.Renderer`).

    Raises:
        ConfigError: the name is unknown.
        AssetMissing: gsplat or cpp was asked for by name and cannot run here.
    """
    if name == "auto":
        reason = gsplat.available()
        name = "cpu" if reason else "gsplat"
        log.info("render backend: %s%s", name, f" ({reason})" if reason else "")
    makers = {
        "cpu": lambda: CpuRenderer(threads, antialiased=antialiased),
        "cpp": lambda: CpuRenderer(threads, forms.cpp(), antialiased),
        "numba": lambda: CpuRenderer(threads, forms.numba(), antialiased),
        "torch": lambda: TorchRenderer(antialiased),
        "gsplat": lambda: gsplat.GsplatRenderer(antialiased),
    }
    if name not in makers:
        raise ConfigError(f"render backend: found {name!r}, expected one of {', '.join(NAMES)}; mend render.backend")
    return makers[name]()
