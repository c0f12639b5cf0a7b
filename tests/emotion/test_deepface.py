"""DeepFace's emotion network against numpy in Keras' own layout, from a file as `save_weights` writes it."""

import h5py
import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from emotag.emotion import deepface
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.landmark_sets import FACE_OVAL
from emotag.types import EMOTIONS

SHAPES = {
    "conv2d_1": (5, 5, 1, 64), "conv2d_2": (3, 3, 64, 64), "conv2d_3": (3, 3, 64, 64), "conv2d_4": (3, 3, 64, 128),
    "conv2d_5": (3, 3, 128, 128), "dense_1": (128, 1024), "dense_2": (1024, 1024), "dense_3": (1024, 7),
}  # fmt: skip
LAYERS = [
    "conv2d_1", "max_pooling2d_1", "conv2d_2", "conv2d_3", "average_pooling2d_1", "conv2d_4", "conv2d_5",
    "average_pooling2d_2", "flatten_1", "dense_1", "dropout_1", "dense_2", "dropout_2", "dense_3",
]  # fmt: skip


def random_weights() -> dict[str, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return {
        name: [
            (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))).astype(np.float32),
            rng.normal(size=shape[-1]).astype(np.float32) * 0.1,
        ]
        for name, shape in SHAPES.items()
    }


def write(path, weights, layers=LAYERS, inside=None):
    """As Keras 2 does: names as bytes in attributes, datasets in a group of the layer's name within its group."""
    with h5py.File(path, "w") as file:
        root = file.create_group(inside) if inside else file
        root.attrs["layer_names"] = np.array([name.encode() for name in layers])
        root.attrs["backend"] = b"tensorflow"
        for layer in layers:
            group = root.create_group(layer)
            arrays = dict(zip((f"{layer}/kernel:0", f"{layer}/bias:0"), weights.get(layer, []), strict=False))
            group.attrs["weight_names"] = np.array([name.encode() for name in arrays])
            for name, array in arrays.items():
                group[name] = array
    return path


def convolve(x, kernel, bias):
    """[H, W, in] to [H', W', out], valid, as Keras' Conv2D with ReLU."""
    windows = sliding_window_view(x, kernel.shape[:2], (0, 1))
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + bias, 0)


def pool(x, size, reduce):
    return reduce(sliding_window_view(x, (size, size), (0, 1))[::2, ::2], (3, 4))


def by_hand(weights, grey):
    x = pool(convolve(grey[..., None], *weights["conv2d_1"]), 5, np.max)
    x = pool(convolve(convolve(x, *weights["conv2d_2"]), *weights["conv2d_3"]), 3, np.mean)
    x = pool(convolve(convolve(x, *weights["conv2d_4"]), *weights["conv2d_5"]), 3, np.mean).reshape(-1)
    for name in ("dense_1", "dense_2"):
        x = np.maximum(x @ weights[name][0] + weights[name][1], 0)
    return x @ weights["dense_3"][0] + weights["dense_3"][1]


@pytest.mark.parametrize("inside", [None, "model_weights"])
def test_equals_numpy_in_keras_layout(tmp_path, inside):
    weights = random_weights()
    network = deepface.load(write(tmp_path / "w.h5", weights, inside=inside))
    grey = np.random.default_rng(1).uniform(0, 1, (48, 48)).astype(np.float32)
    with torch.no_grad():
        logits = network(torch.from_numpy(grey)[None, None])[0].numpy()
    np.testing.assert_allclose(logits, by_hand(weights, grey), rtol=1e-3, atol=1e-4)


def test_equals_keras_itself(tmp_path, monkeypatch):
    """Where keras is installed (optional; torch is its back end): it writes the file and runs the network."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    kinds = keras.layers
    convolutions = [
        kinds.Conv2D(width, size, activation="relu") for width, size in ((64, 5), *[(64, 3)] * 2, *[(128, 3)] * 2)
    ]
    model = keras.Sequential([
        keras.Input((48, 48, 1)), convolutions[0], kinds.MaxPooling2D(5, 2), *convolutions[1:3], kinds.AveragePooling2D(3, 2),
        *convolutions[3:], kinds.AveragePooling2D(3, 2), kinds.Flatten(), kinds.Dense(1024, activation="relu"),
        kinds.Dropout(0.2), kinds.Dense(1024, activation="relu"), kinds.Dropout(0.2), kinds.Dense(7, activation="softmax"),
    ])  # fmt: skip
    for variable, array in zip(model.weights, (a for pair in random_weights().values() for a in pair), strict=True):
        variable.assign(array)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        save_weights_to_hdf5_group(file, model)
    grey = np.random.default_rng(1).uniform(0, 1, (2, 48, 48, 1)).astype(np.float32)
    with torch.no_grad():
        ours = deepface.load(tmp_path / "w.h5")(torch.from_numpy(grey).permute(0, 3, 1, 2)).softmax(1).numpy()
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(model(grey)), atol=1e-5)


def mesh(left, top, width, height, tilt=0.0):
    """An upright oval with eyes, turned about its centre by `tilt` rad (clockwise in the picture)."""
    points = np.zeros((478, 3))
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL), :2] = np.stack([np.cos(angle) * width / 2, np.sin(angle) * height / 2], 1)
    points[33, :2], points[263, :2] = [-width / 4, 0], [width / 4, 0]
    c, s = np.cos(tilt), np.sin(tilt)
    points[:, :2] = points[:, :2] @ np.array([[c, s], [-s, c]]) + [left + width / 2, top + height / 2]
    return points


def test_narrow_face_stands_between_black():
    frame = np.full((200, 200, 3), 255, np.uint8)
    face = deepface.level_face(frame, mesh(50, 40, 60, 120))
    bright = face > 0.5
    assert bright[24].sum() == 24 and bright[:, 24].all() and not bright[:, :11].any()


def test_tilted_head_is_levelled():
    """A picture that depends on the height within the upright face must come out the same after turning the head."""
    y, x = np.mgrid[:300, :300]

    def picture(tilt):
        height = -np.sin(tilt) * (x + 0.5 - 150) + np.cos(tilt) * (y + 0.5 - 150)
        return np.repeat((128 + 0.8 * height).clip(0, 255).astype(np.uint8)[..., None], 3, 2)

    upright = deepface.level_face(picture(0.0), mesh(100, 80, 100, 140))
    tilted = deepface.level_face(picture(0.3), mesh(100, 80, 100, 140, tilt=0.3))
    inside = (upright > 0) & (tilted > 0)
    assert inside.mean() > 0.6
    np.testing.assert_allclose(tilted[inside], upright[inside], atol=0.02)


def test_probabilities_do_not_depend_on_batching(tmp_path):
    network = deepface.load(write(tmp_path / "w.h5", random_weights()))
    frames = [np.random.default_rng(i).integers(0, 255, (80, 80, 3), np.uint8) for i in range(35)]
    points = np.stack([mesh(10, 10, 60, 60)] * 35)
    together = deepface.probabilities(network, frames, points)
    assert together.shape == (35, len(EMOTIONS))
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(deepface.probabilities(network, frames[33:34], points[:1])[0], together[33], atol=1e-5)


def test_missing_and_wrong_files_are_refused(tmp_path):
    with pytest.raises(AssetMissing, match="by_hand"):
        deepface.load(tmp_path / "w.h5")
    (tmp_path / "w.h5").write_bytes(b"no model")
    with pytest.raises(ArtifactMismatch, match="not DeepFace's"):
        deepface.load(tmp_path / "w.h5")
    weights = random_weights()
    with pytest.raises(ArtifactMismatch, match="found 7 layers"):
        deepface.load(write(tmp_path / "a.h5", {name: weights[name] for name in list(SHAPES)[:-1]}))
    weights["dense_3"] = [np.zeros((1024, 8), np.float32), np.zeros(8, np.float32)]
    with pytest.raises(ArtifactMismatch, match="size mismatch"):
        deepface.load(write(tmp_path / "b.h5", weights))
