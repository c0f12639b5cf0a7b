"""The user study: what the page gives away, the whole way through it in a real browser, and the arithmetic of its table."""

import csv
import importlib.util
import io
import json
import re
import shutil

import numpy as np
import pytest

from emotag.errors import ArtifactMismatch, FootageError
from emotag.io.video_writer import write_video
from emotag.report import ratings, study, typeset

METHODS = ("truth.mp4", "avatar/video.mp4", "frozen/video.mp4")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Page and key of six short clips: two contents, three methods."""
    folder = tmp_path_factory.mktemp("study")
    videos = []
    for content, shade in (("one", 40), ("two", 200)):
        for number, method in enumerate(METHODS):
            path = folder / "identities" / content / "drives" / f"self-{content}" / method
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = (np.full((64, 64, 3), shade + 10 * number + step, np.uint8) for step in range(8))
            write_video(path, frames, fps=25, crf=18, audio=np.zeros(5120, np.float32))
            videos.append(path)
    page, key = study.study(study.named(videos), seed=3)
    (folder / "page.html").write_text(page, encoding="utf-8")
    return folder / "page.html", key, videos


def test_key_names_every_clip_once_and_the_page_names_none(made):
    page, key, videos = made
    assert {(clip["content"], clip["method"]) for clip in key["clips"].values()} == {
        (f"{content}/self-{content}", method)
        for content in ("one", "two")
        for method in ("ground_truth", "avatar", "frozen")
    }
    text = page.read_text(encoding="utf-8")
    shown = json.loads(re.search(r'<script type="application/json" id="study">(.*?)</script>', text, re.S)[1])
    assert set(shown["clips"]) == set(key["clips"]) and len(videos) == len(key["clips"])
    for word in ("avatar", "frozen", "ground_truth", "self-one", "drives", "http:", "https:", "src="):
        assert word not in text
    assert all(clip.startswith("data:video/mp4;base64,") for clip in shown["clips"].values())


def test_a_variant_is_a_method_of_the_same_content(made):
    avatar = made[2][1]
    folder = avatar.parents[5]
    elsewhere = folder / "variants" / "paper" / avatar.relative_to(folder)
    (clip,) = study.named([elsewhere])
    assert (clip.method, clip.content) == ("paper", study.named([avatar])[0].content)


def test_containers_do_not_tell_who_made_them(made, tmp_path):
    import av

    told = []
    for number, path in enumerate(made[2]):
        copy = tmp_path / f"{number}.mp4"
        copy.write_bytes(study.without_metadata(path))
        with av.open(str(copy)) as container, av.open(str(path)) as source:
            told.append(dict(container.metadata))
            assert sum(1 for _ in container.decode(video=0)) == sum(1 for _ in source.decode(video=0)) == 8
    assert all(words == told[0] and "comment" not in words for words in told)


def test_page_is_the_same_whatever_the_order_of_the_files(made):
    page, key, videos = made
    again, again_key = study.study(study.named(videos[::-1]), seed=3)
    assert again == page.read_text(encoding="utf-8") and again_key == key
    assert study.study(study.named(videos), seed=4)[1]["clips"] != key["clips"]


def test_no_clips_are_no_study():
    with pytest.raises(FootageError, match="0 clips"):
        study.study([], 0)


# In a real browser.


@pytest.fixture(scope="module")
def browser():
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed (it is in requirements-dev.txt)")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine (Debian: chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def watch(page) -> None:
    """Wait until the clip was seen to its end."""
    page.wait_for_function("document.getElementById('clip').ended", timeout=15000)
    page.wait_for_function("!document.getElementById('status').textContent.startsWith('Watch')")


def rate_by_keys(page, path, name: str, stop: int | None = None) -> None:
    """From the start to the page of thanks (or `stop` clips on), by keyboard alone."""
    page.goto(path.as_uri())
    page.keyboard.press("Tab")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    number = 0
    while page.locator("#rate").is_visible() and number != stop:
        watch(page)
        for rating in ("5", "3", "1"):
            page.keyboard.press(rating)
        page.keyboard.press("Enter")
        number += 1


def saved(page) -> str:
    with page.expect_download() as waiting:
        page.click("#save")
    return open(waiting.value.path(), encoding="utf-8").read()


def test_from_playing_a_clip_to_the_downloaded_csv(made, browser, tmp_path):
    path, key, _ = made
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    rate_by_keys(page, path, "rater-1")
    assert page.locator("#done-title").inner_text() == "Thank you"
    text = saved(page)
    lines = list(csv.DictReader(io.StringIO(text)))
    assert {line["clip"] for line in lines} == set(key["clips"])
    assert [line["position"] for line in lines] == [str(number) for number in range(1, 7)]
    assert {(line["emotion"], line["lip_sync"], line["realism"]) for line in lines} == {("5", "3", "1")}
    assert all(int(line["plays"]) >= 1 for line in lines)
    # Nothing was asked of any other machine.
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    file = tmp_path / "ratings.csv"
    file.write_text(text, encoding="utf-8")
    rows = ratings.read([file], key)
    assert len(rows) == 6 and {row["rater"] for row in rows} == {"rater-1"}


def test_raters_have_orders_of_their_own(made, browser):
    orders = []
    for name in ("a", "b"):
        page = browser.new_context().new_page()
        rate_by_keys(page, made[0], name)
        orders.append([line["clip"] for line in csv.DictReader(io.StringIO(saved(page)))])
    assert sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]


def test_nothing_is_skipped_and_a_reload_loses_nothing(made, browser):
    page = browser.new_context().new_page()
    rate_by_keys(page, made[0], "again", stop=1)
    assert page.locator("#clip-title").inner_text() == "Clip 2 of 6"
    # Not seen and not rated: the button does nothing, and says so to assistive technology.
    assert page.get_attribute("#next", "aria-disabled") == "true"
    page.click("#next", force=True)
    assert page.locator("#clip-title").inner_text() == "Clip 2 of 6"
    watch(page)
    page.get_by_role("group", name="How well do the lips fit the sound?").get_by_label("4").check()
    assert page.locator("#status").inner_text() == "2 of 3 ratings to give."
    page.click("#next", force=True)
    assert page.locator("#clip-title").inner_text() == "Clip 2 of 6"
    page.goto(made[0].as_uri())
    page.fill("#rater", "again")
    page.click("#begin")
    assert page.locator("#clip-title").inner_text() == "Clip 2 of 6"


def test_page_is_readable_without_sight(made, browser):
    page = browser.new_context().new_page()
    page.goto(made[0].as_uri())
    assert page.get_attribute("html", "lang") == "en" and page.title()
    page.click("#begin")
    assert "letters" in page.get_by_role("alert").inner_text()
    page.get_by_label("A name or number for you").fill("x")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "clip-title"
    assert page.get_attribute("#clip", "aria-label") == "Clip 1 of 6"
    for question in study.QUESTIONS:
        group = page.get_by_role("group", name=question["text"])
        assert group.get_by_role("radio").count() == 5
        assert group.get_by_role("radio", name=f"5, {question['high']}").count() == 1


# The table.


KEY = {
    "study": "s",
    "questions": ["emotion", "lip_sync", "realism"],
    "clips": {
        f"c{content}{number}": {"method": method, "content": content, "sha256": ""}
        for content in "xyz"
        for number, method in enumerate(("ground_truth", "avatar"))
    },
}


def write(path, rows) -> None:
    lines = ["study,rater,position,clip,emotion,lip_sync,realism,plays,seconds"]
    path.write_text("\n".join(lines + [f"s,{r},1,{c},{e},{s},{q},1,2.0" for r, c, e, s, q in rows]) + "\n")


def test_means_and_intervals(tmp_path):
    rng = np.random.default_rng(0)
    given = []
    for rater in range(6):
        path = tmp_path / f"{rater}.csv"
        rows = [(f"r{rater}", clip, rng.integers(1, 6), 4, 5 if clip.endswith("0") else 2) for clip in KEY["clips"]]
        given += rows
        write(path, rows)
    files = sorted(tmp_path.glob("*.csv"))
    content, facts = ratings.table(ratings.read(files, KEY), KEY, seed=1, resamples=500)
    (tmp_path / "table4.out").write_text(content)
    (tmp_path / "table4.json").write_text(json.dumps(facts))
    table = typeset.read(tmp_path / "table4.out", tmp_path / "table4.json")
    assert list(table.rows) == ["ground_truth", "avatar"]
    mean = np.mean([emotion for _, clip, emotion, _, _ in given if clip.endswith("1")])
    cell = table.rows["avatar"]["rating_emotion"]
    assert cell.value == pytest.approx(mean, abs=1e-4) and cell.low < cell.value < cell.high
    # All said the same: the interval has no width.
    same = table.rows["avatar"]["rating_lip_sync"]
    assert (same.value, same.low, same.high) == (4, 4, 4)
    assert table.rows["ground_truth"]["rating_realism"].value == 5


def test_interval_covers_the_truth_as_often_as_it_says():
    """Ratings = mean + rater's effect + content's effect + noise: 95 % intervals hold the mean about that often."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(150):
        marks = 3 + rng.normal(0, 0.5, (20, 1)) + rng.normal(0, 0.4, (1, 15)) + rng.normal(0, 0.6, (20, 15))
        low, high = ratings.interval(marks, rng, 300)
        held += low <= 3 <= high
    assert 0.85 <= held / 150 <= 1.0


def test_of_one_content_the_interval_is_over_raters():
    low, high = ratings.interval(np.array([[1.0], [3.0], [5.0], [3.0]]), np.random.default_rng(0), 2000)
    assert 1 <= low < 3 < high <= 5


def test_one_rater_has_no_interval():
    assert np.isnan(ratings.interval(np.ones((1, 5)), np.random.default_rng(0), 100)).all()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("r", "cx0", 6, 1, 1), "expected 1 to 5"),
        (("r", "cx0", "", 1, 1), "expected 1 to 5"),
        (("r", "other", 1, 1, 1), "not in the key"),
    ],
)
def test_bad_ratings_are_told(tmp_path, row, told):
    write(tmp_path / "a.csv", [row])
    with pytest.raises(ArtifactMismatch, match=told):
        ratings.read([tmp_path / "a.csv"], KEY)


def test_twice_the_same_file_is_told(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.csv", [("r", "cx0", 1, 1, 1)])
    with pytest.raises(ArtifactMismatch, match="already"):
        ratings.read(sorted(tmp_path.glob("*.csv")), KEY)
    with pytest.raises(ArtifactMismatch, match="no ratings"):
        ratings.table([], KEY, 0, 100)
