"""The landmarks of a head model as a small basis, so that fitting never touches the whole mesh.

Before the rigid motion every head model here is linear in (1, shape, expression) once the joints are set, and its
dependence on one joint q [3] (axis-angle) is linear in the features (relu(q), relu(-q), R(q) - I): the rotation's entries
cover linear blend skinning, the other six cover units that push one way. `build` finds these coefficients by evaluating the
model at a few settings of each joint and checks them at settings it has not seen.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from emotag.errors import ArtifactMismatch
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.base import HeadModel
from emotag.types import LANDMARKS

FEATURES = 15
JOINTS = ("jaw", "eye_left", "eye_right")
SAMPLE_RAD = 0.45  # joints are sampled up to this angle
TOLERANCE_M = 5e-5


def joint_features(q: Tensor) -> Tensor:
    """[..., 3] rad to [..., 15]: relu(q), relu(-q), the nine entries of R(q) - I."""
    rotation = axis_angle_to_matrix(q) - torch.eye(3, dtype=q.dtype)
    return torch.cat([q.clamp(min=0), (-q).clamp(min=0), rotation.flatten(-2)], -1)


def joint_feature_jacobian(q: Tensor) -> Tensor:
    """Derivative [..., 15, 3] of `joint_features`, by forward differences of the exact functions' double precision."""
    step = 1e-5
    base = joint_features(q.double())
    columns = [(joint_features(q.double() + step * e) - base) / step for e in torch.eye(3, dtype=torch.float64)]
    return torch.stack(columns, -1).to(q.dtype)


@dataclass(frozen=True)
class Joint:
    """Coefficients [15, n, 3, 1 + S + E] of one joint on the landmarks `points` [n] that it moves."""

    name: str
    points: Tensor
    coefficients: Tensor


@dataclass(frozen=True)
class PosedBasis:
    """The basis with the shape put in: `base` [L, 3], `expression` [L, 3, E], and per joint its points with
    constant [15, n, 3] and expression [15, n, 3, E] parts."""

    base: Tensor
    expression: Tensor
    joints: tuple[tuple[Tensor, Tensor, Tensor], ...]

    def points(self, motion: Tensor) -> Tensor:
        """Motion [T, E + 9] (expression, jaw, left eye, right eye) to landmarks [T, L, 3] m in the head's frame."""
        size = self.expression.shape[-1]
        expression = motion[:, :size]
        points = self.base + torch.einsum("lce,te->tlc", self.expression, expression)
        for index, (where, constant, linear) in enumerate(self.joints):
            features = joint_features(motion[:, size + 3 * index : size + 3 * index + 3])
            moved = torch.einsum("tf,fnc->tnc", features, constant)
            moved = moved + torch.einsum("tf,fnce,te->tnc", features, linear, expression)
            points[:, where] += moved
        return points

    def jacobian(self, motion: Tensor) -> Tensor:
        """Derivative [T, L, 3, E + 9] of `points`."""
        size = self.expression.shape[-1]
        frames, expression = len(motion), motion[:, :size]
        result = torch.zeros(frames, *self.base.shape, motion.shape[-1], dtype=motion.dtype)
        result[..., :size] = self.expression
        for index, (where, constant, linear) in enumerate(self.joints):
            columns = slice(size + 3 * index, size + 3 * index + 3)
            q = motion[:, columns]
            result[:, where, :, :size] += torch.einsum("tf,fnce->tnce", joint_features(q), linear)
            effect = constant + torch.einsum("fnce,te->tfnc", linear, expression)
            result[:, where, :, columns] = torch.einsum("tfnc,tfk->tnck", effect, joint_feature_jacobian(q))
        return result


@dataclass(frozen=True)
class LandmarkBasis:
    """Landmarks [L, 3] = coefficients [L, 3, 1 + S + E] times (1, shape, expression), plus the joints' effects."""

    coefficients: Tensor
    joints: tuple[Joint, ...]
    shape_size: int

    @property
    def expression_size(self) -> int:
        """Number of expression units E."""
        return self.coefficients.shape[-1] - 1 - self.shape_size

    @property
    def motion_size(self) -> int:
        """Channels of the motion vector: expression, jaw, left eye, right eye."""
        return self.expression_size + 3 * len(self.joints)

    def posed(self, shape: Tensor, offsets: Tensor) -> PosedBasis:
        """Put `shape` [S] in and add `offsets` [L, 3] m (head's frame) to every point."""
        cut = 1 + self.shape_size
        mix = torch.cat([torch.ones(1, dtype=shape.dtype), shape])
        joints = tuple(
            (joint.points, joint.coefficients[..., :cut] @ mix, joint.coefficients[..., cut:].contiguous())
            for joint in self.joints
        )
        return PosedBasis(
            self.coefficients[..., :cut] @ mix + offsets, self.coefficients[..., cut:].contiguous(), joints
        )

    def shape_jacobian(self, motion: Tensor) -> Tensor:
        """Derivative [T, L, 3, S] of the landmarks by the shape; motion [T, E + 9]."""
        cut = 1 + self.shape_size
        frames = len(motion)
        result = self.coefficients[None, ..., 1:cut].repeat(frames, 1, 1, 1)
        for index, joint in enumerate(self.joints):
            start = self.expression_size + 3 * index
            features = joint_features(motion[:, start : start + 3])
            result[:, joint.points] += torch.einsum("tf,fncs->tncs", features, joint.coefficients[..., 1:cut])
        return result


def _settings(head: HeadModel, count: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Unit settings of (1, shape, expression): shape [1 + S + E, S] and expression [1 + S + E, E]."""
    units = len(head.expression_names)
    shape = torch.zeros(count, head.shape_size, dtype=dtype)
    expression = torch.zeros(count, units, dtype=dtype)
    shape[1 : 1 + head.shape_size] = torch.eye(head.shape_size, dtype=dtype)
    expression[1 + head.shape_size :] = torch.eye(units, dtype=dtype)
    return shape, expression


def _landmarks(head: HeadModel, shape: Tensor, expression: Tensor, joints: Tensor) -> Tensor:
    """Landmarks [B, L, 3] in the head's frame; joints [3, 3] (jaw, left eye, right eye) shared by the batch."""
    batch, dtype = len(shape), shape.dtype
    zero = torch.zeros(batch, 3, dtype=dtype)
    jaw, eyes = joints[:1].expand(batch, 3), joints[1:].reshape(1, 6).expand(batch, 6)
    vertices = head.vertices(shape, expression, jaw, zero, eyes, zero, zero)
    return head.landmarks(vertices, rotation=zero)


@torch.no_grad()
def build(head: HeadModel, components: int | None = None, seed: int = 0) -> LandmarkBasis:
    """Find the basis of `head`, with its first `components` shape components (all if None).

    Raises:
        ArtifactMismatch: the head model is not of the form above (the check at unseen settings fails).
    """
    total = head.shape_size if components is None else min(components, head.shape_size)
    dtype, units = torch.float32, len(head.expression_names)
    shape, expression = _settings(head, 1 + head.shape_size + units, dtype)
    used = torch.cat([torch.arange(1 + total), torch.arange(1 + head.shape_size, 1 + head.shape_size + units)])
    shape, expression = shape[used], expression[used]

    def columns(joints: Tensor) -> Tensor:
        points = _landmarks(head, shape, expression, joints).double()
        return torch.cat([points[:1], points[1:] - points[:1]]).permute(1, 2, 0)

    generator = torch.Generator().manual_seed(seed)
    rest = columns(torch.zeros(3, 3, dtype=dtype))
    found = []
    for index, name in enumerate(JOINTS):
        samples = (torch.rand(26, 3, generator=generator, dtype=torch.float64) * 2 - 1) * SAMPLE_RAD
        effects = []
        for q in samples:
            joints = torch.zeros(3, 3, dtype=dtype)
            joints[index] = q.to(dtype)
            effects.append(columns(joints) - rest)
        stack = torch.stack(effects)
        solution = torch.linalg.pinv(joint_features(samples), rtol=1e-5) @ stack.flatten(1)
        coefficients = solution.reshape(FEATURES, *rest.shape)
        points = (stack.abs().amax((0, 2, 3)) > 1e-7).nonzero()[:, 0]
        found.append(Joint(name, points, coefficients[:, points].float()))
    basis = LandmarkBasis(rest.float(), tuple(found), total)
    _check(head, basis, generator)
    return basis


def _check(head: HeadModel, basis: LandmarkBasis, generator: torch.Generator) -> None:
    """Compare the basis with the model at random settings."""
    worst = 0.0
    for _ in range(3):
        shape = torch.zeros(1, head.shape_size)
        shape[0, : basis.shape_size] = torch.randn(basis.shape_size, generator=generator)
        expression = torch.rand(1, basis.expression_size, generator=generator) * 0.5
        joints = (torch.rand(3, 3, generator=generator) * 2 - 1) * 0.2
        truth = _landmarks(head, shape, expression, joints)
        motion = torch.cat([expression, joints.reshape(1, 9)], -1)
        offsets = torch.zeros(LANDMARKS, 3)
        worst = max(
            worst, float((basis.posed(shape[0, : basis.shape_size], offsets).points(motion) - truth).abs().max())
        )
    if worst > TOLERANCE_M:
        raise ArtifactMismatch(
            f"head model {head.name}: its landmarks differ by {worst * 1000:.3f} mm from a basis linear in shape and "
            f"expression (expected at most {TOLERANCE_M * 1000:.3f} mm); the tracker cannot fit this head model"
        )
