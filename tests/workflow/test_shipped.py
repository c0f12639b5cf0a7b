"""The shipped prior: when it is begun with, what is said where it is not, and that its card tells the truth."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from emotag.artifacts import Prior
from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow import shipped
from emotag.workflow.identities import Plan
from emotag.workflow.shipped import Shipped, choose, settings_of
from working_tree import ROOT

TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}
FOLDER = ROOT / shipped.FOLDER


@pytest.fixture(scope="module")
def card():
    return json.loads((FOLDER / shipped.CARD).read_text())


def config(**settings):
    return resolve(
        {"identities": {name: {**TERMS, "video": f"{name}.mp4"} for name in ("me", "you")}} | settings, False
    )


@pytest.fixture
def held():
    return Shipped(Path("data/priors/synthetic.safetensors"), settings_of(config()), ("talker00", "syn03"))


def test_the_card_is_of_the_file(card):
    file = FOLDER / card["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == card["sha256"]
    assert file.stat().st_size == card["bytes"] <= 10_000_000
    prior = Prior.load(file)
    assert (prior.head_model, prior.people, prior.scores) == (card["head_model"], card["people"], card["scores"])
    page = (FOLDER / "README.md").read_text()
    assert card["sha256"] in page and card["commit"] in page


def test_the_card_says_what_the_code_would_train_or_at_which_commit_it_was(card):
    same = card["settings"] == json.loads(json.dumps(settings_of(config()))) and card["code"] == shipped.training_code()
    assert same or re.fullmatch(r"[0-9a-f]{40}", card["commit"]), "run: snakemake --cores 2 shipped_prior"


def test_everybody_begins_with_it_by_default():
    plan = Plan(config(), shipped=Shipped.read(FOLDER))
    assert plan.priors.of("demo") == plan.priors.of("me") == str(FOLDER / shipped.PRIOR)
    assert plan.shared_jobs("me") == ["head/shared", "lips/shared"]
    assert not [name for name in plan.figures() if "prior" in name]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"head": {"model": "ict"}}, "head.model is 'ict', the shipped prior has 'makehuman'"),
        ({"speech": {"blocks": [3]}}, "speech.blocks is [3], the shipped prior has [2, 3]"),
        ({"speech": {"prosody": "none"}}, "speech.prosody"),
        ({"pretrain": {"latent": "z64"}}, "pretrain.latent is 'z64'"),
        ({"pretrain": {"ridge": False}}, "pretrain.ridge"),
        ({"corpus": {"clips": ["you"]}}, "corpus.clips asks for a prior of other people"),
    ],
)
def test_what_does_not_fit_trains_and_says_so_or_is_an_error_where_it_was_asked_for(held, settings, said):
    assert choose(config(**settings), held, "me")[0] is None
    assert said in choose(config(**settings), held, "me")[1]
    with pytest.raises(ConfigError, match="prior.source is shipped, but") as error:
        choose(config(**settings, prior={"source": "shipped"}), held, "me")
    assert said in str(error.value)


def test_how_long_it_was_trained_may_differ_and_training_can_be_asked_for(held):
    assert choose(config(pretrain={"iterations": 7}, talkers={"talkers": 9}), held, "me")[0] is held
    assert choose(config(prior={"source": "train"}), held, "me") == (None, "prior.source is train")
    assert choose(config(), None, "me") == (None, "there is none in data/priors")
    with pytest.raises(ConfigError, match="there is none"):
        choose(config(prior={"source": "shipped"}), None, "me")


def test_nobody_begins_with_a_prior_that_has_seen_them(held):
    plan = Plan(config(), shipped=held)
    assert plan.priors.of("syn03") == "results/prior/synthetic/all/prior.safetensors"
    assert plan.priors.of("syn02") == str(held.file)


def test_files_are_put_under_their_own_names(tmp_path):
    for name in (shipped.PRIOR, shipped.CARD):
        (tmp_path / name).write_text(name)
    shipped.put([str(tmp_path / shipped.PRIOR), str(tmp_path / shipped.CARD)], tmp_path / "to", tmp_path / "log")
    assert (tmp_path / "to" / shipped.CARD).read_text() == shipped.CARD
    assert (tmp_path / "log").read_text().splitlines() == [
        str(tmp_path / "to" / n) for n in (shipped.PRIOR, shipped.CARD)
    ]


def test_the_articulation_goes_with_the_speech_it_hears():
    file = shipped.ARTICULATION
    assert (ROOT / file).is_file()
    assert shipped.articulation(config()) == [file] == shipped.articulation(config(speech={"prosody": "none"}))
    for other in ({"provider": "hubert"}, {"blocks": [2]}, {"model": "elsewhere"}):
        assert shipped.articulation(config(speech=other)) == []
    assert shipped.articulation(config(adapt={"articulation": False})) == []
