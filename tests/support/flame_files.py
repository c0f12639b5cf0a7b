"""FLAME's files as its authors hand them on, made of the MakeHuman head's surface."""

import pickle

import numpy as np
import torch

from emotag.geometry.closest import closest_on_mesh
from emotag.head.landmark_sets import IBUG_68

FLAME_UNITS = 30


def flame_pickle(head, seed=0):
    """FLAME's arrays by their names in the pickle: skin and eyeballs of the MakeHuman head of another person, whose units (a
    quarter each) are the first expression components."""
    rng = np.random.default_rng(seed)
    kept = torch.stack([head.vertex_regions[n] for n in ("teeth", "tongue", "lashes")]).any(0).logical_not().numpy()
    number = np.cumsum(kept) - 1
    faces = head.faces.numpy()
    faces = number[faces[kept[faces].all(1)]]
    neutral = flame_person(head, seed)
    rng.normal(size=20)
    ball = head.data.eyeball[:, kept]
    jaw = np.linalg.norm(head.data.jaw_basis[0], axis=1)
    jaw = np.clip(jaw / np.percentile(jaw, 98), 0, 1)[kept]
    root = 1 - head.data.root_share[kept]
    weights = np.stack([root, (1 - root) * (1 - jaw), (1 - root) * jaw, *np.zeros((2, kept.sum()))], 1)
    for side in range(2):
        weights[ball[side]] = np.eye(5)[3 + side]
    regressor = np.zeros((5, kept.sum()))
    low = np.argsort(neutral[kept][:, 1])[:50]
    ears = np.flatnonzero(head.vertex_regions["ears"].numpy()[kept])
    for joint, index in enumerate((low, ears, ears, *(np.flatnonzero(mask) for mask in ball))):
        regressor[joint, index] = 1 / len(index)
    shape = np.zeros((kept.sum(), 3, 400))
    shape[..., :100] = head.data.shape_basis[:, kept].transpose(1, 2, 0)
    shape[..., 300 : 300 + FLAME_UNITS] = 0.25 * head.data.expression_basis[:FLAME_UNITS, kept].transpose(1, 2, 0)
    smooth = np.sin(neutral[kept] @ rng.normal(0, 20, (3, 36)))[:, None] * rng.normal(0, 3e-4, (1, 3, 36))
    smooth[ball.any(0)] = 0
    return {
        "v_template": neutral[kept],
        "f": faces.astype(np.uint32),
        "shapedirs": shape,
        "posedirs": smooth,
        "J_regressor": regressor,
        "weights": weights,
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], np.uint32),
    }


def flame_person(head, seed=0):
    """Vertices [V, 3] m of the MakeHuman head whose skin and eyeballs `flame_pickle` takes."""
    return head.neutral.numpy() + np.tensordot(
        0.5 * np.random.default_rng(seed).normal(size=20), head.data.shape_basis[:20], 1
    )


def landmark_embedding(head, arrays, seed=0):
    """Content of `landmark_embedding.npy` for the surface of `flame_pickle`: the 68 points where the head has them; the contour
    a face further with every degree of yaw. Torch tensors where DECA's file has them."""
    vertices = torch.from_numpy(flame_person(head, seed)).float()
    points = head.landmarks(vertices[None])[0].double().numpy()[list(IBUG_68)]
    found = closest_on_mesh(points, arrays["v_template"], arrays["f"].astype(np.int64))
    face, weights = found.face, found.barycentric
    turned = np.stack([(face[:17] + yaw) % len(arrays["f"]) for yaw in range(79)])
    return {
        "static_lmk_faces_idx": face[17:].astype(np.uint32),
        "static_lmk_bary_coords": weights[17:],
        "dynamic_lmk_faces_idx": torch.from_numpy(turned),
        "dynamic_lmk_bary_coords": torch.from_numpy(np.stack([weights[:17]] * 79)),
        "full_lmk_faces_idx": face[None],
        "full_lmk_bary_coords": weights[None],
    }


def save_object(path, content, protocol=2):
    """An object array of no dimensions as `numpy.save` of Python 2 and 3 writes it, with a pickle of `protocol`."""
    array = np.array(content, dtype=object)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        pickle.dump(array, file, protocol)
    return path
