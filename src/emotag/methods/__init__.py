"""Published systems as compositions of components: `load(name)`."""

from emotag.methods.base import Method, load

__all__ = ["Method", "load"]
