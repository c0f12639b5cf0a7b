"""Drawing Gaussians and meshes."""
