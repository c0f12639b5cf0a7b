"""FLAME's pickle and ICT-FaceKit's arrays, made of the MakeHuman head's surface: other topologies of a known face."""

import pickle

import numpy as np
import pytest

from emotag.head import flame_source, ict_source
from emotag.head.arkit import ArkitHead
from emotag.head.flame_build import build as build_flame
from emotag.head.flame_head import FlameHead
from emotag.head.ict_build import build as build_ict
from emotag.head.landmark_sets import IBUG_INNER_51
from emotag.head.registration import Surface, register, transferred_landmarks
from flame_files import FLAME_UNITS, flame_pickle


@pytest.fixture(scope="session")
def flame_file(head, tmp_path_factory):
    path = tmp_path_factory.mktemp("flame") / "flame2023_Open.pkl"
    path.write_bytes(pickle.dumps(flame_pickle(head), 2))
    return path


@pytest.fixture(scope="session")
def flame_data(head, flame_file):
    return build_flame(flame_source.read(flame_file), head, "flame2023open", FLAME_UNITS)


@pytest.fixture(scope="session")
def flame_head(flame_data):
    return FlameHead(flame_data)


def quads(faces):
    """The quads [Q, 4] of which `emotag.head.makehuman_build.cut` made triangles, such that corners 0, 1, 2 and 0, 2, 3 give
    the same triangles."""
    first, second = faces.reshape(-1, 2, 3).transpose(1, 0, 2)
    short = first[:, 0] == second[:, 0]
    return np.where(short[:, None], np.column_stack([first, second[:, 2]]), np.column_stack([second, first[:, 0]]))


def ict_arrays(head):
    """The MakeHuman head in ICT-FaceKit's order of parts and vertices and under its names."""
    label = head.data.face_part[::2]
    parts = list(head.face_regions)
    of = {
        "face": ("skin", "lips", "eyelids", "brows"), "head_and_neck": ("neck", "scalp", "ears"),
        "mouth_socket": ("mouth_interior",), "gums_and_tongue": ("tongue",), "teeth": ("teeth",),
        "lashes_left": ("lashes",), "lashes_right": (),
    }  # fmt: skip
    polygons, found, ranges = quads(head.faces.numpy()), [], {}
    for name, regions in of.items():
        chosen = polygons[np.isin(label, [parts.index(region) for region in regions])]
        start = sum(map(len, found))
        ranges[name] = (start, start + len(chosen))
        found.append(chosen)
    moves = np.linalg.norm(head.data.jaw_basis[0], axis=1) > 1e-3
    lower = head.vertex_regions["teeth"].numpy() & moves
    order = np.concatenate(
        [np.flatnonzero(~lower & ~head.data.eyeball.any(0)), np.flatnonzero(lower)]
        + [np.flatnonzero(mask) for mask in head.data.eyeball]
    )
    number = np.argsort(order)
    ends = np.cumsum([len(order) - lower.sum() - head.data.eyeball.sum(), lower.sum(), *head.data.eyeball.sum(1)])
    neutral = head.neutral.double().numpy()[order]
    points = head.landmarks(head.neutral[None])[0].double().numpy()
    skin = np.unique(number[np.concatenate(found[:1])])
    inner = [int(skin[np.linalg.norm(neutral[skin] - points[i], axis=1).argmin()]) for i in IBUG_INNER_51]
    polygons = number[np.concatenate(found)]
    layout = ict_source.Layout(
        vertices=len(neutral),
        polygons=len(polygons),
        identities=12,
        parts=ranges,
        scleras=((int(ends[1]), int(ends[2])), (int(ends[2]), int(ends[3]))),
        lower_teeth=(int(ends[0]), int(ends[1])),
        inner_51=tuple(inner),
    )
    units = dict(zip(head.expression_names, head.data.expression_basis, strict=True))
    units |= {"jawOpen": head.jaw_limits[0] * head.data.jaw_basis[0]}
    units |= {f"jaw{side}": s * head.jaw_limits[1] * head.data.jaw_basis[1] for side, s in (("Left", 1), ("Right", -1))}
    units |= {name: 0.45 * lid for name, lid in zip(head.data.lid_names, head.data.lid_basis, strict=True)}
    units.pop("tongueOut")
    for name in ("browInnerUp", "cheekPuff"):
        whole = units.pop(name)
        side = 1 / (1 + np.exp(-head.neutral.numpy()[:, :1] / 5e-3))
        units |= {name + "_L": whole * side, name + "_R": whole * (1 - side)}
    mouth = ("mouthLeft", "mouthRight", "jawLeft", "jawRight")
    files = {
        name if name in mouth else name.replace("Left", "_L").replace("Right", "_R"): shape[order].astype(float)
        for name, shape in units.items()
    }
    uv = np.zeros((len(polygons), 4, 2), np.float32)
    identity = head.data.shape_basis[:12][:, order].astype(float)
    return ict_source.IctArrays(layout, neutral, polygons, uv, identity, files)


@pytest.fixture(scope="session")
def ict_source_arrays(head):
    return ict_arrays(head)


@pytest.fixture(scope="session")
def ict_data(head, ict_source_arrays):
    return build_ict(ict_source_arrays, head)


@pytest.fixture(scope="session")
def ict_head(head, ict_data):
    """The shipped landmarks are for the true topology; here they are carried over."""
    surface = Surface(ict_data.neutral.astype(float), ict_data.faces, ict_data.eyeball, {})
    return ArkitHead(ict_data, embedding=transferred_landmarks(register(head, surface), surface))
