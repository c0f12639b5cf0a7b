"""Drawing Gaussians and meshes."""

from emotag.render.backends import load

__all__ = ["load"]
