import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emotag import presets
from emotag.errors import ConfigError, ConsentMissing
from emotag.project import DEMO_VIDEO, Config, check_files, clip_owners, resolve, stage_model
from emotag.yaml_files import load_files, merge

ROOT = Path(__file__).resolve().parents[1]
TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}

names = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(names, trees, max_size=3)


def of(**settings) -> Config:
    return resolve(settings, cuda=False)


@given(mappings, mappings)
def test_merge_is_snakemakes(base, over):
    import copy

    from snakemake.utils import update_config

    expected = copy.deepcopy(base)
    update_config(expected, copy.deepcopy(over))
    assert merge(base, over) == expected


def test_shipped_config_needs_no_footage():
    config = resolve(load_files([ROOT / "config.yaml"]), cuda=False)
    assert config.adapt.identity == "demo"
    assert config.identities["demo"].video == DEMO_VIDEO


def test_fields_a_preset_governs_are_absent_from_the_shipped_config():
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text())
    governed = {(section, key) for preset in presets.PRESETS.values() for section in preset for key in preset[section]}
    assert not [(section, key) for section, key in governed if key in shipped.get(section, {})]


def test_preset_stands_below_what_the_user_says():
    assert of(preset="paper").adapt.gaussians == 60_000
    assert of(preset="paper", adapt={"gaussians": 1000}).adapt.gaussians == 1000
    assert of(preset="paper", adapt={"gaussians": 1000}).adapt.iterations == 20_000
    assert (of(preset="paper").pretrain.windows, of().pretrain.windows) == ("tokens", "between")


@pytest.mark.parametrize(("cuda", "preset"), [(False, "laptop"), (True, "workstation")])
def test_auto_is_decided_by_the_device(cuda, preset):
    assert resolve({}, cuda=cuda).preset == preset
    assert resolve({"preset": "paper"}, cuda=cuda).preset == "paper"


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_every_preset_is_valid(preset):
    assert of(preset=preset).preset == preset


def test_shortest_identity():
    config = of(identities={"me": {"video": "me.mp4", **TERMS}}, adapt={"identity": "me", "drive": {"audio": "x.wav"}})
    assert config.identities["me"].adapt_on.seconds == 5
    assert config.adapt.drive.audio == "x.wav"


def person(**settings):
    return {"identities": {"me": {"video": "me.mp4", **TERMS, **settings}}}


EXPIRED = {"scope": "research", "date": "2020-01-01", "expires": "2021-01-01"}
CLIPS = {"video": None, "clips": {"a": "a.mp4", "b": "b.mp4"}}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": {"sise_px": 512}}, "crop.sise_px: unknown key; did you mean size_px?"),
        ({"colour": 1}, "colour: unknown key"),
        ({"crop": 5}, "crop: found 5, expected keys and values"),
        ({"identity": "me"}, "did you mean adapt.identity?"),
        ({"crop": {"size_px": 4}}, "crop.size_px: found 4, expected greater than or equal to 64"),
        ({"adapt": {"iterations": True}}, "iterations is True .*expected a number"),
        ({"adapt": {"identity": 1}}, "adapt.identity: YAML read the number 1 .*put it in quotes"),
        ({"adapt": {"identity": "you"}}, "adapt.identity is 'you', which is not declared"),
        ({"adapt": {"drive": True}}, "adapt.drive: YAML read True .*say self"),
        ({"adapt": {"drive": "speech.wav"}}, "adapt.drive: found 'speech.wav'; say self"),
        ({"adapt": {"drive": {"file": "x"}}}, "adapt.drive.file: unknown key; known here: audio"),
        ({"identities": {1: {}}}, "identities: YAML read the number 1 .*name was expected"),
        ({"identities": {True: {}}}, "identities: YAML read True"),
        ({"identities": {"a/b": {"video": "x", **TERMS}}}, "'a/b' is not a name"),
        ({"identities": {"it's": {"video": "x", **TERMS}}}, "is not a name"),
        ({"identities": {"..": {"video": "x", **TERMS}}}, "is not a name"),
        (person(source=False), "identities.me.source: YAML read False"),
        (person(consent=datetime.date(2026, 11, 1)), "identities.me.consent: YAML read the date 2026-11-01"),
        (person(consent={"scope": "research"}), "identities.me.consent.date: is missing"),
        (person(clips={"a": "a.mp4"}), "either video: FILE or clips"),
        (person(test_on=["me"]), "give clips"),
        (person(test_on=[{"start_s": 3, "seconds": 4}]), "from 3 s overlaps the adaptation part \\(0 to 5 s\\)"),
        (person(test_on=[{"start_s": 2}], adapt_on={"start_s": 10}), "from 2 s overlaps the adaptation part"),
        (person(test_on=[{"start_s": 6}, {"start_s": 6.0}]), "'from-6000ms' twice"),
        (person(test_on=[{"start_s": True}]), "start_s is True .*expected a number"),
        (person(test_on=[1]), "identities.me.test_on.0: YAML read the number 1"),
        (person(test_on=[{"begin_s": 6}]), "unknown key; .*known here: clip, seconds, start_s"),
        (person(**CLIPS, adapt_on={"clip": "a"}, test_on=[{"start_s": 6}]), "a part names no clip; choose one of a, b"),
        (person(**CLIPS, adapt_on={"clip": "a"}, test_on=["b", "b"]), "'b' twice"),
        (person(**CLIPS, adapt_on={"clip": "a"}, test_on=[{"clip": "c"}]), "'c' is not among its clips"),
        (person(video="{me}.mp4"), "identities.me.video: found '{me}.mp4'; braces cannot stand"),
        (person(**CLIPS), "adapt_on.clip is missing; choose one of a, b"),
        (person(**CLIPS, adapt_on={"clip": "c"}), "'c' is not among its clips"),
        ({"identities": {"demo": {"video": "me.mp4"}}}, "identities.demo is made by code"),
        (person(video=None, clips={"demo": "o.mp4"}), "clip 'demo' is .* for demo but o.mp4 for me"),
        ({"corpus": {"clips": ["x"]}}, "corpus.clips names 'x'"),
        (person() | {"adapt": {"identity": "me"}, "corpus": {"clips": ["me"]}}, "nobody but the adapted person"),
        ({"preset": "huge"}, "preset: found 'huge', expected 'auto', 'laptop'"),
    ],
)
def test_mistakes_are_named_in_one_line(settings, message):
    with pytest.raises(ConfigError, match=message) as caught:
        resolve(settings, cuda=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", TERMS)
@pytest.mark.parametrize("value", ["absent", None, ""])
def test_identity_without_terms_is_refused(key, value):
    identity = {"video": "me.mp4", **TERMS, key: value}
    if value == "absent":
        del identity[key]
    with pytest.raises(ConsentMissing, match=rf"identities\.me\.{key} is missing"):
        of(identities={"me": identity})


def test_expired_consent_is_refused_and_later_consent_is_not():
    with pytest.raises(ConsentMissing, match="expired on 2021-01-01"):
        of(**person(consent=EXPIRED))
    resolve(person(consent=EXPIRED), cuda=False, today=datetime.date(2021, 1, 1))


def test_yaml_files_are_merged_in_order(tmp_path):
    (tmp_path / "a.yaml").write_text("adapt: {identity: a, drive: self}\n")
    (tmp_path / "b.yaml").write_text("adapt: {identity: b}\n")
    assert load_files([tmp_path / "a.yaml", tmp_path / "b.yaml"]) == {"adapt": {"identity": "b", "drive": "self"}}


@pytest.mark.parametrize("text", ["- a\n", "{", ""])
def test_unusable_files_are_named(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match="mine.yaml"):
        load_files([tmp_path / "mine.yaml"])
    with pytest.raises(ConfigError, match="absent.yaml"):
        load_files([tmp_path / "absent.yaml"])


def test_missing_video_is_named_with_its_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = of(**person(), adapt={"identity": "me"})
    with pytest.raises(ConfigError, match=r"identities\.me\.video: me\.mp4 does not exist"):
        check_files(config)
    Path("me.mp4").touch()
    check_files(config)


def test_parts_outside_the_adaptation_part_are_good():
    tests = [{"start_s": 5, "seconds": 2}, {"start_s": 8.5}, {"seconds": 3}]
    assert len(of(**person(test_on=tests)).identities["me"].tests()) == 3
    before = person(adapt_on={"start_s": 10}, test_on=[{"start_s": 0, "seconds": 10}])
    assert of(**before).identities["me"].tests()[0].seconds == 10
    other = person(**CLIPS, adapt_on={"clip": "a"}, test_on=[{"clip": "b", "start_s": 0, "seconds": 4}])
    assert of(**other).identities["me"].tests()[0].clip == "b"


def test_two_identities_may_share_a_clip():
    shared = {"clips": {"long": "x.mp4"}, **TERMS}
    config = of(identities={"five": shared, "ten": {**shared, "adapt_on": {"seconds": 10}}})
    assert clip_owners(config.identities)["long"] == ("x.mp4", "five")


def test_expired_consent_does_not_keep_a_person_from_being_forgotten():
    expired = {"consent": {"scope": "research", "date": "2020-01-01", "expires": "2021-01-01"}}
    assert of(**person(**expired), forget="me").forget == "me"
    with pytest.raises(ConsentMissing):
        of(**person(**expired), forget="you")


def test_stage_adapt_does_not_read_what_only_the_target_needs():
    assert {"identity", "drive"}.isdisjoint(stage_model("adapt").model_fields)
