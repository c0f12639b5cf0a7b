"""Identities: whose clips they are, on what terms, which part is adapted on and which clips are tested on."""

import datetime
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from emotag.complaints import not_text
from emotag.config import DAY_S, ExcerptConfig, Settings
from emotag.types import EMOTIONS

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

# Where the clips of the synthetic corpus lie, and how many speakers data/takes holds.
TALKERS = "results/synthetic"
SHIPPED_SPEAKERS = 12

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_name(value: Any) -> str:
    """A name that can be part of a path: letters, digits, `_` and `-`, beginning with a letter or digit."""
    if not isinstance(value, str):
        raise ValueError(not_text(value, "a name"))
    if not NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name; use letters, digits, _ and - only, beginning with a letter or a digit"
        )
    return value


Name = Annotated[str, BeforeValidator(check_name)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def check_file(value: str) -> str:
    """A file name that Snakemake can carry: it takes braces for wildcards and knows no way to quote them, and its logs and
    shell commands are lines."""
    if CONTROL.search(value):
        raise ValueError(
            f"found {value!r}; control characters cannot stand in a file name here, please rename the file"
        )
    if "{" in value or "}" in value:
        raise ValueError(f"found {value!r}; braces cannot stand in a file name here, please rename the file")
    return value


File = Annotated[str, StringConstraints(min_length=1), AfterValidator(check_file)]


class Consent(Settings):
    """Consent on record."""

    scope: Text = Field(description="what the person agreed to")
    date: datetime.date
    expires: datetime.date | None = None
    evidence: Text | None = Field(None, description="where the signed form or the recording is")

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> "Consent":
        if self.expires is not None and self.expires < self.date:
            raise ValueError(f"expires on {self.expires}, before its date {self.date}; correct one of them")
        return self


def _kind_of_consent(value: Any) -> str:
    return "record" if isinstance(value, Mapping | Consent) else "text"


AnyConsent = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Consent, Tag("record")], Discriminator(_kind_of_consent)
]


class AdaptPart(Settings):
    """The seconds an avatar is made of."""

    clip: Name | None = Field(None, description="name of a clip; may be left out where there is only one")
    start_s: float = Field(0.0, ge=0, le=DAY_S)
    seconds: float = Field(5.0, ge=1, le=DAY_S)


class TestPart(ExcerptConfig):
    """Seconds an avatar is tested on."""

    clip: Name | None = Field(None, description="name of a clip; may be left out where there is only one")

    @property
    def name(self) -> str:
        """A name for the results of this part of a named clip: that of the clip where all of it is meant."""
        start, length = self.start_s, self.seconds
        if start is None:
            span = None if length is None else f"first-{_ms(length)}ms"
        else:
            span = f"from-{_ms(start)}ms" if length is None else f"{_ms(start)}-{_ms(start + length)}ms"
        return "-".join(filter(None, [self.clip, span]))

    def meets(self, start_s: float, seconds: float) -> bool:
        """Whether it has a stated beginning and overlaps [start_s, start_s + seconds) of the same clip."""
        if self.start_s is None:
            return False
        end = math.inf if self.seconds is None else self.start_s + self.seconds
        return self.start_s < start_s + seconds and start_s < end


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


AnyTest = Annotated[
    Annotated[Name, Tag("clip")] | Annotated[TestPart, Tag("part")],
    Discriminator(lambda value: "part" if isinstance(value, Mapping | TestPart) else "clip"),
]


class ClipLabel(Settings):
    """What is acted in a clip; clips without a label count as neutral speech."""

    emotion: Literal[EMOTIONS] = "neutral"
    level: int | None = Field(None, ge=1, le=3, description="intensity, as MEAD counts it")


class Identity(Settings):
    """One person as an avatar is made of them. Either `video` (one clip, split after `adapt_on.seconds`) or `clips`."""

    person: Name | None = Field(None, description="who it is, where one person has several identities")
    video: File | None = Field(None, description="short form: one clip, named as the identity")
    clips: dict[Name, File] = Field(default_factory=dict, description="clip name: file")
    adapt_on: AdaptPart = AdaptPart()
    test_on: list[AnyTest] = Field(
        default_factory=list,
        description="clips, or parts of them, to test on; left out: the others, or the rest of the only one",
    )
    labels: dict[Name, ClipLabel] = Field(
        default_factory=dict, description="clip name: emotion and level acted in it, for the tables (target paper)"
    )
    language: Text | None = Field(None, description="language spoken, for the tables; left out: not known")
    source: Text = Field(description="where the footage comes from")
    licence: Text = Field(description="under which terms it may be used")
    consent: AnyConsent = Field(description="the person's consent, as text or as a record with date and scope")

    @model_validator(mode="after")
    def _clips_fit(self) -> "Identity":
        if bool(self.video) == bool(self.clips):
            raise ValueError("give either video: FILE or clips: {name: FILE}")
        named = [part.clip for part in self.tests() if part.clip]
        if self.video and (self.adapt_on.clip or named):
            raise ValueError("adapt_on.clip and test_on name clips, so give clips: {name: FILE} instead of video")
        if self.clips and self.adapt_on.clip is None and len(self.clips) > 1:
            raise ValueError(f"adapt_on.clip is missing; choose one of {', '.join(self.clips)}")
        for clip in [*named, *filter(None, [self.adapt_on.clip])]:
            if clip not in self.clips:
                raise ValueError(f"{clip!r} is not among its clips; known: {', '.join(self.clips)}")
        return self

    @model_validator(mode="after")
    def _tests_are_unseen(self) -> "Identity":
        adapted = self.adapt_on
        seen = set()
        for part in self.tests():
            if part.clip is None and len(self.clips) > 1:
                raise ValueError(f"test_on: a part names no clip; choose one of {', '.join(self.clips)}")
            same = len(self.clips) < 2 or part.clip == adapted.clip
            if same and part.meets(adapted.start_s, adapted.seconds):
                raise ValueError(
                    f"test_on: the part from {part.start_s:g} s overlaps the adaptation part ({adapted.start_s:g} to "
                    f"{adapted.start_s + adapted.seconds:g} s); give start_s and seconds outside it"
                )
            if part.name in seen:
                raise ValueError(f"test_on: found {part.name!r} twice; remove one")
            seen.add(part.name)
        return self

    def tests(self) -> list[TestPart]:
        """The entries of `test_on`, a bare clip name being all of that clip that is not adapted on."""
        return [part if isinstance(part, TestPart) else TestPart(clip=part) for part in self.test_on]

    def expired(self, today: datetime.date) -> bool:
        """Whether consent ended before `today`."""
        return isinstance(self.consent, Consent) and self.consent.expires is not None and self.consent.expires < today


class Recording(Settings):
    """Speech of a real person who drives a synthetic talker, on terms as those of a face."""

    audio: File = Field(description="any audio file")
    transcript: File | None = Field(None, description="text file; needs espeak-ng. Left out: phones are recognised")
    language: str = Field("en", pattern=r"^[a-z]{2,3}(-[a-z0-9]+)*$", description="as espeak-ng names it")
    source: Text
    licence: Text
    consent: Text = Field(description="the speaker's")


def talkers(identities: int, clips: int, voices: Mapping[str, Recording]) -> dict[str, Identity]:
    """The people of the synthetic corpus: `syn01` with clips `syn01-c01`, …; adapted on their first clip, a neutral one.

    Voices are the shipped ones, then `voices`, then all of these again.
    """
    speakers = [None] * SHIPPED_SPEAKERS + list(voices.values())
    made = {}
    for number in range(1, identities + 1):
        names = [f"syn{number:02d}-c{clip:02d}" for clip in range(1, clips + 1)]
        files = {name: f"{TALKERS}/{name}/video.mp4" for name in names}
        terms = _terms(speakers[(number - 1) % len(speakers)])
        made[f"syn{number:02d}"] = Identity(clips=files, adapt_on=AdaptPart(clip=names[0]), **terms)
    return made


def _terms(heard: Recording | None) -> dict[str, str]:
    if heard is None:
        source, licence, consent = "synthetic speech", "CC0-1.0", "nobody's face or voice: no person is shown or heard"
    else:
        source, licence = heard.source, f"head CC0-1.0, speech {heard.licence}"
        consent = f"nobody's face: no person is shown; the speaker's: {heard.consent}"
    return {
        "source": f"made by this project from the CC0 MakeHuman head and {source}",
        "licence": licence,
        "consent": consent,
    }
