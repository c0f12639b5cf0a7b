"""Target paper: which jobs it is made of, and what of its data is refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from emotag.errors import ConfigError
from emotag.metrics.base import METRICS
from emotag.project import resolve
from emotag.workflow.identities import Plan
from emotag.workflow.paper import Paper, read_tables
from emotag.workflow.variants import Models, Variant, read_variants

ROOT = Path(__file__).resolve().parents[2]
TINY = str(ROOT / "tests/config/tiny.yaml")
TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}


def paper(file=ROOT / "data/tables.yaml", **settings):
    config = resolve(settings, cuda=False)
    return Paper(Plan(config), Models(read_variants(ROOT / "data/variants.yaml"), config), file)


def test_shared_work_is_done_once(shared_copy):
    jobs = shared_copy.jobs("paper", "--configfile", TINY)
    variants = yaml.safe_load((ROOT / "data/variants.yaml").read_text())
    tables = yaml.safe_load((ROOT / "data/tables.yaml").read_text())["tables"]
    assert jobs["table"] == jobs["table_plan"] == len(tables)
    for rule in ("head", "corpus", "prior", "shape", "track", "adapt", "refine", "truth", "measure"):
        assert jobs[rule] == 1, rule
    # Those that only adapt otherwise share the product's prior or another's.
    own_prior = set(variants) - {
        "full",
        "no_ridge",
        "gaussians_scope",
        "wide_amplitude",
        "no_articulation",
        "no_adain_control",
        "parameter_regression",
        "no_geometry",
        "mouth_ungated",
    }
    assert jobs["prior_of_variant"] == len(own_prior)
    for rule in ("adapt_variant", "refine_variant", "drive_variant", "render_model", "measure_variant"):
        assert jobs[rule] == len(variants) - 1, rule
    assert jobs["drive"] == 1 and jobs["render_variant"] == jobs["render_baselines"] == 1


def test_one_table_needs_no_other_variant(shared_copy):
    only = ("--configfile", TINY, "--config", "paper={only: [table1_neutral]}")
    jobs = shared_copy.jobs("paper", *only)
    assert (jobs["table"], jobs["adapt_variant"], jobs["prior_of_variant"]) == (1, 1, 1)
    again = shared_copy.jobs("results/tables/table1_neutral.csv", *only)
    assert {rule: count for rule, count in jobs.items() if rule not in ("paper", "typeset")} == again
    assert jobs["typeset"] == 1


def test_other_systems_videos_are_measured_on_the_same_frames(copy):
    folder = copy.path / "others" / "demo"
    folder.mkdir(parents=True)
    (folder / "self-demo.mp4").touch()
    (copy.path / "more.yaml").write_text(
        "methods: [{name: instag, videos: others}]\npaper: {only: [table1_neutral, table3_cross_identity],"
        " speech: {news: {file: others/demo/self-demo.mp4}}}\n"
    )
    jobs = copy.jobs("paper", "--configfile", TINY, "more.yaml")
    assert (jobs["external"], jobs["measure_variant"], jobs["render_model"]) == (1, 2, 2)
    assert (jobs["measure_speech"], jobs["measure_speech_variant"], jobs["driving_speech"]) == (1, 1, 1)


def test_study_rates_the_variants_it_names_once():
    me = {"me": {**TERMS, "video": "me.mp4"}}
    # The last is the product under another name.
    same = paper(identities=me, adapt={"scope": "gaussians"}, study={"variants": ["paper", "no_kl", "gaussians_scope"]})
    rated = same.rated()
    assert len(rated) == len(set(rated)) == len(same.plan.rated()) + 2 * 2
    assert "results/variants/no_kl/identities/me/drives/self-me/avatar/video.mp4" in rated
    same.check_shown()


def test_other_systems_are_rated_and_shown_where_they_are_named():
    me = {"me": {**TERMS, "video": "me.mp4"}}
    named = {"variants": ["no_seg", "instag", "full"]}
    found = paper(identities=me, methods=[{"name": "instag", "videos": "v"}], study=named, figures=named)
    found.check_shown()
    theirs = "results/variants/instag/identities/me/drives/self-me/avatar/video.mp4"
    ours = theirs.replace("instag", "no_seg")
    assert {theirs, ours} < set(found.rated()) and not {theirs, ours} & set(found.plan.rated())
    # The product is in every strip anyhow.
    assert found.compared(SimpleNamespace(identity="me", drive="self-me")) == [ours, theirs]


@pytest.mark.parametrize("section", ["study", "figures"])
def test_unknown_variants_are_not_shown(section):
    with pytest.raises(ConfigError, match=f"{section}.variants names 'nobody', expected some of full, paper"):
        paper(**{section: {"variants": ["nobody"]}}).check_shown()


def test_shipped_tables_hold_truth_baselines_and_known_metrics():
    found = paper()
    for name in found.tables():
        rows = found.rows(name)
        kinds = [row["kind"] for row in rows]
        assert kinds[0] == "ground_truth" and kinds.count("baseline") >= 2
        assert set(found.content.tables[name].columns) <= set(METRICS)
        assert len({row["row"] for row in rows}) == len(rows)


def test_every_number_has_its_file_among_the_inputs():
    found = paper(identities={"me": {**TERMS, "video": "me.mp4"}}, methods=[{"name": "other", "videos": "v"}])
    lengths = Paper.seconds_of
    try:
        Paper.seconds_of = lambda self, clip: 20.0
        for name in found.tables():
            inputs = set(found.inputs(SimpleNamespace(table=name)))
            of_cases = [case for row in found.rows(name) for case in row["cases"]]
            assert inputs == {
                case[kind] for case in of_cases for kind in ("metrics", "avatar", "speed") if kind in case
            }
        [ablated] = [row for row in found.rows("table5") if row["name"] == "no_adain_control"]
        [case] = ablated["cases"]
        assert case["metrics"].startswith(
            "results/variants/no_adain_control/identities/me/drives/self-me-first-10000ms/"
        )
        assert {row["kind"] for row in found.rows("table5")} == {"ground_truth", "baseline", "variant", "external"}
    finally:
        Paper.seconds_of = lengths


def test_settings_that_a_variant_cannot_stand_on_stop_the_paper_alone():
    found = paper(pretrain={"modulation": "none"}, adapt={"scope": "mouth"})
    assert found.names()
    with pytest.raises(ConfigError, match="variant paper: adapt.scope adain"):
        found.check()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"setting": "s2"}, "tables.t.setting is 's2'"),
        ({"variants": ["fuller"]}, "names variant 'fuller'"),
        ({"columns": ["psnr"]}, "names metric 'psnr'"),
        ({"columns": []}, "columns"),
        ({"expect": {"best": "full", "among": ["x"], "largest_drops": [], "metrics": ["fps"]}}, "variant 'x'"),
        (
            {"expect": {"best": "full", "among": ["full"], "largest_drops": [], "metrics": ["aue_l"]}},
            "metric 'aue_l', expected one of fps",
        ),
        ({"caption": None}, "caption"),
    ],
)
def test_wrong_tables_are_named(tmp_path, change, complaint):
    table = {"caption": "c", "setting": "s", "variants": ["full"], "columns": ["fps"]} | change
    (tmp_path / "t.yaml").write_text(yaml.safe_dump({"settings": {"s": {"title": "t"}}, "tables": {"t": table}}))
    with pytest.raises(ConfigError, match=complaint):
        read_tables(tmp_path / "t.yaml", {"full": Variant(label="Full")})


def test_unknown_tables_are_refused():
    with pytest.raises(ConfigError, match="paper.only names table9"):
        paper(paper={"only": ["table9"]}).tables()
