"""Where Gaussians begin: spread over the head's triangles, and in shells above the scalp, since a head has no hair."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emotag.errors import ConfigError
from emotag.gaussians.cloud import HAIR, GaussianCloud
from emotag.gaussians.triangles import TriangleFrames, triangle_frames
from emotag.head.base import HeadModel
from emotag.render.sh import C0

# In-plane standard deviation over the side of the square that one Gaussian has to cover: neighbours overlap.
COVERAGE = 0.7
# Thickness along the normal over the in-plane deviation.
FLATNESS = 0.1
OPACITY = 0.9
SHELLS_M = (0.004, 0.010, 0.018, 0.028)


def faces_of(head: HeadModel, names: Sequence[str]) -> Tensor:
    """[F] bool: the faces in any of the regions."""
    return torch.stack([head.face_regions[name] for name in names]).any(0)


def areas_of(corners: Tensor) -> Tensor:
    """[n] m2 of triangles `corners` [n, 3, 3] m, in double precision."""
    a, b, c = corners.double().unbind(1)
    return 0.5 * torch.linalg.cross(b - a, c - a).norm(dim=-1)


def _counts(areas: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Equal whole counts for all triangles (Eq. 3); what is left over goes to triangles drawn by their area."""
    each, rest = divmod(count, len(areas))
    counts = np.full(len(areas), each)
    if rest:
        counts[random.choice(len(areas), rest, replace=False, p=areas / areas.sum())] += 1
    return counts


def _barycentric(count: int, random: np.random.Generator) -> np.ndarray:
    """Uniform barycentric coordinates [count, 3]."""
    root, other = np.sqrt(random.random(count)), random.random(count)
    return np.stack([1 - root, root * (1 - other), root * other], -1)


def initialise(
    vertices: Tensor,
    faces: Tensor,
    face_index: Tensor,
    count: int,
    colours: Tensor,
    region: Tensor,
    sh_degree: int = 0,
    seed: int = 0,
    heights_m: Sequence[float] = (0.0,),
) -> GaussianCloud:
    """Gaussians on (or above) triangles: equal count each, uniform within, flat along the normal.

    Args:
        vertices: [V, 3] m, rest pose.
        faces: [F, 3] of the whole head.
        face_index: [n] long or [F] bool, the triangles to place on.
        count: Gaussians in all; below n, triangles are drawn by their area.
        colours: [V, 3] 0 to 1, interpolated into the constant harmonic.
        region: [F] long, index into `cloud.REGIONS`.
        sh_degree: 0 to 3; higher harmonics begin at zero.
        seed: of the barycentric positions.
        heights_m: heights above the triangles along their normals, taken in turn (shells of hair).

    Raises:
        ConfigError: no triangle or no Gaussian is asked for.
    """
    chosen = torch.nonzero(face_index).squeeze(-1) if face_index.dtype == torch.bool else face_index
    if len(chosen) == 0 or count < 1:
        raise ConfigError(
            f"gaussians: found {len(chosen)} triangles and count {count} to place, expected at least 1 of each; "
            "raise adapt.gaussians or mend the face regions"
        )
    random = np.random.default_rng(seed)
    triangles = faces[chosen]
    corners = vertices.double()[triangles]
    areas = areas_of(corners).clamp_min(5e-15).numpy()
    counts = _counts(areas, count, random)
    slot = torch.from_numpy(np.repeat(np.arange(len(chosen)), counts))
    weights = torch.from_numpy(_barycentric(count, random))[..., None]
    heights = torch.tensor(heights_m, dtype=torch.float64)[torch.from_numpy(random.permutation(count)) % len(heights_m)]
    whole = triangle_frames(vertices.double(), triangles)
    frames = TriangleFrames(whole.rotation[slot], whole.size[slot].clamp_min(1e-9), whole.centre[slot])
    outward = frames.rotation[:, :, 1]
    points = (corners[slot] * weights).sum(1) + heights[:, None] * outward
    # Each shell is thinner in number, so its Gaussians cover more.
    share = torch.from_numpy(areas / np.maximum(counts, 1))[slot] * len(heights_m)
    if count < len(chosen):
        share = torch.full_like(share, areas.sum() / count * len(heights_m))
    spread = torch.log(COVERAGE * share.sqrt() / frames.size)
    log_scale = torch.stack([spread, spread + math.log(FLATNESS), spread], -1)
    seen = (colours.double()[triangles][slot] * weights).sum(1)
    triangle = chosen[slot]
    return riding(points, seen, log_scale, frames, triangle, region[triangle], sh_degree)


def riding(
    points: Tensor,
    colours: Tensor,
    log_scale: Tensor,
    frames: TriangleFrames,
    triangle: Tensor,
    region: Tensor,
    sh_degree: int,
    trunk_share: Tensor | None = None,
) -> GaussianCloud:
    """One unturned Gaussian a point.

    Args:
        points: [n, 3] m, at rest.
        colours: [n, 3] 0 to 1, for the constant harmonic; higher ones begin at zero.
        log_scale: [n, 3] in units of the triangles' sizes.
        frames: of the n triangles that carry them, at rest.
        triangle, region, trunk_share: [n], as in `GaussianCloud`.
    """
    mean = ((points - frames.centre)[:, None] @ frames.rotation).squeeze(1) / frames.size[:, None]
    sh = torch.zeros(len(mean), (sh_degree + 1) ** 2, 3)
    sh[:, 0] = ((colours - 0.5) / C0).float()
    quaternion = torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(len(mean), 1)
    logit = torch.full((len(mean),), math.log(OPACITY / (1 - OPACITY)))
    return GaussianCloud(mean.float(), quaternion, log_scale.float(), logit, sh, triangle, region, trunk_share)


def initialise_hair(
    vertices: Tensor, faces: Tensor, scalp: Tensor, count: int, colours: Tensor, sh_degree: int = 0, seed: int = 0
) -> GaussianCloud:
    """Gaussians of region `hair` in shells above the triangles `scalp` ([n] long or [F] bool); see `initialise`."""
    region = torch.full((len(faces),), HAIR)
    return initialise(vertices, faces, scalp, count, colours, region, sh_degree, seed, SHELLS_M)


def join(clouds: Sequence[GaussianCloud]) -> GaussianCloud:
    """One cloud of several with the same SH degree, in their order."""
    arrays = [cloud.to_arrays() for cloud in clouds]
    return GaussianCloud.from_arrays({name: np.concatenate([a[name] for a in arrays]) for name in arrays[0]})
