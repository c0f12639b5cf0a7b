"""Readers on arbitrary and on spoilt input: what was written comes back, or a line says that it cannot be read."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotag.artifacts import Landmarks
from emotag.audio import ctranslate2
from emotag.complaints import check_keys
from emotag.errors import ArtifactMismatch, ConfigError, EmotagError
from emotag.io.artifact import read_json
from emotag.project import Config, resolve
from emotag.report import ratings
from emotag.tracking import openface
from emotag.training.watch import last_lines
from emotag.workflow.assets import read_manifest
from emotag.yaml_files import load_files

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
    | st.sampled_from(["me", "me.mp4", "../x", "$(touch x)", "\x00", "\ud800", 1e308, -1])
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=10,
)
sections = st.sampled_from(sorted(Config.model_fields))
keys = st.sampled_from(
    sorted({key for field in Config.model_fields.values() for key in getattr(field.annotation, "model_fields", {})})
)
configurations = st.dictionaries(sections, trees | st.dictionaries(keys, scalars, max_size=3), max_size=4)
people = st.fixed_dictionaries(
    {"source": scalars, "licence": scalars, "consent": trees},
    optional={"video": trees, "clips": trees, "adapt_on": trees, "test_on": trees, "person": scalars},
)


def one_line(error: EmotagError) -> bool:
    return len(str(error)) > 10


@FEW
@given(configurations)
def test_any_tree_is_a_configuration_or_named(tree):
    try:
        assert isinstance(resolve(tree, cuda=False), Config)
    except EmotagError as error:
        assert one_line(error)


@FEW
@given(st.dictionaries(scalars, people | trees, max_size=2))
def test_any_people_are_identities_or_named(identities):
    try:
        config = resolve({"identities": identities}, cuda=False)
    except EmotagError as error:
        assert one_line(error)
    else:
        assert all("/" not in name and name not in (".", "..") for name in config.identities)


@FEW
@given(st.binary(max_size=60) | trees.map(lambda tree: yaml.safe_dump(tree).encode("utf-8", "surrogatepass")))
def test_any_bytes_are_keys_and_values_or_named(tmp_path, content):
    (tmp_path / "mine.yaml").write_bytes(content)
    try:
        check_keys(load_files([tmp_path / "mine.yaml"]))
    except ConfigError as error:
        assert one_line(error)


@FEW
@given(
    st.dictionaries(
        st.text(max_size=6), trees | st.fixed_dictionaries({"source": trees, "sha256": scalars}), max_size=2
    )
)
def test_any_manifest_is_assets_or_named(tmp_path, tree):
    (tmp_path / "assets.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8", errors="surrogatepass")
    try:
        assert all(asset.sha256 for asset in read_manifest(tmp_path / "assets.yaml").values())
    except EmotagError as error:
        assert str(tmp_path / "assets.yaml") in str(error)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    points = np.arange(2 * 478 * 3, dtype=np.float32).reshape(2, 478, 3)
    path = tmp_path_factory.mktemp("whole") / "l"
    Landmarks(points, np.ones(2, np.float32), np.zeros(2, bool), 64, 64).save(path, {"stage": "x"})
    return path.read_bytes()


def same(path: Path, whole: bytes) -> bool:
    found = Landmarks.load(path)
    return (found.width, found.height, found.points.sum()) == (64, 64, np.arange(2 * 478 * 3).sum())


@FEW
@given(st.data())
def test_a_spoilt_artifact_is_never_taken_as_good(tmp_path, whole, data):
    """Bytes changed, cut out, added or doubled: the header lies in the first 700 bytes, where most is tried."""
    position = data.draw(st.integers(0, 700) | st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(1, 30))
    kind = data.draw(st.sampled_from(["flip", "replace", "cut", "end", "double"]))
    part = whole[position : position + length]
    middle = {
        "flip": bytes([part[0] ^ 1 << data.draw(st.integers(0, 7))]) + part[1:],
        "replace": data.draw(st.binary(min_size=len(part), max_size=len(part))),
        "cut": b"",
        "double": part + part,
        "end": b"",
    }[kind]
    content = whole[:position] + middle + (b"" if kind == "end" else whole[position + length :])
    (tmp_path / "l").write_bytes(content)
    try:
        assert content == whole or same(tmp_path / "l", whole)
    except ArtifactMismatch as error:
        assert str(tmp_path / "l") in str(error)


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_are_no_artifact_but_named(tmp_path, content):
    (tmp_path / "l").write_bytes(content)
    with pytest.raises(ArtifactMismatch):
        Landmarks.load(tmp_path / "l")


@FEW
@given(st.binary(max_size=60) | trees.map(lambda tree: json.dumps(tree, default=str, skipkeys=True).encode()))
def test_any_json_is_an_object_or_named(tmp_path, content):
    (tmp_path / "j").write_bytes(content)
    try:
        assert isinstance(read_json(tmp_path / "j"), dict)
    except ArtifactMismatch as error:
        assert str(tmp_path / "j") in str(error)


@FEW
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b'{"step": 1, "total": 2, "phase": "a", "losses": {}}'])))
def test_progress_is_read_whatever_stands_between(tmp_path, lines):
    (tmp_path / "p").write_bytes(b"\n".join(lines))
    assert all(line["step"] for line in last_lines(tmp_path / "p"))


cells = st.sampled_from(["1", "5", "0.96", "nan", "1e400", "", "c001", "s1", "ann", '"', "\x00"]) | st.text(max_size=4)
HEADERS = {
    "openface": [*openface.QUALITY, *(f"{name}_r" for name in openface.NAMES)],
    "ratings": ["study", "rater", "clip", "emotion"],
}


def tables(kind):
    """The right header, mostly, over rows of anything."""
    rows = st.lists(st.lists(cells, max_size=len(HEADERS[kind]) + 1), max_size=3)
    text = rows.map(
        lambda lines: "\n".join(",".join(line) for line in [HEADERS[kind], *lines]).encode("utf-8", "replace")
    )
    return st.binary(max_size=60) | text | text.map(lambda whole: whole[:-3] + b"\xff")


@FEW
@given(tables("openface"))
def test_any_csv_of_openface_is_a_table_or_named(tmp_path, content):
    (tmp_path / "o.csv").write_bytes(content)
    try:
        assert np.isfinite(openface.read(tmp_path / "o.csv", 0.5).intensity).all()
    except ArtifactMismatch as error:
        assert str(tmp_path / "o.csv") in str(error)


@FEW
@given(tables("ratings"))
def test_any_csv_of_a_rater_is_ratings_or_named(tmp_path, content):
    (tmp_path / "r.csv").write_bytes(content)
    key = {"study": "s1", "questions": ["emotion"], "clips": {"c001": {"method": "avatar", "content": "me/self"}}}
    try:
        assert all(row["emotion"] in range(1, 6) for row in ratings.read([tmp_path / "r.csv"], key))
    except ArtifactMismatch as error:
        assert str(tmp_path / "r.csv") in str(error)


def model() -> bytes:
    """A CTranslate2 file of two arrays."""

    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    arrays = [("encoder/a", np.arange(6, dtype="<f4").reshape(2, 3), 0), ("decoder/b", np.zeros(2, "<i1"), 1)]
    content = struct.pack("<I", 6) + text("Spec") + struct.pack("<2I", 1, len(arrays))
    for name, array, kind in arrays:
        shape = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        content += text(name) + shape + struct.pack("<BI", kind, array.nbytes) + array.tobytes()
    return content


@FEW
@given(st.integers(0, len(model()) - 1), st.binary(min_size=0, max_size=12))
def test_a_spoilt_model_file_is_arrays_or_named(tmp_path, position, middle):
    whole = model()
    (tmp_path / "m").write_bytes(whole[:position] + middle + whole[position + 4 :])
    try:
        assert all(isinstance(array, np.ndarray) for array in ctranslate2.read(tmp_path / "m", "encoder/").values())
    except ArtifactMismatch as error:
        assert str(tmp_path / "m") in str(error)
