import pytest
import yaml

from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow.clips import clips_config


@pytest.fixture
def folder(tmp_path):
    for name in ("one.mp4", "it's two.MOV", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def test_one_identity_a_clip_beside_the_embedded_one(folder):
    config = resolve(yaml.safe_load(clips_config(folder, [])), cuda=False)
    assert set(config.identities) == {"demo", "one", "it-s-two"}
    assert config.identities["it-s-two"].video == str(folder / "it's two.MOV")


def test_only_some(folder):
    assert list(yaml.safe_load(clips_config(folder, ["one", "demo"]))["identities"]) == ["one"]


def test_what_is_not_there_is_named(folder, tmp_path_factory):
    with pytest.raises(ConfigError, match="no clip named three; there are it-s-two, one"):
        clips_config(folder, ["three"])
    with pytest.raises(ConfigError, match="no clips here"):
        clips_config(tmp_path_factory.mktemp("empty"), [])
