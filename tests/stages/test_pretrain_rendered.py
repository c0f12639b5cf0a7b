"""The prior's rendered phase on two people of noise: what it trains, whom a step reaches, that it resumes and repeats."""

import numpy as np
import pytest
import torch

from emotag import methods
from emotag.artifacts import Prior
from emotag.config import RenderedConfig
from emotag.errors import ArtifactMismatch, ConfigError
from emotag.gaussians.lids import Hold
from emotag.io.artifact import write_json
from emotag.motion import channels, grmn, mouth_field
from emotag.stages import pretrain_rendered
from emotag.training import curriculum
from emotag.training.appearance import Scene
from emotag.training.loop import optimiser_for
from emotag.training.person import Files, Person
from emotag.training.stored import Stored, keeper
from small_person import FEATURES, write_person

SIZES = {"components": 4, "width": 32, "layers": 1, "heads": 2, "feedforward": 16, "dropout": 0.1}
CONFIG = RenderedConfig(gaussians=500, size_px=32, static_iterations=2, iterations=8, checkpoint_every=3)
NAMES = ["ann", "ben"]


@pytest.fixture(scope="module")
def files(head, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    return {name: write_person(folder / name, head, seed) for seed, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def start(head, tmp_path_factory):
    """A prior whose network was kept."""
    torch.manual_seed(0)
    names = channels.motion_names(head.expression_names)
    network = grmn.GatedResidualMotionNetwork(grmn.Architecture(len(names), FEATURES, 4, **SIZES))
    with torch.no_grad():
        network.space.basis.copy_(torch.randn(FEATURES, 4))
    path = tmp_path_factory.mktemp("prior") / "prior.safetensors"
    scores = {"network_used": True}
    Prior(head.name, names, network.arrays(), network.architecture.plain(), scores, ["talker"]).save(path)
    return path


def run(files, start, head_file, folder, names=NAMES, config=CONFIG, rejected=()):
    columns = {name: [files[who][name] for who in names] for name in files[NAMES[0]]}
    judged = []
    for clip in rejected:
        judged.append(folder / f"{clip}.json")
        write_json(judged[-1], {"clip": clip, "kept": False, "reasons": ["noise"]})
    pretrain_rendered.run(
        head=head_file, start=start, names=list(names), clips=[f"{name}-a" for name in names], curation=judged,
        state=folder / "state", out=folder / "rendered.safetensors", config=config, **columns,
    )  # fmt: skip
    return Prior.load(folder / "rendered.safetensors")


def company_of(files, start, head, scope="all", chosen=tuple):
    prior, folder = Prior.load(start), files["ann"]["crop"].parent / "stored"
    network = grmn.load(prior.network, prior.architecture)
    field = methods.load("emotag").mouth_field(mouth_field.MouthArchitecture(condition=32), torch.zeros(1, 3))
    company, scenes = curriculum.Company(network, field), []
    trained = chosen(methods.load("emotag").rendered_scopes[scope])
    for name in NAMES:
        person = Person.load(Files(**files[name]), CONFIG, "between", keeper(folder))
        space = pretrain_rendered.own_space(person, network, prior)
        company.join(head, person, person.first_cloud(head, CONFIG), space)
        scenes.append(person.scene(network, trained, CONFIG, 1, Hold.of(head, person.shape, company.parts[-1].cloud)))
    return company, scenes, curriculum.phases(scenes, CONFIG, trained)


def reached(model):
    return {name for name, value in model.named_parameters() if value.grad is not None and value.grad.any()}


def test_a_step_reaches_the_shared_weights_and_one_persons_own(files, start, head):
    company, _, (static, joint) = company_of(files, start, head)
    optimiser_for(company, static)
    sum(static.objective((1, torch.arange(2)), company).values()).backward()
    assert {name.split(".")[0] for name in reached(company)} == {"clouds", "poses"}
    assert all(name.split(".")[1] == "1" for name in reached(company))
    company.zero_grad(set_to_none=True)
    optimiser_for(company, joint)
    losses = joint.objective((0, torch.arange(2)), company)
    assert losses.keys() >= {"l1", "dssim", "mask", "depth", "normal", "kl", "score", "motion"}
    sum(losses.values()).backward()
    names = reached(company)
    assert {"network.base.weight", "mouth.base.last.weight", "network.emotion.encoder.0.weight"} <= names
    assert {name.split(".")[1] for name in names if name.startswith(("clouds", "poses"))} == {"0"}


def test_what_the_first_phase_shut_stays_shut(files, start, head):
    company, _, (_, joint) = company_of(files, start, head, "shut")
    optimiser_for(company, joint)
    sum(joint.objective((0, torch.arange(2)), company).values()).backward()
    names = reached(company)
    assert not {name for name in names if name.startswith(("network.base.", "network.emotion.decoder."))}
    assert {"mouth.base.last.weight", "network.gate.mlp.0.weight", "network.speech.mlp.1.weight"} <= names


def test_what_was_learnt_from_actors_stays(files, start, head):
    company, _, (_, joint) = company_of(files, start, head, chosen=methods.beside_network)
    optimiser_for(company, joint)
    sum(joint.objective((0, torch.arange(2)), company).values()).backward()
    names = reached(company)
    assert "mouth.base.last.weight" in names and not {name for name in names if name.startswith("network.")}


def test_an_acted_prior_keeps_its_network(files, start, head_file, tmp_path):
    acted = Prior.load(start)
    acted.network["residual_scale"] = np.ones_like(acted.network["residual_scale"])
    acted.save(tmp_path / "acted.safetensors", {})
    made = run(files, tmp_path / "acted.safetensors", head_file, tmp_path)
    assert all(np.array_equal(made.network[name], array) for name, array in acted.network.items())
    assert made.mouth and made.mouth["base.last.weight"].any()


def test_people_share_weights_and_nothing_else(files, start, head):
    company, scenes, _ = company_of(files, start, head)
    one, other = company.parts
    assert one.network.base.weight is other.network.base.weight is company.network.base.weight
    assert one.mouth.base.last.weight is company.mouth.base.last.weight
    assert not torch.equal(one.network.motion_mean, other.network.motion_mean)
    assert torch.equal(company.network.motion_mean, torch.zeros_like(one.network.motion_mean))
    motion = torch.cat([scenes[0].tracked.expression, scenes[0].tracked.jaw], 1)
    assert torch.allclose(one.network.motion_mean, motion.mean(0), atol=1e-6)


def test_gaussians_are_fitted_under_a_field_that_has_learnt(files, start, head):
    company, scenes, _ = company_of(files, start, head)
    part, frames = company.parts[0], torch.arange(3)
    with torch.no_grad():
        company.mouth.base.last.bias.fill_(0.5)
    begun = scenes[0].with_conditions(part.network)
    assert begun.tracked.condition.any() and torch.equal(begun.tracked.jaw, scenes[0].tracked.jaw)
    torch.manual_seed(0)
    under = begun.static(frames, part)["l1"]
    torch.manual_seed(0)
    assert not torch.isclose(under, scenes[0].static(frames, part)["l1"])


def test_draws_are_of_everybody_and_of_their_own_frames():
    draw, generator = curriculum.draws([3, 9], 2), torch.Generator().manual_seed(0)
    drawn = [draw(generator) for _ in range(60)]
    assert {who for who, _ in drawn} == {0, 1}
    assert all(int(frames.max()) < (3, 9)[who] and len(set(frames.tolist())) == 2 for who, frames in drawn)


def test_it_trains_network_and_mouth_and_keeps_the_ridge(files, start, head_file, tmp_path):
    made, begun = run(files, start, head_file, tmp_path), Prior.load(start)
    for name in ("base.weight", "speech.adain.modulation.last.weight", "gate.mlp.0.weight"):
        assert not np.array_equal(made.network[name], begun.network[name])
    for name in ("skip.speech_weight", "motion_mean", "motion_scale", "cue_mean", "space.basis"):
        assert np.array_equal(made.network[name], begun.network[name])
    assert made.mouth and "positions" not in made.mouth and made.mouth["base.last.weight"].any()
    assert made.people == ["ann", "ben", "talker"] and made.scores["rendered_people"] == NAMES
    field = methods.load("emotag").mouth_field(mouth_field.MouthArchitecture(condition=32), torch.rand(5, 3))
    positions = field.positions.clone()
    mouth_field.begun(field, made.mouth)
    assert torch.equal(field.positions, positions)
    assert np.array_equal(field.base.last.weight.detach().numpy(), made.mouth["base.last.weight"])
    with pytest.raises(ArtifactMismatch, match="do not fit the field"):
        mouth_field.begun(field, {"base.last.weight": np.zeros((1, 1), np.float32)})


def test_an_interrupted_run_ends_in_the_same_bytes(files, start, head_file, tmp_path, monkeypatch):
    run(files, start, head_file, tmp_path / "whole")
    steps, joint = [], Scene.joint

    def cut(self, *arguments):
        steps.append(1)
        if len(steps) == 6:
            raise KeyboardInterrupt
        return joint(self, *arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Scene, "joint", cut)
        run(files, start, head_file, tmp_path / "cut")
    run(files, start, head_file, tmp_path / "cut")
    whole, again = (tmp_path / name / "rendered.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == again.read_bytes()


def test_rejected_clips_are_left_out_and_nobody_is_an_error(files, start, head_file, tmp_path):
    made = run(
        files, start, head_file, tmp_path, rejected=["ann-a"], config=CONFIG.model_copy(update={"iterations": 1})
    )
    assert made.scores["rendered_people"] == ["ben"]
    with pytest.raises(ConfigError, match="found 0 people"):
        run(files, start, head_file, tmp_path, rejected=["ann-a", "ben-a"])


def test_stored_frames_are_those_in_memory_and_leave_no_file(files, tmp_path):
    stored = Person.load(Files(**files["ann"]), CONFIG, "between", keeper(tmp_path)).footage
    held = Person.load(Files(**files["ann"]), CONFIG, "between").footage
    frames = torch.tensor([3, 0])
    for name in ("image", "head", "depth", "normal"):
        assert isinstance(getattr(stored, name), Stored) and len(getattr(stored, name)) == len(held)
        assert torch.allclose(getattr(stored, name)[frames], getattr(held, name)[frames], atol=1e-6)
    assert torch.equal(stored.person[frames] > 0, held.person[frames])
    assert not list(tmp_path.iterdir())
