"""Sections of the project's configuration that are more than one stage's settings."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from emotag import config as stages
from emotag.complaints import not_text
from emotag.moods import Timeline
from emotag.people import File, Identity, Name, Recording, talkers

DEMO = "demo"


class DrivingAudio(stages.Settings):
    """Speech from a file of its own."""

    audio: File = Field(description="any audio file")
    calm: File | None = Field(
        None,
        description="the same voice speaking calmly, recorded alike (ten seconds; a video will do): what differs from it is "
        "heard as emotion; none: emotion is not heard",
    )


def _check_drive(value: Any) -> Any:
    if value == "self" or isinstance(value, Mapping | DrivingAudio):
        return value
    raise ValueError(
        (f"found {value!r}" if isinstance(value, str) else not_text(value)) + "; say self, or {audio: FILE}"
    )


def _check_emotion(value: Any) -> Any:
    """One mood stands for the whole time."""
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, list | tuple):
        return value
    raise ValueError(f"found {value!r}, expected {{label: happy, level: 2}}, or a list of such with from_s")


class Adapt(stages.AdaptConfig):
    """What `adapt_identity` makes, and the settings of stage adapt."""

    identity: Name = Field(DEMO, description="key of identities")
    drive: Annotated[DrivingAudio | Literal["self"], BeforeValidator(_check_drive)] = Field(
        "self", description="self: the test part's own speech; {audio: FILE}: other speech"
    )

    emotion: Annotated[Timeline, BeforeValidator(_check_emotion)] = Field(
        (),
        description="with drive {audio: FILE}: {label: happy, level: 2}, or a list of such with from_s; left out: what is "
        "heard, where drive names a calm recording of the voice",
    )

    @model_validator(mode="after")
    def _nothing_to_compare(self) -> "Adapt":
        if self.emotion and self.drive == "self":
            raise ValueError(
                "emotion is set, but drive is self, which is compared with what the person showed; say drive: {audio: FILE}"
            )
        if self.emotion and isinstance(self.drive, DrivingAudio) and self.drive.calm:
            raise ValueError(
                "emotion is set, and drive.calm is for emotion that is heard; leave out one of the two (emotion: [])"
            )
        return self


class Pretrain(stages.PretrainConfig):
    """The prior's two phases: in motion space, then on pictures."""

    rendered: stages.RenderedConfig = stages.RenderedConfig()


class PriorSettings(stages.Settings):
    """Which prior an avatar begins with."""

    source: Literal["auto", "shipped", "train"] = Field(
        "auto",
        description="shipped: that of data/priors, an error where the settings do not fit it; train: one is trained; "
        "auto: the shipped one where it fits, else one is trained, and which is said at the start",
    )


class SyntheticCorpus(stages.SyntheticClipConfig):
    """Rendered talkers with ground truth (target synthetic_corpus): how many, and the settings of each clip."""

    identities: int = Field(12, ge=1, le=99)
    clips: int = Field(8, ge=1, le=99, description="a person's clips: the takes of data/takes in turn")
    voices: dict[Name, Recording] = Field(
        default_factory=dict, description="recordings for the identities after the shipped voices' twelve, in turn"
    )

    def people(self) -> dict[str, Identity]:
        """Everyone in it."""
        return talkers(self.identities, self.clips, self.voices)


class CorpusSettings(stages.Settings):
    """What the prior is trained on."""

    clips: list[Name] = Field(
        default_factory=list,
        description="clips of identities declared here; none: synthetic talkers. The adapted person is always left out",
    )
    manifest: File | None = Field(
        None, description="data/corpora/NAME.yaml: its clips of split train that are there are added to clips"
    )
    curated: bool = Field(False, description="leave out clips that a filter of curation rejects, saying which and why")
    synthetic: bool = Field(
        True, description="keep the synthetic talkers beside the clips (few real people are too few)"
    )


class PaperSpeech(stages.Settings):
    """Speech of nobody who is shown, to drive avatars of others with."""

    file: File = Field(description="any audio file")
    language: str | None = None


class PaperSettings(stages.Settings):
    """What target `paper` makes (docs/tables.md)."""

    variants: File = Field("data/variants.yaml", description="variants and ablations")
    tables: File = Field("data/tables.yaml", description="settings and tables")
    only: list[Name] = Field(default_factory=list, description="tables to make; none: all")
    identities: list[Name] = Field(default_factory=list, description="whom to measure; none: all that have footage")
    speech: dict[Name, PaperSpeech] = Field(
        default_factory=dict, description="further driving audio out of distribution; other people's clips are always"
    )


class ExternalMethod(stages.Settings):
    """Videos that another system made: FOLDER/IDENTITY/DRIVE.mp4, frame by frame with truth.mp4 of the drive."""

    name: Name
    videos: File = Field(description="their folder")
