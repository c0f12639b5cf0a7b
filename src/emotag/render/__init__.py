"""Drawing Gaussians and meshes."""

import emotag.kernel_cache  # noqa: F401  (before any kernel is imported)
from emotag.render.backends import load

__all__ = ["load"]
