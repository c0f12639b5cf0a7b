"""The MakeHuman head laid onto another person of another topology must find its own landmarks and regions again."""

import numpy as np
import pytest
import torch

from emotag.head.regions import PARTS
from emotag.head.registration import Surface, register, transferred_labels, transferred_landmarks

SCALE, SHIFT = 1.08, np.array([0.01, -0.03, 0.05])


@pytest.fixture(scope="module")
def truth(head):
    """Somebody else, bigger and elsewhere; every triangle is divided in three at its middle."""
    rng = np.random.default_rng(4)
    person = head.neutral.numpy() + np.tensordot(0.7 * rng.normal(size=30), head.data.shape_basis[:30], 1)
    person = SCALE * person.astype(np.float64) + SHIFT
    faces = head.faces.numpy()
    middle = np.arange(len(faces)) + len(person)
    vertices = np.concatenate([person, person[faces].mean(1)])
    divided = np.concatenate([np.column_stack([faces[:, [i, (i + 1) % 3]], middle]) for i in range(3)])
    ball = np.pad(head.data.eyeball, ((0, 0), (0, len(faces))))
    ball[:, middle] = head.data.eyeball[:, faces].all(2)
    outer = ~torch.stack([head.face_regions[n] for n in ("teeth", "tongue", "lashes")]).any(0).numpy()
    return Surface(vertices, divided[np.tile(outer, 3)], ball, {}), person, np.tile(head.data.face_part[outer], 3)


def test_finds_landmarks_and_regions_of_another_person(head, truth):
    surface, person, labels = truth
    registered = register(head, surface)
    assert registered.scale == pytest.approx(SCALE, rel=0.08)
    table = transferred_landmarks(registered, surface)
    found = table.surface_points(torch.from_numpy(surface.vertices)[None].float())[0].numpy()
    expected = head.embedding.surface_points(torch.from_numpy(person)[None].float())[0].numpy()
    error = 1000 * np.linalg.norm(found - expected, axis=1)
    assert np.median(error) < 1.5 and np.percentile(error, 95) < 6
    transferred, front = transferred_labels(registered, surface)
    for name, share in (("lips", 0.7), ("eyelids", 0.7), ("ears", 0.8), ("eyeballs", 1.0), ("scalp", 0.8)):
        own = labels == PARTS.index(name)
        assert (transferred[own] == PARTS.index(name)).mean() >= share, name
    assert front[labels == PARTS.index("lips")].mean() > 0.8 and not front[labels == PARTS.index("eyeballs")].any()


def test_anchors_pull_the_landmarks(head, truth):
    surface, person, _ = truth
    own = head.embedding.surface_points(torch.from_numpy(person)[None].float())[0].numpy()
    named = list(range(0, 468, 9))
    anchored = Surface(surface.vertices, surface.faces, surface.eyeball, {i: own[i] for i in named})
    errors = []
    for target in (surface, anchored):
        table = transferred_landmarks(register(head, target), target)
        found = table.surface_points(torch.from_numpy(target.vertices)[None].float())[0].numpy()
        errors.append(np.linalg.norm(found - own, axis=1)[named].mean())
    assert errors[1] < 0.7 * errors[0]
