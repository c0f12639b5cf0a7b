"""A file whose sha256 the manifest cannot state: seen first, accepted by its digest, checked from then on."""

import hashlib
import json

import pytest

from emotag.__main__ import main
from emotag.errors import AssetMissing, ConfigError
from emotag.io.assets import Asset, state_of
from emotag.workflow.acceptance import accept
from emotag.workflow.assets import check_assets, read_manifest

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ICT = {"head": {"model": "ict"}}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a manifest of one file at an address, which the address gives, and one put there by hand."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "served").write_bytes(CONTENT)
    entries = {
        "net.bin": {"what": "a net", "licence": "MIT", "source": {"url": (tmp_path / "served").as_uri()}},
        "table.pkl": {"what": "a table", "licence": "X", "accept_by": "you", "source": {"by_hand": "ask its authors"}},
        "known.bin": {"what": "b", "licence": "MIT", "sha256": "0" * 64, "source": {"url": "file:///nowhere"}},
    }
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "assets.yaml").write_text(json.dumps(entries))
    return tmp_path


def manifest(here):
    return read_manifest(here / "data" / "assets.yaml")


def test_it_is_shown_first_and_used_only_when_its_digest_is_given(here, capsys):
    assert main(["accept", "net.bin"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("a net", "MIT", "served", DIGEST, f"accept net.bin --sha256 {DIGEST}"))
    assert not (here / "data" / "assets.lock.json").exists() and manifest(here)["net.bin"].unchecked
    assert (
        state_of(manifest(here)["net.bin"], [here / "data" / "by_hand"])
        == f"present, sha256 {DIGEST[:12]} not accepted"
    )

    assert main(["accept", "net.bin", "--sha256", "0" * 64]) == 2
    assert DIGEST in capsys.readouterr().err and manifest(here)["net.bin"].unchecked

    assert main(["accept", "net.bin", "--sha256", DIGEST.upper()]) == 0
    assert manifest(here)["net.bin"].sha256 == DIGEST and not manifest(here)["net.bin"].unchecked
    assert state_of(manifest(here)["net.bin"], [here / "data" / "by_hand"]) == "present"
    check_assets(manifest(here), here / "data" / "assets")


def test_another_file_is_refused_from_then_on(here):
    assert main(["accept", "net.bin", "--sha256", DIGEST]) == 0
    (here / "data" / "by_hand" / "net.bin").write_bytes(b"changed")
    assert state_of(manifest(here)["net.bin"], [here / "data" / "by_hand"]) == "wrong sha256"
    with pytest.raises(AssetMissing, match=DIGEST):
        check_assets(manifest(here), here / "data" / "assets")


def test_what_was_accepted_from_elsewhere_counts_for_nothing(here):
    assert main(["accept", "net.bin", "--sha256", DIGEST]) == 0
    path = here / "data" / "assets.yaml"
    path.write_text(path.read_text().replace("/served", "/other"))
    assert manifest(here)["net.bin"].unchecked


def test_a_file_put_there_by_hand_can_be_accepted_too(here, capsys):
    assert main(["accept", "table.pkl"]) == 2
    assert "ask its authors" in capsys.readouterr().err
    (here / "data" / "by_hand").mkdir(exist_ok=True)
    (here / "data" / "by_hand" / "table.pkl").write_bytes(CONTENT)
    assert main(["accept", "table.pkl", "--sha256", DIGEST]) == 0
    assert "to be accepted by you" in capsys.readouterr().out
    (here / "data" / "by_hand" / "table.pkl").write_bytes(b"changed")
    with pytest.raises(AssetMissing, match=r"table\.pkl: found sha256"):
        check_assets(manifest(here), here / "data" / "assets")


@pytest.mark.parametrize("name", ["known.bin", "absent"])
def test_there_is_nothing_to_accept_of_others(here, name, capsys):
    assert main(["accept", name, "--sha256", DIGEST]) == 2
    assert name in capsys.readouterr().err


def test_a_model_folder_is_told_by_its_revision(here):
    hub = Asset(name="m", what="m", licence="MIT", source={"hub": "a/m", "revision": "a" * 40})
    with pytest.raises(ConfigError, match="nothing to accept"):
        list(accept(hub, here, here / "lock", DIGEST))


@pytest.mark.parametrize("text", ["{", "[]", '{"net.bin": 1}', '{"net.bin": {"sha256": "x"}}'])
def test_a_broken_record_is_named(here, text):
    (here / "data" / "assets.lock.json").write_text(text)
    with pytest.raises(Exception, match=r"assets\.lock\.json"):
        manifest(here)


def test_a_run_that_needs_it_is_refused_before_any_work(copy):
    """With the file in place and not accepted, then accepted, then exchanged."""
    place = copy.path / "data" / "by_hand" / "ICT-FaceKit.zip"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(CONTENT)
    asked = ("adapt_identity", "--config", json.dumps(ICT)[1:-1].replace('"head": ', "head="))
    done = copy.snakemake("-n", *asked)
    assert done.returncode == 2 and "python -m emotag accept ICT-FaceKit.zip" in done.stdout, done.stdout
    asset = read_manifest(copy.path / "data" / "assets.yaml", copy.path / "none")["ICT-FaceKit.zip"]
    list(accept(asset, place.parent, copy.path / "data" / "assets.lock.json", DIGEST))
    assert copy.jobs(*asked)["ict"] == 1
    table = copy.snakemake("assets", *asked[1:]).stdout
    row = next(line for line in table.splitlines() if line.startswith("ICT-FaceKit.zip "))
    assert row.split("  ")[1:] and " present " in row and "needs it" in row and "accept" not in row
    place.write_bytes(b"changed")
    done = copy.snakemake("-n", *asked)
    assert done.returncode == 2 and f"expected {DIGEST}" in done.stdout
