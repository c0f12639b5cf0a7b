"""The project's configuration as a whole: preset < config.yaml < --configfile < --config, then validated.

Torch-free and quick, because every Snakemake process reads it.
"""

import datetime
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from emotag import config as stages
from emotag import manifest
from emotag.complaints import check_keys, first_complaint
from emotag.errors import ConfigError, ConsentMissing
from emotag.people import TALKERS, Identity, Name
from emotag.presets import PRESETS, choose, has_cuda
from emotag.sections import (
    DEMO,
    Adapt,
    CorpusSettings,
    DrivingAudio,
    ExternalMethod,
    PaperSettings,
    Pretrain,
    PriorSettings,
    SyntheticCorpus,
)
from emotag.yaml_files import merge

DEMO_VIDEO = "results/demo/demo.mp4"
# The settings of the prior's second phase.
RENDERED = "pretrain.rendered"
CONSENT_KEYS = ("source", "licence", "consent")
# The identity that needs no footage: a talker made by code. It is always there.
EMBEDDED = {
    DEMO: {
        "video": DEMO_VIDEO,
        "source": "made by this project from the CC0 MakeHuman head and synthetic speech",
        "licence": "CC0-1.0",
        "consent": "nobody's face: no person is shown",
    }
}


class Config(stages.Settings):
    """All settings of the pipeline."""

    preset: Literal["auto", "laptop", "workstation", "paper"] = Field("auto", description="scale; auto: by the machine")
    forget: Name | None = Field(None, description="whom target forget_identity forgets: an identity, or a person")
    identities: dict[Name, Identity]
    corpus: CorpusSettings = CorpusSettings()
    talkers: stages.TalkersConfig = stages.TalkersConfig()
    demo: stages.DemoConfig = stages.DemoConfig()
    head: stages.HeadConfig = stages.HeadConfig()
    synthetic_corpus: SyntheticCorpus = SyntheticCorpus()
    crop: stages.CropConfig = stages.CropConfig()
    landmarks: stages.LandmarksConfig = stages.LandmarksConfig()
    matte: stages.MatteConfig = stages.MatteConfig()
    speech: stages.SpeechConfig = stages.SpeechConfig()
    emotion: stages.EmotionConfig = stages.EmotionConfig()
    sync: stages.SyncConfig = stages.SyncConfig()
    shape: stages.ShapeConfig = stages.ShapeConfig()
    track: stages.TrackConfig = stages.TrackConfig()
    action_units: stages.ActionUnitsConfig = stages.ActionUnitsConfig()
    identity: stages.IdentityConfig = Field(stages.IdentityConfig(), description="identity feature (not a name)")
    geometry: stages.GeometryConfig = stages.GeometryConfig()
    curation: stages.CurationConfig = stages.CurationConfig()
    prior: PriorSettings = PriorSettings()
    pretrain: Pretrain = Pretrain()
    adapt: Adapt = Adapt()
    paper: PaperSettings = PaperSettings()
    methods: list[ExternalMethod] = Field(default_factory=list, description="other systems' videos, for the tables")
    plate: stages.PlateConfig = stages.PlateConfig()
    refine: stages.RefineConfig = stages.RefineConfig()
    render: stages.RenderConfig = stages.RenderConfig()
    measure: stages.MeasureConfig = stages.MeasureConfig()
    study: stages.StudyConfig = stages.StudyConfig()
    figures: stages.FiguresConfig = stages.FiguresConfig()

    @model_validator(mode="after")
    def _references_hold(self) -> "Config":
        everyone = self.everyone()
        if self.adapt.identity not in everyone:
            raise ValueError(
                f"adapt.identity is {self.adapt.identity!r}, which is not declared under identities; "
                f"known: {', '.join(sorted(self.identities))}"
            )
        if self.identities[DEMO].video != DEMO_VIDEO:
            raise ValueError(f"identities.{DEMO} is made by code and has no other video; choose another name")
        if self.track.initialise == "blendshapes" and self.head.model.startswith("flame"):
            raise ValueError(
                f"track.initialise blendshapes has ARKit's units, head.model is {self.head.model}; say rest"
            )
        if self.track.provider == "vhap" and not self.head.model.startswith("flame"):
            raise ValueError(
                f"track.provider vhap has FLAME's parameters, head.model is {self.head.model}; choose a FLAME"
            )
        for name, identity in self.identities.items():
            strange = identity.labels.keys() - set(identity.clips or {name})
            if strange:
                raise ValueError(f"identities.{name}.labels names {', '.join(sorted(strange))}, which is no clip of it")
        unknown = set(self.paper.identities) - self.identities.keys()
        if unknown:
            raise ValueError(f"paper.identities names {', '.join(sorted(unknown))}, not declared under identities")
        if self.pretrain.modulation == "none" and "adain" in self.adapt.scope:
            raise ValueError(
                f"adapt.scope {self.adapt.scope} trains AdaIN, which pretrain.modulation none leaves out; "
                "set adapt.scope to gaussians, mouth or backbone"
            )
        owners = clip_owners(everyone)
        named = {f"figures.{name}": clip for name, clip in self.figures.clips().items() if clip is not None}
        for where, clip in [*named.items(), *(("corpus.clips", clip) for clip in self.corpus.clips)]:
            if clip not in owners:
                known = ", ".join(clip_owners(self.identities))
                raise ValueError(f"{where} names {clip!r}, which no identity declares; known: {known}")
        people = {name: settings.person or name for name, settings in everyone.items()}
        if self.corpus.clips and {people[owners[clip][1]] for clip in self.corpus.clips} == {
            people[self.adapt.identity]
        }:
            raise ValueError(
                "corpus.clips shows nobody but the adapted person, who is left out; add other people or no clip"
            )
        return self

    def everyone(self) -> dict[str, Identity]:
        """The identities declared, and those of the synthetic corpus."""
        return self.synthetic_corpus.people() | self.identities

    def without_talkers(self) -> dict[str, str]:
        """Settings that synthetic talkers cannot speak for, and why: they have neither a face to recognise nor features
        given from outside."""
        reasons = {
            "speech.provider given": self.speech.provider == "given"
            and "speak at speeds that no features are given for",
            "identity.provider adaface": self.identity.provider == "adaface" and "have no pictures",
            f"head.model {self.head.model}": self.head.model.startswith("flame")
            and "move by named units, not by FLAME's",
        }
        return {setting: why for setting, why in reasons.items() if why}

    def lacking(self) -> list[str]:
        """Why no prior can be trained as configured."""
        return [
            f"{setting} needs corpus: {{clips: [...], synthetic: false}}, because the synthetic talkers {why}"
            for setting, why in self.without_talkers().items()
            if self.corpus.synthetic or not self.corpus.clips
        ]


def clip_owners(identities: Mapping[str, Identity]) -> dict[str, tuple[str, str]]:
    """Every clip by name: (file, the first identity that has it). Names are global, because preprocessing is shared.

    Raises:
        ValueError: one name stands for two files.
    """
    owners: dict[str, tuple[str, str]] = {}
    for identity, settings in identities.items():
        for clip, file in (settings.clips or {identity: settings.video}).items():
            other = owners.setdefault(clip, (file, identity))
            if other[0] != file:
                raise ValueError(f"clip {clip!r} is {other[0]} for {other[1]} but {file} for {identity}; rename one")
    return owners


def resolve(user: Mapping[str, Any], cuda: bool | None = None, today: datetime.date | None = None) -> Config:
    """Validate the merged configuration of a run, on top of its preset; `auto` is replaced by what it means.

    Raises:
        ConfigError, ConsentMissing: one line that says where, what was found and what to do.
    """
    check_keys(user)
    name = user.get("preset", "auto")
    if name == "auto":
        name = choose(has_cuda() if cuda is None else cuda)
    below = merge({"identities": EMBEDDED}, PRESETS.get(name, {}) if isinstance(name, str) else {})
    tree = merge(below, {**user, "preset": name})
    require_consent(tree)
    tree = with_manifest(tree)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(first_complaint(error, Config, data=tree)) from error
    for identity, settings in config.identities.items():
        # Whose consent has expired can still be forgotten.
        leaving = config.forget is not None and config.forget in (identity, settings.person)
        if not leaving and settings.expired(today or datetime.date.today()):
            raise ConsentMissing(
                f"identities.{identity}.consent expired on {settings.consent.expires}; renew it or remove the identity"
            )
    return config


def with_manifest(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with the people and training clips of `corpus.manifest` that are there; what is declared comes first.

    Raises:
        ConfigError: the manifest cannot be read, or nothing of its training split is there.
    """
    corpus = tree.get("corpus")
    path = corpus.get("manifest") if isinstance(corpus, Mapping) else None
    if not isinstance(path, str):
        return dict(tree)
    listed = manifest.load(Path(path))
    clips = manifest.for_training(listed)
    if not clips:
        raise ConfigError(
            f"corpus.manifest: none of the training clips of {path} is under {listed.root}; get some, or correct its root"
        )
    declared = corpus.get("clips") if isinstance(corpus.get("clips"), list) else []
    added = {"clips": list(dict.fromkeys([*declared, *clips]))}
    return merge(merge({"identities": manifest.identities(listed)}, tree), {"corpus": added})


def require_consent(tree: Mapping[str, Any]) -> None:
    """Refuse identities without source, licence or consent, before anything else is said about them."""
    identities = tree.get("identities")
    for name, settings in identities.items() if isinstance(identities, Mapping) else ():
        for key in CONSENT_KEYS if isinstance(settings, Mapping) else ():
            if settings.get(key) in (None, "", {}):
                raise ConsentMissing(
                    f"identities.{name}.{key} is missing; every identity needs source, licence and consent "
                    '(for your own face: source: own recording, licence: own, consent: "my own face")'
                )


def check_corpus(config: Config) -> None:
    """Refuse a configuration whose prior cannot be trained.

    Raises:
        ConfigError: says which setting asks for a corpus of clips.
    """
    if lacking := config.lacking():
        raise ConfigError(lacking[0])


def check_files(config: Config) -> None:
    """Refuse a run whose videos or driving audio are not there.

    Raises:
        ConfigError: names the key and the file.
    """
    everyone = config.everyone()
    identity = everyone[config.adapt.identity]
    wanted = {f"identities.{config.adapt.identity}.video": identity.video or ""}
    wanted |= {f"identities.{config.adapt.identity}.clips.{clip}": file for clip, file in identity.clips.items()}
    owners = clip_owners(everyone)
    wanted |= {f"corpus.clips, {clip}": owners[clip][0] for clip in config.corpus.clips}
    for name, recording in config.synthetic_corpus.voices.items():
        wanted[f"synthetic_corpus.voices.{name}.audio"] = recording.audio
        wanted[f"synthetic_corpus.voices.{name}.transcript"] = recording.transcript or ""
    if isinstance(config.adapt.drive, DrivingAudio):
        wanted["adapt.drive.audio"] = config.adapt.drive.audio
        wanted["adapt.drive.calm"] = config.adapt.drive.calm or ""
    for key, file in wanted.items():
        made = file == DEMO_VIDEO or file.startswith(f"{TALKERS}/")
        if file and not made and not _is_file(file):
            raise ConfigError(f"{key}: {file} does not exist (looked in {Path.cwd()}); check the path")


def _is_file(file: str) -> bool:
    try:
        return Path(file).is_file()
    except OSError:  # longer than the file system takes
        return False


def stage_model(section: str) -> type[BaseModel]:
    """The settings model that the stage of a section reads (some sections hold more than their stage needs)."""
    smaller = {
        "adapt": stages.AdaptConfig,
        "synthetic_corpus": stages.SyntheticClipConfig,
        "pretrain": stages.PretrainConfig,
        RENDERED: stages.RenderedConfig,
    }
    return smaller.get(section) or Config.model_fields[section].annotation


def stage_settings(config: Config, section: str) -> dict[str, Any]:
    """The values of a section (`a.b`: of section b within a) that its stage reads."""
    values = functools.reduce(getattr, section.split("."), config).model_dump(mode="json")
    return {name: values[name] for name in stage_model(section).model_fields}
