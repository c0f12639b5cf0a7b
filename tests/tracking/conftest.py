import numpy as np
import pytest
import torch

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.landmark_embedding import LandmarkEmbedding

UNITS = (
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFunnel",
    "browInnerUp",
    "noseSneerLeft",
    "tongueOut",
)


class ToyHead:
    """Points on half an ellipsoid with random smooth identity and expression, a hinged jaw and turning eyeballs."""

    name, shape_size, expression_names = "toy", 5, UNITS
    action_unit_names = ("AU12", "AU26")
    expression_limits = (torch.zeros(len(UNITS)), torch.ones(len(UNITS)))

    def __init__(self) -> None:
        random = np.random.default_rng(3)
        angle = random.uniform(-1.2, 1.2, (478, 2))
        skin = np.stack([np.sin(angle[:, 0]), np.sin(angle[:, 1]), np.cos(angle[:, 0]) * np.cos(angle[:, 1])], 1)
        skin *= [0.075, 0.1, 0.09]
        skin[33], skin[263] = [-0.045, 0.03, 0.065], [0.045, 0.03, 0.065]
        balls = [[side, 0.03, 0.055] + 0.012 * _unit(random.normal(size=(40, 3))) for side in (-0.03, 0.03)]
        self.neutral = torch.from_numpy(np.concatenate([skin, *balls])).float()
        count = len(self.neutral)
        smooth = torch.from_numpy(random.normal(size=(5 + len(UNITS), 6, 3))).float()
        waves = torch.sin(self.neutral @ torch.from_numpy(random.normal(size=(3, 6))).float() * 25)
        fields = torch.einsum("vw,kwc->kvc", waves, smooth) * 1.5e-3
        fields[5 + UNITS.index("tongueOut")] = 0
        self.shape_basis, self.unit_basis = fields[:5], 2 * fields[5:]
        self.jaw_weight = torch.sigmoid((-0.02 - self.neutral[:, 1]) * 200)
        self.eyeballs = tuple(torch.arange(478 + 40 * i, 478 + 40 * (i + 1)) for i in range(2))
        # MediaPipe's first iris is that of the right eye, which the camera sees at negative x.
        triangles = torch.arange(478)[:, None].repeat(1, 3)
        triangles[468:473], triangles[473:478] = self.eyeballs[0][:5, None], self.eyeballs[1][:5, None]
        weights = torch.tensor([1.0, 0, 0]).repeat(478, 1)
        self.embedding = LandmarkEmbedding(triangles, weights, torch.zeros(478, 3), torch.full((478,), 1e-3))
        self.faces = torch.from_numpy(random.integers(0, 478, (300, 3)))
        ball = torch.arange(count) >= 478
        names = {"eyeballs": ball, "skin": ~ball, "eyelids": ball & ~ball, "brows": ball & ~ball}
        self.vertex_regions = names

    def vertices(self, shape, expression, jaw, neck, eyes, rotation, translation):
        local = self.neutral + torch.einsum("bs,svc->bvc", shape, self.shape_basis)
        person = local
        local = local + torch.einsum("be,evc->bvc", expression, self.unit_basis)
        hinge = torch.tensor([0.0, -0.01, -0.01])
        turned = (local - hinge) @ axis_angle_to_matrix(jaw).mT + hinge
        local = torch.lerp(local, turned, self.jaw_weight[:, None])
        for index, turn in zip((self.eyeballs[1], self.eyeballs[0]), eyes.unflatten(-1, (2, 3)).unbind(1), strict=True):
            centre = person[:, index].mean(1, keepdim=True)
            moved = centre + (person[:, index] - centre) @ axis_angle_to_matrix(turn).mT
            local = local.index_copy(1, index, moved)
        return local @ axis_angle_to_matrix(rotation).mT + translation[:, None]

    def landmarks(self, vertices, offsets=None, rotation=None):
        points = self.embedding.surface_points(vertices)
        return points if offsets is None else points + offsets @ axis_angle_to_matrix(rotation).mT

    def action_units(self, expression, jaw):
        smile = expression[:, [2, 3]].mean(1)
        return 5 * torch.stack([smile, jaw[:, 0] / 0.4], 1).clamp(0, 1)


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def toy_head():
    torch.set_num_threads(1)
    return ToyHead()
