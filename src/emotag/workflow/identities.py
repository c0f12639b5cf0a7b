"""Which clip, part, prior and driving speech belong to a job: input and params functions of the rules.

Preprocessing is keyed by clip, everything fitted to a person by identity. A drive is `self-<part>` (the speech of a test
clip or of a part of it, so that there is a ground truth) or `audio-<name>` (speech from a file of its own).
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emotag.config import ExcerptConfig
from emotag.people import SHIPPED_SPEAKERS, TALKERS, Identity, Recording, TestPart
from emotag.project import DEMO_VIDEO, Config, clip_owners
from emotag.sections import DrivingAudio
from emotag.workflow.assets import BLENDSHAPES, detector_of, model_of, place_of, sapiens_of
from emotag.workflow.derived import base_of, derive, part_named
from emotag.workflow.moods import AUDIO, CALM, actors, audio_name, calm_file, shown, spoken_files
from emotag.workflow.priors import OF_CLIPS, SYNTHETIC, Priors
from emotag.workflow.shipped import Shipped

SELF = "self-"
VARIANTS = ("avatar", "frozen", "nearest", "upper_bound")
# Files of a clip that depend on whose head was fitted to it, or on the part that was adapted on.
FITTED = (
    "tracks.safetensors",
    "refined.safetensors",
    "action_units.safetensors",
    "sync.json",
    "quality.json",
    "overlay.mp4",
)


@dataclass(frozen=True)
class Plan:
    """The questions that rules ask of the configuration. Methods with `wildcards` are given to rules as they are."""

    config: Config
    terms: dict[str, Any] = field(default_factory=dict)
    shipped: Shipped | None = None

    @cached_property
    def everyone(self) -> dict[str, Identity]:
        """Declared identities and those of the synthetic corpus, gathered once: every job asks."""
        return self.config.everyone()

    @cached_property
    def owners(self) -> dict[str, tuple[str, str]]:
        """Every clip by name: its file and the identity it belongs to."""
        return clip_owners(self.everyone)

    def identity(self, name: str) -> Identity:
        """Settings of an identity, declared or derived of one; an unknown one makes the job impossible."""
        declared = self.everyone
        return declared[name] if name in declared else derive(name, declared[base_of(name)])

    def clips_of(self, identity: str) -> dict[str, str]:
        """{clip: file} of an identity."""
        settings = self.identity(identity)
        return settings.clips or {identity: settings.video or ""}

    def person(self, identity: str) -> str:
        """Who it is: what must be left out of the prior."""
        return self.identity(identity).person or identity

    def is_embedded(self, identity: str) -> bool:
        """Whether it is the talker made by code."""
        return DEMO_VIDEO in self.clips_of(identity).values()

    def adapt_clip(self, identity: str) -> str:
        """The clip that the avatar is made of."""
        return self.identity(identity).adapt_on.clip or next(iter(self.clips_of(identity)))

    def tests(self, identity: str) -> dict[str, TestPart]:
        """{drive: part} the avatar is tested on: those named, else the other clips, else the rest of the only one."""
        adapted = self.adapt_clip(identity)
        others = [clip for clip in self.clips_of(identity) if clip != adapted]
        listed = self.identity(identity).tests() or [TestPart(clip=clip) for clip in others or [adapted]]
        parts = [part if part.clip else part.model_copy(update={"clip": adapted}) for part in listed]
        return {SELF + part.name: part for part in parts}

    def part(self, identity: str, drive: str) -> TestPart:
        """The part that a drive `self-<part>` of an identity covers."""
        return self.tests(identity).get(drive) or part_named(drive.removeprefix(SELF), self.clips_of(identity))

    def test_clips(self, identity: str) -> list[str]:
        """The clips that the avatar is tested on, or on parts of."""
        return list(dict.fromkeys(str(part.clip) for part in self.tests(identity).values()))

    def drives(self, identity: str) -> list[str]:
        """What the avatar of an identity is driven by."""
        drive = self.config.adapt.drive
        if isinstance(drive, DrivingAudio):
            return [AUDIO + audio_name(drive.audio)]
        return list(self.tests(identity))

    def variants(self, drive: str) -> list[str]:
        """The avatar, and its baselines where there is a truth to compare with."""
        return list(VARIANTS) if drive.startswith(SELF) else ["avatar"]

    def cue_clip(self, identity: str, drive: str) -> str:
        """The clip whose poses, upper-face cues and plate a drive uses."""
        return str(self.part(identity, drive).clip) if drive.startswith(SELF) else self.adapt_clip(identity)

    def corpus(self) -> str:
        """Which corpus the prior is trained on."""
        return OF_CLIPS if self.config.corpus.clips else SYNTHETIC

    def corpus_identity(self, clip: str) -> str:
        """The identity whose subject tracks a corpus clip."""
        return self.owners[clip][1]

    def corpus_people(self) -> dict[str, str]:
        """{clip: person} of the corpus."""
        return {clip: self.person(self.corpus_identity(clip)) for clip in self.config.corpus.clips}

    def corpus_without(self, left_out: str) -> dict[str, str]:
        """{clip: person} of the corpus without the person of `without-<person>`."""
        return {clip: person for clip, person in self.corpus_people().items() if left_out != f"without-{person}"}

    def corpus_files(self, left_out: str, file: str) -> list[str]:
        """A file of every clip of the corpus but those of the person left out."""
        return [self.clip_file(self.corpus_identity(clip), clip, file) for clip in self.corpus_without(left_out)]

    def talker_clips(self) -> dict[str, str]:
        """{clip: person} of the synthetic corpus."""
        people = self.config.synthetic_corpus.people()
        return {clip: name for name, identity in people.items() for clip in identity.clips}

    def talker_files(self, *files: str) -> list[str]:
        """Files of every clip of the synthetic corpus."""
        return [f"{TALKERS}/{clip}/{file}" for clip in self.talker_clips() for file in files]

    def recording(self, wildcards: Any) -> Recording:
        """The recording of a voice."""
        return self.config.synthetic_corpus.voices[wildcards.name]

    def speaker(self, wildcards: Any) -> list[str]:
        """Takes of the voice of a synthetic person, and their sound: the shipped ones, then the recordings, then again."""
        shipped = [f"data/takes/speaker{number:02d}" for number in range(1, SHIPPED_SPEAKERS + 1)]
        recorded = [f"results/takes/{name}/speaker-{name}" for name in self.config.synthetic_corpus.voices]
        place = (int(wildcards.talker) - 1) % (len(shipped) + len(recorded))
        sound = ".ogg" if place < len(shipped) else ".wav"
        stem = (shipped + recorded)[place]
        return [f"{stem}.json", f"{stem}{sound}"]

    def talker_tracks(self) -> list[str]:
        """What the tracker finds in every clip of the synthetic corpus."""
        return [self.clip_file(name, clip, "tracks.safetensors") for clip, name in self.talker_clips().items()]

    def judgements(self, left_out: str = "all") -> list[str]:
        """The curation of every clip of the corpus but those of the person left out."""
        return [f"results/curation/{clip}.json" for clip in self.corpus_without(left_out)]

    def curation(self, wildcards: Any) -> list[str]:
        """Judgements that the corpus of a job heeds."""
        return self.judgements(wildcards.left_out) if self.config.corpus.curated else []

    def left_out(self, identity: str) -> str:
        """`without-<person>` where the corpus holds the person of an identity, else `all`."""
        person = self.person(identity)
        return f"without-{person}" if person in self.corpus_people().values() else "all"

    @cached_property
    def priors(self) -> Priors:
        """What is asked of priors."""
        return Priors(self, self.shipped)

    def own_names(self, identity: str, drive: str) -> list[str]:
        """What the jobs behind a drive are named after: identity, clips and the drive itself."""
        return list(dict.fromkeys([identity, self.adapt_clip(identity), self.cue_clip(identity, drive), drive]))

    def shared_jobs(self, identity: str) -> list[str]:
        """Benchmarks, as `<rule>/<job>`, of the work behind an identity that other identities use too."""
        corpus, left_out = self.corpus(), self.left_out(identity)
        made = "corpus/shared" if corpus == SYNTHETIC else f"corpus_clips/{left_out}@shared"
        footage = ["demo/shared"] if self.is_embedded(identity) else []
        begun = ["head/shared", *footage, "lips/shared"]
        if self.priors.choice(identity)[0]:
            return begun
        rendered = [f"pretrain_rendered/{corpus}@{self.priors.unseen(identity)}@shared"] if self.priors.renders else []
        acted = ["actors/shared"] if actors(self.config) else []
        return [*begun, made, *acted, f"pretrain/{corpus}@{left_out}@shared", *rendered]

    def preprocessed(self, identity: str) -> list[str]:
        """All that is known of an identity before an avatar is made."""
        base = f"results/identities/{identity}"
        clips = dict.fromkeys([self.adapt_clip(identity), *self.test_clips(identity)])
        outside = self.config.action_units.provider != "expression"
        kinds = ("quality.json", "action_units.safetensors", *(("calibration.json",) if outside else ()))
        of_clips = [f"{base}/{clip}/{kind}" for clip in clips for kind in kinds]
        return [f"{base}/identity.safetensors", f"{base}/geometry.safetensors", *of_clips]

    def results(self, identity: str, file: str, variants: list[str] | None = None) -> list[str]:
        """A file of every variant of every drive of an identity."""
        return [
            f"results/identities/{identity}/drives/{drive}/{variant}/{file}"
            for drive in self.drives(identity)
            for variant in variants or self.variants(drive)
        ]

    def shown(self, identity: str, file: str) -> list[str]:
        """A file of every drive of an identity."""
        return [f"results/identities/{identity}/drives/{drive}/{file}" for drive in self.drives(identity)]

    def measured(self, identity: str) -> list[str]:
        """The metrics of every drive that has a ground truth."""
        return [file for file in self.shown(identity, "metrics.parquet") if f"/{SELF}" in file]

    def rated(self) -> list[str]:
        """The videos of the user study: truth and every variant of every drive of all identities that has a truth."""
        return [
            f"results/identities/{identity}/drives/{drive}/{file}"
            for identity in self.config.identities
            for drive in self.tests(identity)
            for file in ("truth.mp4", *(f"{variant}/video.mp4" for variant in self.variants(drive)))
        ]

    def figures(self) -> list[str]:
        """Every figure: of each drive with a truth, of each training, and of mouth openings where two clips are named."""
        names = [
            f"{identity}/{drive}/{figure}"
            for identity in self.config.identities
            for drive in self.tests(identity)
            for figure in ("strip", "guidance", "teacher", "gate", "pipeline")
        ]
        names += [f"{identity}/curves" for identity in self.config.identities]
        trained = (identity for identity in self.config.identities if not self.priors.choice(identity)[0])
        priors = dict.fromkeys(self.left_out(identity) for identity in trained)
        names += [f"prior/{self.corpus()}@{left_out}" for left_out in priors]
        names += ["mouths"] * (None not in self.config.figures.clips().values())
        return [f"results/figures/{name}.png" for name in names]

    # Functions of wildcards.

    def adapt_file(self, wildcards: Any, file: str) -> str:
        """A file of the clip that an identity is adapted on."""
        return self.clip_file(wildcards.identity, self.adapt_clip(wildcards.identity), file)

    def cue_file(self, wildcards: Any, file: str) -> str:
        """A file of the clip whose poses and cues a drive uses."""
        return self.clip_file(wildcards.identity, self.cue_clip(wildcards.identity, wildcards.drive), file)

    def clip_file(self, identity: str, clip: str, file: str) -> str:
        """A file of a clip: under the identity where it was fitted to the person, else under the clip."""
        if file == "identity.safetensors":
            return f"results/identities/{identity}/{file}"
        folder = f"identities/{identity}" if file in FITTED else "clips"
        return f"results/{folder}/{clip}/{file}"

    def refined_file(self, wildcards: Any) -> str:
        """The refined tracks of a drive's cues, which are each variant's own."""
        clip = self.cue_clip(wildcards.identity, wildcards.drive)
        return f"results/variants/{wildcards.model}/identities/{wildcards.identity}/{clip}/refined.safetensors"

    def driving_audio(self, wildcards: Any) -> str:
        """The sound that a drive's video gets."""
        if wildcards.drive.startswith(SELF):
            return self.cue_file(wildcards, "audio.wav")
        return self.driving_file(wildcards.drive.removeprefix(AUDIO))

    def driving_speech(self, wildcards: Any) -> str:
        """The speech features that a drive reads."""
        if wildcards.drive.startswith(SELF):
            return self.cue_file(wildcards, "speech.safetensors")
        name = wildcards.drive.removeprefix(AUDIO)
        spoken = self.speaking_clip(name)
        return f"results/clips/{spoken}/speech.safetensors" if spoken else f"results/audio/{name}/speech.safetensors"

    def calm_speech(self, wildcards: Any) -> list[str]:
        """The speech of a calm recording of the voice that a drive reads, where one is named."""
        named = calm_file(self.config, wildcards.identity, wildcards.drive)
        return [f"results/audio/{wildcards.drive.removeprefix(AUDIO)}{CALM}/speech.safetensors"] if named else []

    def test_part(self, wildcards: Any) -> str:
        """Which seconds of its clip a drive covers, as JSON (nothing stated where other speech is heard)."""
        heard = wildcards.drive.startswith(SELF)
        part = self.part(wildcards.identity, wildcards.drive) if heard else TestPart()
        return json.dumps({name: getattr(part, name) for name in ExcerptConfig.model_fields})

    def head(self, wildcards: Any = None) -> str:
        """The head model that people are tracked and drawn with."""
        return f"results/head/{self.config.head.model}.safetensors"

    def model(self, section: str) -> str:
        """The model file that the provider of a section reads, or the folder of features that are given."""
        name, settings = model_of(self.config, section), getattr(self.config, section)
        return place_of(name) if name else getattr(settings, "model", None) or settings.folder

    def emotion_package(self) -> list[str]:
        """The stamp of the environment of provider deepface_package, and its detector's weights where it has any."""
        if self.config.emotion.provider != "deepface_package":
            return []
        detector = detector_of(self.config)
        return ["results/envs/deepface/ready.json", *([place_of(detector)] if detector else [])]

    def speech_model(self, wildcards: Any) -> str:
        """What the speech of a clip or of a driving audio is read with, or from."""
        given = self.config.speech.provider == "given"
        recording = getattr(wildcards, "clip", None) or getattr(wildcards, "name", None)
        return f"{self.config.speech.folder}/{recording}.npy" if given else self.model("speech")

    def speed_model(self, wildcards: Any) -> str:
        """As `speech_model`, of the clip that a drive's speech is of."""
        given = self.config.speech.provider == "given"
        clip = self.cue_clip(wildcards.identity, wildcards.drive)
        return f"{self.config.speech.folder}/{clip}.npy" if given else self.model("speech")

    def appearance(self, wildcards: Any) -> list[str]:
        """Crop, landmarks and network, where the identity feature is taken from pictures."""
        if self.config.identity.provider == "shape":
            return []
        files = (self.adapt_file(wildcards, file) for file in ("crop.mp4", "landmarks.safetensors"))
        return [*files, self.model("identity")]

    def seen_geometry(self, wildcards: Any) -> list[str]:
        """Crop and networks, where depth and normals are taken from pictures."""
        networks = sapiens_of(self.config)
        return [self.adapt_file(wildcards, "crop.mp4"), *map(place_of, networks)] if networks else []

    def action_unit_table(self, wildcards: Any) -> list[str]:
        """The CSV that the action units of a clip are read from, where the provider is one that writes it."""
        settings = self.config.action_units
        return [f"{settings.folder}/{wildcards.clip}.csv"] if settings.provider == "openface" else []

    def given_tracks(self, wildcards: Any) -> list[str]:
        """VHAP's export of a clip (of the one adapted on for a job without a clip), where the provider is VHAP."""
        clip = getattr(wildcards, "clip", None) or self.adapt_clip(wildcards.identity)
        settings = self.config.track
        return [f"{settings.folder}/{clip}/transforms.json"] if settings.provider == "vhap" else []

    def given_masks(self, wildcards: Any) -> list[str]:
        """VHAP's export of a clip, where its masks are the matte."""
        folder = self.config.track.folder
        return [f"{folder}/{wildcards.clip}/transforms.json"] if self.config.matte.provider == "vhap" else []

    def blendshapes(self, wildcards: Any) -> list[str]:
        """The network that a clip's tracking begins with, where it does."""
        return [place_of(BLENDSHAPES)] if self.config.track.initialise == "blendshapes" else []

    def video(self, wildcards: Any) -> str:
        """The file of a clip."""
        return self.owners[wildcards.clip][0]

    def driving_file(self, name: str) -> str:
        """The file of a driving audio, by the name its results have."""
        if file := self.given_audio().get(name):
            return file
        if spoken := self.speaking_clip(name):
            return f"results/clips/{spoken}/audio.wav"
        raise KeyError(f"driving audio {name!r} is neither that of adapt.drive, nor of paper.speech, nor a clip")

    def given_audio(self) -> dict[str, str]:
        """{name: file} of all driving audio that the configuration names."""
        spoken = {name: speech.file for name, speech in self.config.paper.speech.items()}
        return spoken | spoken_files(self.config)

    def external_video(self, wildcards: Any) -> str:
        """Where the video of another system lies for a drive."""
        folder = next(method.videos for method in self.config.methods if method.name == wildcards.external)
        return f"{folder}/{wildcards.identity}/{wildcards.drive}.mp4"

    def speaking_clip(self, name: str) -> str | None:
        """The clip whose sound is the driving audio `name`, unless it is a file of its own."""
        known = name not in self.given_audio() and name in clip_owners(self.config.identities)
        return name if known else None

    def start_s(self, wildcards: Any) -> float:
        """Where the adaptation part begins in a clip: 0 in any other clip than the one adapted on."""
        return self.identity(wildcards.identity).adapt_on.start_s if self.is_adapted_on(wildcards) else 0.0

    def seconds(self, wildcards: Any) -> float:
        """How long the adaptation part is."""
        return self.identity(wildcards.identity).adapt_on.seconds

    def is_adapted_on(self, wildcards: Any) -> bool:
        """Whether a job is about the clip that its identity is adapted on (jobs without a clip are)."""
        adapted = self.adapt_clip(wildcards.identity)
        return getattr(wildcards, "clip", adapted) == adapted

    def providers(self, wildcards: Any) -> str:
        """Which provider plays each role, as one line that stands in every row of a table."""
        head = f"head={self.config.head.model} "
        sections = ("landmarks", "matte", "speech", "emotion", "action_units", "identity", "geometry")
        return head + " ".join(f"{name}={getattr(self.config, name).provider}" for name in sections)

    def crop_of(self, wildcards: Any) -> str:
        """What the measured pictures are, as one line that stands in every row of a table."""
        crop, render = self.config.crop, self.config.render
        return f"{crop.size_px} px, face {crop.face_share:g} of it, rendered at {render.size_px} px over {render.plate}"

    def facts(self, wildcards: Any) -> str:
        """What the sidecar of a video says of the person and of the terms of all it was made with, as JSON."""
        settings = self.identity(wildcards.identity)
        consent = settings.consent if isinstance(settings.consent, str) else settings.consent.model_dump(mode="json")
        terms = {"source": settings.source, "licence": settings.licence, "consent": consent}
        terms |= shown(self.config, wildcards.identity, getattr(wildcards, "drive", ""))
        return json.dumps({"identity": wildcards.identity, **self.terms, **terms}, sort_keys=True)
