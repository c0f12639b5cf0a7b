"""Published systems as compositions of components: `load(name)`."""

from emotag.methods.base import Method, beside_network, load

__all__ = ["Method", "beside_network", "load"]
