"""The method: loading by name, its objective and what its scopes train."""

import pytest
import torch

from emotag import methods
from emotag.config import PretrainConfig
from emotag.errors import ConfigError
from emotag.motion.grmn import Architecture
from emotag.motion.mouth_field import MouthArchitecture
from emotag.training.checkpoint import StateFolder
from emotag.training.loop import train
from emotag.training.motion_batches import MotionBatch
from emotag.training.progress import Progress, read


def small():
    torch.manual_seed(0)
    sizes = {"components": 6, "width": 32, "layers": 1, "heads": 4, "feedforward": 32, "dropout": 0.0}
    return methods.load("emotag").motion_network(Architecture(5, 12, 3, **sizes))


def batch():
    generator = torch.Generator().manual_seed(0)
    return MotionBatch(
        components=torch.randn(24, 16, 6, generator=generator),
        prosody=torch.randn(24, 16, 3, generator=generator),
        cues=torch.rand(24, 6, generator=generator),
        identity=torch.zeros(24, 3),
        target=torch.randn(3, 1, 5, generator=generator).expand(3, 8, 5),
        emotion=torch.softmax(torch.randn(3, 8, 7, generator=generator), -1),
    )


def test_twenty_steps_on_one_batch_lower_every_loss(tmp_path):
    chosen, fixed = methods.load("emotag"), batch()
    config = PretrainConfig(iterations=20, learning_rate=1e-2)
    phases = chosen.prior_phases(config, chosen.prior_objective(torch.ones(5)), lambda generator: fixed, ())
    with StateFolder(tmp_path, "job") as state:
        train(small(), phases, state, Progress(state.progress, "job", every=1, quiet=True), seed=0)
        lines = read(state.progress)
    assert lines[-1]["losses"]["loss"] < 0.8 * lines[0]["losses"]["loss"]
    assert set(lines[0]["losses"]) == {"loss", "motion", "velocity", "kl", "score"}


def test_scopes_name_the_adaptive_normalisation_and_the_mouth():
    chosen = methods.load("emotag")
    network, field = small(), chosen.mouth_field(MouthArchitecture(condition=32, levels=2), torch.rand(5, 3))
    model = torch.nn.ModuleDict({"network": network, "mouth": field})
    trained = {name for name, _ in model.named_parameters() if name.startswith(chosen.adapt_scopes["adain"])}
    assert trained == {f"network.{name}" for name in network.adain_parameters()}
    both = {name for name, _ in model.named_parameters() if name.startswith(chosen.adapt_scopes["adain+mouth"])}
    assert both - trained == {f"mouth.{name}" for name, _ in field.named_parameters()}


def test_of_every_scope_the_mouth_is_left_where_emotion_was_acted():
    chosen = methods.load("emotag")
    left = {scope: chosen.adapted(scope, acted=True) for scope in chosen.adapt_scopes}
    assert left == {
        "adain": "gaussians", "adain+mouth": "mouth", "mouth": "mouth", "backbone": "gaussians", "gaussians": "gaussians"
    }  # fmt: skip
    assert all(chosen.adapted(scope, acted=False) == scope for scope in chosen.adapt_scopes)


@pytest.mark.parametrize("name", ["nothing", "base", "../emotag", "", "os.path"])
def test_unknown_method_is_refused(name):
    with pytest.raises(ConfigError, match="expected the name of a method"):
        methods.load(name)


def test_the_control_of_the_ablation_without_adain_trains_about_as_many_weights():
    chosen = methods.load("emotag")
    # The sizes of the shipped pipeline: MakeHuman's channels, Whisper's blocks, 100 identity components.
    network = chosen.motion_network(Architecture(44, 768, 100))
    sizes = {
        scope: sum(p.numel() for name, p in network.named_parameters() if f"network.{name}".startswith(prefixes))
        for scope, prefixes in chosen.adapt_scopes.items()
    }
    assert sizes["gaussians"] == sizes["mouth"] == 0
    assert sizes["backbone"] == pytest.approx(sizes["adain"], rel=0.05)
