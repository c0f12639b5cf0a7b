"""Points of a head model (its landmarks, or some vertices) as a small basis, so that fitting never touches the whole mesh.

Before the rigid motion every head model here is linear in (1, shape, expression) once the joints are set, and its
dependence on one joint q [3] (axis-angle) is linear in the features (relu(q), relu(-q), R(q) - I): the rotation's entries
cover linear blend skinning, the other six cover units that push one way. `build` finds these coefficients by evaluating the
model at a few settings of each joint and checks them at settings it has not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from emotag.errors import ArtifactMismatch
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.base import HeadModel

FEATURES = 15
JOINTS = ("jaw", "eye_left", "eye_right")
SAMPLE_RAD = 0.45  # joints are sampled up to this angle
TOLERANCE_M = 2e-4  # FLAME's pose correctives are turned by the joint they correct: not quite linear in its features
SAMPLES = 20
ZERO_M = 1e-5


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
    constant [15, n, 3] and expression [15, n, 3, E] parts (the latter None where the joint does not meet expression)."""

    base: Tensor
    expression: Tensor
    joints: tuple[tuple[Tensor, Tensor, Tensor | None], ...]

    def points(self, motion: Tensor) -> Tensor:
        """Motion [T, E + 9] (expression, jaw, left eye, right eye) to landmarks [T, L, 3] m in the head's frame."""
        size = self.expression.shape[-1]
        expression = motion[:, :size]
        points = self.base + torch.einsum("lce,te->tlc", self.expression, expression)
        for index, (where, constant, linear) in enumerate(self.joints):
            features = joint_features(motion[:, size + 3 * index : size + 3 * index + 3])
            moved = torch.einsum("tf,fnc->tnc", features, constant)
            if linear is not None:
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
            slope = joint_feature_jacobian(q)
            if linear is None:
                result[:, where, :, columns] = torch.einsum("fnc,tfk->tnck", constant, slope)
                continue
            result[:, where, :, :size] += torch.einsum("tf,fnce->tnce", joint_features(q), linear)
            effect = constant + torch.einsum("fnce,te->tfnc", linear, expression)
            result[:, where, :, columns] = torch.einsum("tfnc,tfk->tnck", effect, slope)
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
            (joint.points, joint.coefficients[..., :cut] @ mix, _unless_zero(joint.coefficients[..., cut:]))
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
            linear = _unless_zero(joint.coefficients[..., 1:cut])
            if linear is None:
                continue
            start = self.expression_size + 3 * index
            features = joint_features(motion[:, start : start + 3])
            result[:, joint.points] += torch.einsum("tf,fncs->tncs", features, linear)
        return result


def _unless_zero(coefficients: Tensor) -> Tensor | None:
    return coefficients.contiguous() if coefficients.numel() and float(coefficients.abs().max()) > ZERO_M else None


def _settings(head: HeadModel, components: int, origin: Tensor) -> tuple[Tensor, Tensor]:
    """Settings of (1, shape, expression): shape [1 + components + E, S] around `origin` [S], expression [.., E]."""
    units = len(head.expression_names)
    shape = origin.float().repeat(1 + components + units, 1)
    expression = torch.zeros(len(shape), units)
    shape[1 : 1 + components, :components] += torch.eye(components)
    expression[1 + components :] = torch.eye(units)
    return shape, expression


Points = Callable[[HeadModel, Tensor], Tensor]


def landmarks_of(head: HeadModel, vertices: Tensor) -> Tensor:
    """The 478 landmarks [B, 478, 3] of vertices [B, V, 3] in the head's frame."""
    return head.landmarks(vertices, rotation=torch.zeros(len(vertices), 3, dtype=vertices.dtype))


def vertices_of(index: Tensor) -> Points:
    """The vertices `index` [L] as points; they must turn with the head as a whole, as those of the face do."""
    return lambda head, vertices: vertices[:, index]


def _located(points: Points, head: HeadModel, shape: Tensor, expression: Tensor, joints: Tensor) -> Tensor:
    """Points [B, L, 3] in the head's frame; joints [3, 3] (jaw, left eye, right eye) shared by the batch."""
    batch, dtype = len(shape), shape.dtype
    zero = torch.zeros(batch, 3, dtype=dtype)
    jaw, eyes = joints[:1].expand(batch, 3), joints[1:].reshape(1, 6).expand(batch, 6)
    vertices = head.vertices(shape, expression, jaw, zero, eyes, zero, zero)
    return points(head, vertices)


@torch.no_grad()
def build(
    head: HeadModel, components: int, origin: Tensor | None = None, seed: int = 0, points: Points = landmarks_of
) -> LandmarkBasis:
    """Find the basis of `head` around the shape `origin` [S] (the mean if None), with its first `components` shape
    components (0: the shape is frozen), for its landmarks or other `points`.

    Raises:
        ArtifactMismatch: the head model is not of the form above (the check at unseen settings fails).
    """
    components = min(components, head.shape_size)
    origin = torch.zeros(head.shape_size) if origin is None else origin
    shape, expression = _settings(head, components, origin)

    def columns(joints: Tensor) -> Tensor:
        located = _located(points, head, shape, expression, joints).double()
        return torch.cat([located[:1], located[1:] - located[:1]]).permute(1, 2, 0)

    generator = torch.Generator().manual_seed(seed)
    rest = columns(torch.zeros(3, 3))
    found = []
    for index, name in enumerate(JOINTS):
        samples = (torch.rand(SAMPLES, 3, generator=generator, dtype=torch.float64) * 2 - 1) * SAMPLE_RAD
        effects = []
        for q in samples:
            joints = torch.zeros(3, 3)
            joints[index] = q.float()
            effects.append(columns(joints) - rest)
        stack = torch.stack(effects)
        solution = torch.linalg.pinv(joint_features(samples), rtol=1e-5) @ stack.flatten(1)
        coefficients = solution.reshape(FEATURES, *rest.shape)
        moved = (stack.abs().amax((0, 2, 3)) > 1e-7).nonzero()[:, 0]
        found.append(Joint(name, moved, coefficients[:, moved].float()))
    basis = LandmarkBasis(rest.float(), tuple(found), components)
    _check(head, basis, origin, generator, points)
    return basis


def _check(head: HeadModel, basis: LandmarkBasis, origin: Tensor, generator: torch.Generator, points: Points) -> None:
    """Compare the basis with the model at random settings."""
    worst = 0.0
    for _ in range(3):
        coefficients = torch.randn(basis.shape_size, generator=generator)
        shape = origin.float()[None].clone()
        shape[0, : basis.shape_size] += coefficients
        expression = torch.rand(1, basis.expression_size, generator=generator) * 0.5
        joints = (torch.rand(3, 3, generator=generator) * 2 - 1) * 0.2
        truth = _located(points, head, shape, expression, joints)
        motion = torch.cat([expression, joints.reshape(1, 9)], -1)
        offsets = torch.zeros(len(basis.coefficients), 3)
        worst = max(
            worst, float((basis.posed(shape[0, : basis.shape_size], offsets).points(motion) - truth).abs().max())
        )
    if worst > TOLERANCE_M:
        raise ArtifactMismatch(
            f"head model {head.name}: its points differ by {worst * 1000:.3f} mm from a basis linear in shape and "
            f"expression (expected at most {TOLERANCE_M * 1000:.3f} mm); the tracker cannot fit this head model"
        )
