"""Configurations that a user may write: `python -m emotag check` ends with one line and code 2, or says that it is good."""

import os

import pytest

from emotag.__main__ import main

TERMS = 'source: own, licence: own, consent: "my own face"'


def person(entry: str) -> bytes:
    return f"identities: {{me: {{{entry}, {TERMS}}}}}\nadapt: {{identity: me}}\n".encode()


def named(name: str) -> bytes:
    return f'identities: {{"{name}": {{video: me.mp4, {TERMS}}}}}\n'.encode()


def consent(text: str) -> bytes:
    return f"identities: {{me: {{video: me.mp4, source: own, licence: own, consent: {text}}}}}\n".encode()


# Name: (the file, words of the line).
REFUSED: dict[str, tuple[bytes, list[str]]] = {
    "nothing": (b"", ["mine.yaml", "keys and values"]),
    "a list": (b"- 1\n", ["mine.yaml", "found list"]),
    "a number": (b"5\n", ["found int"]),
    "tabs": (b"crop:\n\tsize_px: 3\n", ["not YAML", "line 2"]),
    "open bracket": (b"crop: {size_px: 128\n", ["not YAML"]),
    "Latin-1": (b'crop: {x: "\xe9"}', ["not UTF-8", "save it as UTF-8"]),
    "UTF-16": ("crop: {}".encode("utf-16"), ["not UTF-8"]),
    "compressed": (b"\x1f\x8b\x08\0\0\0\0", ["not UTF-8"]),
    "zero bytes": (b"crop: {}\0\0\0", ["not YAML"]),
    "a key twice": (b"crop: {size_px: 128, size_px: 256}\n", ["'size_px' twice"]),
    "a section twice": (b"crop: {}\nadapt: {}\ncrop: {}\n", ["'crop' twice", "line 3"]),
    "an anchor that holds itself": (b"identities: &a {me: *a}\n", ["nested too deeply"]),
    "three thousand brackets": (b"crop: " + b"[" * 3000 + b"]" * 3000, ["nested too deeply"]),
    "a Python object": (b'crop: !!python/object/apply:os.system ["touch made"]\n', ["not YAML"]),
    "Snakemake's templates": (b'__use_yte__: true\n"?os.system(\'touch made\')": 1\n', ["__use_yte__", "unknown key"]),
    "unknown section": (b"crops: {}\n", ["crops: unknown key", "did you mean crop?"]),
    "unknown key": (b"crop: {sise_px: 128}\n", ["crop.sise_px: unknown key", "size_px"]),
    "empty section": (b"crop:\n", ["crop: found None", "keys and values"]),
    "unknown preset": (b"preset: huge\n", ["preset", "'laptop'"]),
    "number out of range": (b"crop: {size_px: 100000}\n", ["crop.size_px: found 100000", "2048"]),
    "negative number": (b"adapt: {iterations: -5}\n", ["adapt.iterations: found -5", "1"]),
    "fraction for a whole number": (b"adapt: {iterations: 5.5}\n", ["5.5", "integer"]),
    "odd edge": (b"crop: {size_px: 129}\n", ["crop.size_px: found 129", "multiple of 2"]),
    "not a number": (b"pretrain: {learning_rate: .nan}\n", ["pretrain.learning_rate: found nan", "finite"]),
    "infinite": (b"adapt: {weight_kl: .inf}\n", ["adapt.weight_kl: found inf", "finite"]),
    "infinite length": (person("video: me.mp4, test_on: [{seconds: .inf}]"), ["seconds: found inf", "finite"]),
    "not a number where no range is stated": (b"sync: {lead_frames: .nan}\n", ["sync.lead_frames: found nan"]),
    "truth value for a number": (b"render: {crf: on}\n", ["crf", "expected a number"]),
    "seed below zero": (b"adapt: {seed: -1}\n", ["adapt.seed: found -1"]),
    "seed beyond 32 bits": (b"adapt: {seed: 99999999999999999999}\n", ["adapt.seed", "4294967296"]),
    "no blocks": (b"speech: {blocks: []}\n", ["speech.blocks: found []"]),
    "length beyond a day": (person("video: me.mp4, adapt_on: {seconds: 1e300}"), ["adapt_on.seconds", "86400"]),
    "name with a way out": (named("../x"), ["'../x' is not a name", "letters"]),
    "name with a slash": (named("a/b"), ["'a/b' is not a name"]),
    "absolute name": (named("/etc/passwd"), ["is not a name"]),
    "empty name": (named(""), ["'' is not a name"]),
    "name with a line break": (named("a\\n"), ["is not a name"]),
    "name like an option": (named("--out"), ["'--out' is not a name"]),
    "name with shell characters": (named("a;$(touch made)"), ["is not a name"]),
    "name beyond ASCII": (named("é"), ["'é' is not a name"]),
    "number for a name": (b"identities: {001: {video: me.mp4}}\n", ["YAML read the number 1", "quotes"]),
    "clip with a way out": (person('clips: {"../a": me.mp4}'), ["'../a' is not a name"]),
    "person with a way out": (person('video: me.mp4, person: "../p"'), ["'../p' is not a name"]),
    "video that is not there": (person("video: gone.mp4"), ["identities.me.video: gone.mp4 does not exist"]),
    "folder for a video": (person("video: folder.mp4"), ["folder.mp4 does not exist"]),
    "video's name too long": (person(f"video: {'a' * 5000}.mp4"), ["does not exist"]),
    "line break in a file name": (person('video: "a\\nb.mp4"'), ["control characters", "rename"]),
    "zero byte in a file name": (person('video: "a\\0.mp4"'), ["control characters"]),
    "braces in a file name": (person('video: "{x}.mp4"'), ["braces", "rename"]),
    "list for a video": (person("video: [me.mp4]"), ["identities.me.video", "a list"]),
    "clips and video": (person("video: me.mp4, clips: {a: me.mp4}"), ["either video: FILE or clips"]),
    "test part inside the adaptation part": (
        person("video: me.mp4, test_on: [{start_s: 2}]"), ["test_on", "overlaps the adaptation part"],
    ),
    "identity that is not declared": (b"adapt: {identity: you}\n", ["'you'", "known: demo"]),
    "corpus clip that is not declared": (b"corpus: {clips: [nobody]}\n", ["'nobody'", "known: demo"]),
    "one clip's name for two files": (
        f"identities: {{a: {{clips: {{x: 1.mp4}}, {TERMS}}}, b: {{clips: {{x: 2.mp4}}, {TERMS}}}}}\n".encode(),
        ["clip 'x'", "rename one"],
    ),
    "no consent": (b"identities: {me: {video: me.mp4, source: own, licence: own}}\n", ["consent is missing", "own face"]),
    "blank consent": (consent('" "'), ["identities.me.consent"]),
    "consent that is a date": (consent("2026-01-01"), ["identities.me.consent", "the date"]),
    "expired consent": (consent("{scope: research, date: 2020-01-01, expires: 2021-01-01}"), ["expired on 2021-01-01"]),
    "consent that ends before it begins": (
        consent("{scope: research, date: 2030-01-01, expires: 2029-01-01}"),
        ["identities.me.consent: expires on 2029-01-01, before its date"],
    ),
    "consent on no day": (consent("{scope: research, date: soon}"), ["consent", "'soon'"]),
}  # fmt: skip

GOOD: dict[str, bytes] = {
    "nothing that differs": b"{}\n",
    "spaces and letters beyond ASCII": person('video: "mein Clip é 人.mp4"'),
    "shell characters in a file name": person('video: "$(touch made);\'a\\"&|.mp4"'),
    "symbolic link": person("video: link.mp4"),
    "two identities of one clip": (
        f"identities: {{a: {{clips: {{x: me.mp4}}, {TERMS}}}, b: {{clips: {{x: me.mp4}}, {TERMS}}}}}\n".encode()
    ),
    "consent until a day to come": consent("{scope: research, date: 2020-01-01, expires: 2999-01-01}"),
    "byte order mark": b"\xef\xbb\xbfcrop: {size_px: 128}\n",
    "JSON": b'{"crop": {"size_px": 128}}',
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("me.mp4", "mein Clip é 人.mp4", "$(touch made);'a\"&|.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "link.mp4").symlink_to("me.mp4")
    (tmp_path / "folder.mp4").mkdir()
    return tmp_path


def check(folder, content: bytes, capsys) -> tuple[int, str]:
    (folder / "mine.yaml").write_bytes(content)
    before = set(os.listdir(folder))
    code = main(["check", "--configfile", "mine.yaml"])
    assert set(os.listdir(folder)) == before
    return code, capsys.readouterr().err.strip()


@pytest.mark.parametrize("case", REFUSED)
def test_configuration_that_cannot_be_used_is_refused(case, folder, capsys):
    content, words = REFUSED[case]
    code, said = check(folder, content, capsys)
    assert code == 2 and said.startswith("error: ") and len(said.splitlines()) == 1
    for word in words:
        assert word in said, said


@pytest.mark.parametrize("case", GOOD)
def test_unusual_configuration_is_good(case, folder, capsys):
    assert check(folder, GOOD[case], capsys) == (0, "")
