"""FLAME pickles as Python 2 wrote them, made here, and its surface against homogeneous matrices vertex by vertex."""

import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.spatial.transform import Rotation

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head import flame_source
from emotag.head.flame import FlameMesh
from emotag.head.flame_source import PARENTS

V, F = 40, 60


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    regressor = rng.random((5, V)) * (rng.random((5, V)) < 0.3) + 1e-3
    weights = rng.random((V, 5)) ** 4
    return {
        "v_template": rng.normal(0, 0.08, (V, 3)),
        "f": np.stack([rng.permutation(V)[:3] for _ in range(F)]).astype(np.uint32),
        "shapedirs": rng.normal(0, 0.003, (V, 3, 400)),
        "posedirs": rng.normal(0, 0.003, (V, 3, 36)),
        "J_regressor": regressor / regressor.sum(1, keepdims=True),
        "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], np.uint32),
    }


@pytest.fixture
def chumpy(monkeypatch):
    """A class that pickles under chumpy's name with the state chumpy has, while the file is written."""

    class Ch:
        def __init__(self, x):
            self.__dict__ = {"x": x, "_dirty_vars": {"x"}, "_itr": None, "_depends_on_deps": {}, "_make_dense": False}

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module = types.ModuleType("chumpy.ch")
    module.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    return Ch


def write(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("sparse", [scipy.sparse.csc_matrix, scipy.sparse.csr_matrix, np.asarray])
def test_every_form_of_the_pickle_gives_the_same_arrays(tmp_path, arrays, chumpy, protocol, sparse):
    content = arrays | {key: chumpy(arrays[key]) for key in ("shapedirs", "v_template", "posedirs")}
    content |= {"J_regressor": sparse(arrays["J_regressor"]), "bs_type": "lrotmin", "bs_style": "lbs"}
    data = flame_source.read(write(tmp_path / "generic_model.pkl", content, protocol))
    assert "chumpy" in sys.modules and data.edition == "generic_model"
    np.testing.assert_allclose(data.neutral, arrays["v_template"], rtol=1e-6)
    np.testing.assert_allclose(data.joint_regressor, arrays["J_regressor"], rtol=1e-6)
    np.testing.assert_allclose(data.shape_basis[299], arrays["shapedirs"][..., 299], rtol=1e-6)
    np.testing.assert_allclose(data.expression_basis[0], arrays["shapedirs"][..., 300], rtol=1e-6)
    assert data.shape_basis.shape == (300, V, 3) and data.expression_basis.shape == (100, V, 3)


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(5))
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, arrays, protocol):
    target = tmp_path / "made"
    path = write(tmp_path / "generic_model.pkl", arrays | {"extra": Payload(target)}, protocol)
    with pytest.raises(ArtifactMismatch, match="refused, because it names .*mkdir"):
        flame_source.read(path)
    assert not target.exists()


def test_objects_are_not_built_by_the_back_door(tmp_path):
    """copy_reg._reconstructor of an array type instead of a state."""
    code = b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR."
    (tmp_path / "a.pkl").write_bytes(code)
    with pytest.raises(ArtifactMismatch, match="refused, because it builds"):
        flame_source.read(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"weights": np.zeros((V, 24))}, "weights is"),
        ({"shapedirs": np.zeros((V, 3, 300))}, "shapedirs is"),
        ({"f": np.full((F, 3), V)}, "f is"),
        ({"kintree_table": np.zeros((2, 5), int)}, "joints hang on"),
    ],
)
def test_other_models_are_refused(tmp_path, arrays, change, match):
    with pytest.raises(ArtifactMismatch, match=match):
        flame_source.read(write(tmp_path / "a.pkl", arrays | change))
    with pytest.raises(ArtifactMismatch, match="found no posedirs"):
        flame_source.read(write(tmp_path / "a.pkl", {k: v for k, v in arrays.items() if k != "posedirs"}))
    with pytest.raises(AssetMissing):
        flame_source.read(tmp_path / "b.pkl")


def parameters(count=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    sizes = {"shape": 300, "expression": 100, "jaw": 3, "neck": 3, "eyes": 6, "rotation": 3, "translation": 3}
    return {name: 0.4 * torch.randn(count, size, generator=generator) for name, size in sizes.items()}


@pytest.fixture
def mesh(tmp_path, arrays):
    return FlameMesh(flame_source.read(write(tmp_path / "a.pkl", arrays)))


def by_matrices(arrays, values):
    """One head, by 4 x 4 matrices and scipy's rotations."""
    betas = np.concatenate([values["shape"], values["expression"]])
    person = arrays["v_template"] + arrays["shapedirs"] @ betas
    joints = arrays["J_regressor"] @ person
    angles = [values["rotation"], values["neck"], values["jaw"], values["eyes"][:3], values["eyes"][3:]]
    turns = [Rotation.from_rotvec(angle).as_matrix() for angle in angles]
    local = person + arrays["posedirs"] @ np.concatenate([(turn - np.eye(3)).ravel() for turn in turns[1:]])
    chain = []
    for joint, parent in enumerate(PARENTS):
        own = np.eye(4)
        own[:3, :3] = turns[joint]
        own[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        chain.append(chain[parent] @ own if parent >= 0 else own)
    for joint, matrix in enumerate(chain):
        away = np.eye(4)
        away[:3, 3] = -joints[joint]
        chain[joint] = matrix @ away
    homogeneous = np.column_stack([local, np.ones(V)])
    posed = sum(arrays["weights"][:, [j]] * (homogeneous @ matrix.T)[:, :3] for j, matrix in enumerate(chain))
    return posed + values["translation"]


def test_equals_skinning_by_matrices(mesh, arrays):
    values = parameters()
    posed = mesh.vertices(**values).numpy()
    for row in range(2):
        expected = by_matrices(arrays, {name: value[row].double().numpy() for name, value in values.items()})
        np.testing.assert_allclose(posed[row], expected, atol=2e-6)


def test_rotation_is_rigid_about_the_root(mesh):
    values = parameters()
    still = mesh.vertices(**(values | {"rotation": torch.zeros(2, 3), "translation": torch.zeros(2, 3)}))
    root = mesh.joints(values["shape"], values["expression"])[:, :1]
    turn = torch.from_numpy(Rotation.from_rotvec(values["rotation"].numpy()).as_matrix()).float()
    expected = (still - root) @ turn.transpose(1, 2) + root + values["translation"][:, None]
    assert torch.allclose(mesh.vertices(**values), expected, atol=2e-6)


def test_a_batch_is_its_rows_and_one_shape_serves_it(mesh):
    values = parameters(3)
    single = torch.cat([mesh.vertices(**{k: v[i : i + 1] for k, v in values.items()}) for i in range(3)])
    assert torch.allclose(mesh.vertices(**values), single, atol=1e-6)
    one = values["shape"][:1]
    shared = mesh.vertices(**(values | {"shape": one}))
    assert torch.allclose(shared, mesh.vertices(**(values | {"shape": one.expand(3, -1)})), atol=1e-6)


@pytest.mark.parametrize("name", ["shape", "expression", "jaw", "neck", "eyes", "rotation", "translation"])
def test_gradients_are_finite_differences(mesh, name):
    values = parameters(seed=7)
    generator = torch.Generator().manual_seed(8)
    weights, direction = torch.randn(2, V, 3, generator=generator), torch.randn(values[name].shape, generator=generator)
    at = values[name].clone().requires_grad_()
    (mesh.vertices(**(values | {name: at})) * weights).sum().backward()
    ends = [mesh.vertices(**(values | {name: values[name] + sign * 1e-2 * direction})) for sign in (1, -1)]
    numeric = ((ends[0].double() - ends[1].double()) * weights).sum() / 2e-2
    assert (at.grad * direction).sum().item() == pytest.approx(numeric.item(), rel=2e-2, abs=2e-3)
