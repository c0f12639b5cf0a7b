"""The shipped voices."""

from pathlib import Path

import pytest

from emotag.synthetic.voices import Voice, load

VOICES = Path(__file__).resolve().parents[2] / "data" / "voices"


@pytest.fixture(scope="session")
def voices() -> dict[str, Voice]:
    return {voice.name: voice for voice in load(VOICES)}
