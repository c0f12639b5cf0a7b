"""IPA to phones; texts by espeak-ng where it is installed."""

import shutil

import pytest

from emotag.errors import AssetMissing, ConfigError
from emotag.synthetic import ipa
from emotag.synthetic.visemes import TARGETS

WITH_ESPEAK = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def test_every_phone_has_a_viseme():
    assert {phone for phone in ipa.PHONES.values() if phone} <= set(TARGETS)


def test_marks_are_passed_over():
    assert ipa.phones_of("bɔ̃ʒˈuːʁ") == ["B", "AO", "ZH", "UW", "G"]


@WITH_ESPEAK
def test_a_text():
    assert ipa.phones_of_text("My moon", "en") == ["M", "AE", "IH", "M", "UW", "N"]
    with pytest.raises(ConfigError, match="check language"):
        ipa.phones_of_text("hello", "qqq")


def test_without_espeak(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(AssetMissing, match="espeak-ng"):
        ipa.phones_of_text("hello", "en")
