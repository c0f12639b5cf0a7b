"""Variants: shared work by equality of settings, and what is refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow.params import stage_config
from emotag.workflow.variants import Models, Variant, read_variants

ROOT = Path(__file__).resolve().parents[2]
CONFIG = resolve({}, cuda=False)


def shipped():
    return Models(read_variants(ROOT / "data/variants.yaml"), CONFIG)


def test_shipped_ablations_are_those_of_table_5():
    models = shipped()
    prior = {name: config.pretrain for name, config in models.configs.items()}
    assert prior["no_gate"].gate == "open" and prior["no_gate"].weight_score == 0
    assert prior["no_residual"].residual == "none" and prior["no_residual"].weight_kl == 0
    assert (prior["no_seg"].weight_kl, prior["no_seg"].weight_score) == (0, 0)
    assert prior["no_adain"].modulation == "none" and models.configs["no_adain"].adapt.scope == "gaussians"
    for name in ("no_gate", "no_residual", "no_score", "no_kl", "no_seg", "unit_weights"):
        # Also in the rendered phase, which has weights of its own.
        for key in ("weight_kl", "weight_score"):
            assert getattr(models.configs[name].adapt, key) == getattr(prior[name], key), (name, key)
            assert getattr(prior[name].rendered, key) == getattr(prior[name], key), (name, key)
        assert not prior[name].ridge and models.owner(name, "pretrain") == name


def test_priors_are_shared_where_only_adaptation_differs():
    models = shipped()
    assert models.root("full", "adapt") == "results" == models.root("gaussians_scope", "pretrain")
    assert models.root("gaussians_scope", "adapt") == "results/variants/gaussians_scope"
    assert models.owner("adain_scope", "pretrain") == "adain_scope"
    assert models.owner("no_adain_control", "pretrain") == "no_adain" != models.owner("no_adain_control", "adapt")
    prior = "results/prior/synthetic/all/prior.safetensors"
    own = "results/variants/paper/prior/synthetic/all/prior.safetensors"
    assert models.prior("no_ridge", "shipped", prior) == own
    assert models.prior("gaussians_scope", "shipped", prior) == "shipped"
    rendered = prior.replace("prior.safetensors", "rendered.safetensors")
    assert models.prior("no_ridge", "shipped", rendered) == own.replace("prior.safetensors", "rendered.safetensors")


def test_product_has_the_settings_of_the_run_and_others_their_own():
    models, job = shipped(), SimpleNamespace(model="full")
    for section in ("pretrain", "adapt"):
        assert models.stage_config(section)(job) == stage_config(CONFIG, section)(job)
    assert '"gate": "open"' in models.stage_config("pretrain")(SimpleNamespace(model="no_gate"))


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "pretrain": st.fixed_dictionaries({}, optional={"weight_kl": st.sampled_from([0, 0.01, 1])}),
        "adapt": st.fixed_dictionaries({}, optional={"weight_kl": st.sampled_from([0, 0.01, 1])}),
    },
)


@given(st.lists(CHANGES, max_size=6))
def test_one_owner_for_equal_work_and_never_for_different(changes):
    variants = {"full": Variant(label="Full")}
    variants |= {f"v{number}": Variant(label="V", set=change) for number, change in enumerate(changes)}
    models = Models(variants, CONFIG)
    for section in ("pretrain", "adapt"):
        for one in variants:
            owner = models.owner(one, section)
            assert models.owner(owner, section) == owner
            for other in variants:
                same = models.content(one, section) == models.content(other, section)
                assert (models.root(one, section) == models.root(other, section)) == same
    # Who adapts in the same way starts from the same prior.
    for one in variants:
        assert models.owner(models.owner(one, "adapt"), "pretrain") == models.owner(one, "pretrain")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("full: {label: a, set: {adapt: {scope: adain}}}", "the product and sets nothing"),
        ("full: {label: a}\nb: {label: b, set: {track: {iterations: 1}}}", "b: sets track"),
        ("full: {label: a}\nb: {label: b, base: c}\nc: {label: c}", "b: base is 'c'"),
        ("full: {label: a}\nb: {label: b, sets: {}}", "b.sets: unknown key; did you mean set"),
        ("full: {label: a}\n'../b': {label: b}", "is not a name"),
        ("full: 3", "full"),
    ],
)
def test_wrong_entries_are_named(tmp_path, text, complaint):
    (tmp_path / "v.yaml").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        read_variants(tmp_path / "v.yaml")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"pretrain": {"gates": "open"}}, "variant b.pretrain.gates: unknown key"),
        ({"pretrain": {"gate": "ajar"}}, "variant b.pretrain.gate"),
        ({"pretrain": {"modulation": "none"}}, "adapt.scope adain\\+mouth trains AdaIN"),
    ],
)
def test_settings_that_cannot_be_name_variant_and_key(change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        Models({"full": Variant(label="a"), "b": Variant(label="b", set=change)}, CONFIG).content("b", "adapt")
