"""emotag: an emotional talking head of 3D Gaussians from five seconds of video."""

__version__ = "0.1.0"
