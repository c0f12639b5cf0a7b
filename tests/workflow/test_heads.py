"""The head model is chosen by configuration, and what it needs is asked for before any work."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from emotag.errors import ConfigError
from emotag.project import check_corpus, resolve
from emotag.workflow.acceptance import accept
from emotag.workflow.assets import HEADS, needed, read_manifest
from emotag.workflow.elsewhere import made_elsewhere
from emotag.workflow.identities import Plan
from emotag.workflow.licences import terms

OF_CLIPS = {
    "identities": {"ann": {"video": "a.mp4", "source": "x", "licence": "x", "consent": "x"}},
    "corpus": {"clips": ["ann"], "synthetic": False},
}


@pytest.fixture(scope="module")
def manifest():
    return read_manifest(Path(__file__).resolve().parents[2] / "data" / "assets.yaml")


@pytest.mark.parametrize("model", HEADS)
def test_every_head_model_has_its_file_and_its_asset(manifest, model):
    config = resolve({"head": {"model": model}, **OF_CLIPS}, cuda=False)
    plan = Plan(config)
    assert plan.head() == f"results/head/{model}.safetensors"
    assert f"head={model} " in plan.providers(SimpleNamespace())
    assert HEADS[model] in needed(config, manifest)
    said = terms(config, manifest)
    assert HEADS[model] in said["licences"]
    assert ("non-commercial" in said["parts_allow"]) == (model in ("flame2020", "flame2023"))


def test_rules_follow_the_head_model(shared_copy):
    archive = shared_copy.path / "data" / "by_hand" / "ICT-FaceKit.zip"
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(b"as it is")
    asset = read_manifest(shared_copy.path / "data" / "assets.yaml")[archive.name]
    lock = shared_copy.path / "data" / "assets.lock.json"
    list(accept(asset, archive.parent, lock, hashlib.sha256(b"as it is").hexdigest()))
    jobs = shared_copy.jobs("adapt_identity", "--config", "head={model: ict}")
    assert jobs["ict"] == jobs["head"] == 1 and "flame" not in jobs
    assert "ict" not in shared_copy.jobs("adapt_identity")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"head": {"model": "flame2023"}}, "synthetic: false"),
        ({"track": {"provider": "vhap"}}, "choose a FLAME"),
        ({"head": {"model": "flame2020"}, "track": {"initialise": "blendshapes"}, **OF_CLIPS}, "say rest"),
        ({"head": {"model": "smpl"}}, "head.model"),
    ],
)
def test_parts_that_do_not_fit_are_refused(settings, match):
    with pytest.raises(ConfigError, match=match):
        check_corpus(resolve(settings, cuda=False))


def test_tracks_and_scores_of_others_are_inputs():
    plain = Plan(resolve({}, cuda=False))
    wildcards = SimpleNamespace(identity="ann", clip="ann")
    assert plain.given_tracks(SimpleNamespace(identity="demo", clip="demo")) == plain.blendshapes(wildcards) == []
    settings = {"head": {"model": "flame2023"}, "track": {"provider": "vhap", "folder": "x"}, **OF_CLIPS}
    plan = Plan(resolve(settings, cuda=False))
    assert plan.given_tracks(wildcards) == ["x/ann/transforms.json"]
    assert plan.given_tracks(SimpleNamespace(identity="ann")) == ["x/ann/transforms.json"]
    assert {"x/demo/transforms.json", "x/ann/transforms.json"} <= set(made_elsewhere(plan))
    scored = resolve({"track": {"initialise": "blendshapes"}}, cuda=False)
    assert Plan(scored).blendshapes(wildcards) == ["data/assets/face_landmarker.task"]
