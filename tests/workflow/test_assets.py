"""What a run needs from outside is said at once and before any work, and the table is always there to be asked."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow.assets import MODELS, outside_licences, place_of, read_manifest
from emotag.workflow.identities import Plan

OUTSIDE = ("--config", "emotion={provider: deepface}", "action_units={provider: openface}")

OF_CLIPS = {
    "identities": {"ann": {"video": "a.mp4", "source": "x", "licence": "x", "consent": "x"}},
    "corpus": {"clips": ["ann"], "synthetic": False},
}


def test_the_table_is_printed_each_time_and_needs_nothing(shared_copy):
    for _ in range(2):
        done = shared_copy.snakemake("assets", *OUTSIDE)
        assert done.returncode == 0, done.stdout
        row = next(line for line in done.stdout.splitlines() if line.startswith("facial_expression_model_weights.h5 "))
        assert "missing" in row and "needs it" in row and "emotion.provider deepface" in row


def test_all_that_is_missing_is_one_line_and_code_2(shared_copy):
    done = shared_copy.snakemake("-n", "adapt_identity", *OUTSIDE)
    assert done.returncode == 2
    line = next(line for line in done.stdout.splitlines() if line.startswith("error: "))
    assert "2 missing" in line and "facial_expression_model_weights.h5" in line and "data/openface/demo.csv" in line
    assert "Traceback" not in done.stdout


def test_what_tables_are_made_from_can_be_asked_for(shared_copy):
    assert shared_copy.jobs("results/clips/demo/crop.mp4", *OUTSIDE)["crop"] == 1


def test_every_provider_has_its_file():
    for section, models in MODELS.items():
        for provider, name in models.items():
            plan = Plan(resolve({section: {"provider": provider}, **OF_CLIPS}, cuda=False))
            assert plan.model(section) == place_of(name)


def test_given_speech_is_a_file_a_recording():
    plan = Plan(resolve({"speech": {"provider": "given"}, **OF_CLIPS}, cuda=False))
    assert plan.speech_model(SimpleNamespace(clip="ann")) == "data/speech/ann.npy"
    assert plan.speech_model(SimpleNamespace(name="talk")) == "data/speech/talk.npy"
    assert plan.model("speech") == "data/speech"
    assert set(plan.made_elsewhere()) == {"data/speech/demo.npy", "data/speech/ann.npy"}
    with pytest.raises(ConfigError, match="synthetic: false"):
        resolve({"speech": {"provider": "given"}}, cuda=False)


def test_adaface_reads_pictures_and_the_default_does_not():
    wildcards = SimpleNamespace(identity="ann")
    assert Plan(resolve(OF_CLIPS, cuda=False)).appearance(wildcards) == []
    plan = Plan(resolve({"identity": {"provider": "adaface"}, **OF_CLIPS}, cuda=False))
    files = ("results/clips/ann/crop.mp4", "results/clips/ann/landmarks.safetensors")
    assert plan.appearance(wildcards) == [*files, "data/assets/adaface_ir101_webface12m.ckpt"]


def test_sidecars_state_the_licences_of_outside_parts_alone():
    manifest = read_manifest(Path(__file__).resolve().parents[2] / "data" / "assets.yaml")
    assert outside_licences(resolve({}, cuda=False), manifest) == {}
    config = resolve({"emotion": {"provider": "deepface"}, "action_units": {"provider": "openface"}}, cuda=False)
    licences = outside_licences(config, manifest)
    assert set(licences) == {"facial_expression_model_weights.h5", "OpenFace"}
    facts = Plan(config, licences).facts(SimpleNamespace(identity="demo"))
    assert json.loads(facts)["licences_of_outside_parts"] == licences
    assert "licences_of_outside_parts" not in Plan(config).facts(SimpleNamespace(identity="demo"))


def test_files_put_there_by_hand_are_used(copy):
    """A table brings its calibration report along; a network without a stated sha256 is copied from data/by_hand."""
    network = copy.path / "data" / "by_hand" / "facial_expression_model_weights.h5"
    for file in (network, copy.path / "data" / "openface" / "demo.csv"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"as it is")
    jobs = copy.jobs("preprocess", *OUTSIDE)
    assert jobs["calibration"] == jobs["action_units"] == 1
    done = copy.snakemake("data/assets/facial_expression_model_weights.h5", *OUTSIDE)
    assert done.returncode == 0, done.stdout
    assert (copy.path / "data" / "assets" / "facial_expression_model_weights.h5").read_bytes() == b"as it is"
    assert "calibration" not in copy.jobs("preprocess")


def test_sapiens_reads_crop_and_two_networks():
    wildcards = SimpleNamespace(identity="demo")
    assert Plan(resolve({}, cuda=False)).seen_geometry(wildcards) == []
    config = resolve({"geometry": {"provider": "sapiens"}}, cuda=False)
    crop, depth, normal = Plan(config).seen_geometry(wildcards)
    assert crop == "results/clips/demo/crop.mp4" and "_normal_" in normal and "_normal_" not in depth
    manifest = read_manifest(Path(__file__).resolve().parents[2] / "data" / "assets.yaml")
    assert {Path(depth).name, Path(normal).name} == set(outside_licences(config, manifest))


def test_the_papers_parts_at_once_as_the_docs_have_them(shared_copy, tmp_path):
    """The example of docs/providers.md: valid, and everything that is missing in one line."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0].replace("[anna, ben, carla]", "[ann]")
    (shared_copy.path / "a.mp4").touch()
    (tmp_path / "paper.yaml").write_text(example + f"identities: {json.dumps(OF_CLIPS['identities'])}\n")
    done = shared_copy.snakemake("-n", "adapt_identity", "--configfile", str(tmp_path / "paper.yaml"))
    assert done.returncode == 2, done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("error: "))
    for name in (
        "wav2vec2-base-960h",
        "facial_expression",
        "adaface_ir101",
        "sapiens_0.3b_render",
        "sapiens_0.3b_normal",
    ):
        assert name in line
    assert "7 missing" in line and "demo.csv" in line and "ann.csv" in line and "syncnet" not in line
