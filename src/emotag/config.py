"""The only truth about settings: pydantic models, one a stage, frozen, unknown keys refused.

`emotag.project.Config` puts them together; `config.schema.json` is generated from it (python -m emotag schema) and a
test fails when the two drift apart.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

NUMBERS = (int, float, float | None)
DAY_S = 86_400
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Settings(BaseModel):
    """Base of all settings: frozen, numbers are finite, and a misspelt key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _no_truth_values_as_numbers(cls, data: Any) -> Any:
        """YAML reads a bare `on` as true, which would pass for the number 1."""
        for name, field in cls.model_fields.items():
            if isinstance(data, dict) and isinstance(data.get(name), bool) and field.annotation in NUMBERS:
                raise ValueError(f"{name} is {data[name]} (YAML reads a bare on, off, yes, no so), expected a number")
        return data


class ExcerptConfig(Settings):
    """Seconds of a clip, counted from its beginning."""

    start_s: float | None = Field(
        None,
        ge=0,
        le=DAY_S,
        description="left out: the beginning or, in the clip adapted on, behind the adaptation part",
    )
    seconds: float | None = Field(None, ge=1, le=DAY_S, description="left out: up to the clip's end")


class DemoConfig(Settings):
    """The demo's footage: a talker made by code."""

    size_px: int = Field(512, ge=128, le=2048, multiple_of=2)
    seconds: float = Field(13.0, ge=5, le=DAY_S, description="cut at the last pause before")
    crf: int = Field(14, ge=0, le=40)
    seed: int = Field(1, ge=0, lt=1000)


class TalkersConfig(Settings):
    """Corpus of synthetic talkers, used where corpus.clips is empty."""

    talkers: int = Field(16, ge=8, le=500)
    seed: Seed = 0


class SyntheticClipConfig(Settings):
    """One clip of the synthetic corpus."""

    seconds: float = Field(6.0, ge=2, le=60)
    size_px: int = Field(512, ge=128, le=2048, multiple_of=2)
    crf: int = Field(20, ge=0, le=40, description="H.264 quality of the clips")
    geometry_every: int = Field(5, ge=1, description="depth and normals of every so many-th frame, and its first")
    geometry_px: int = Field(64, ge=16, le=1024, description="edge of depth and normals; a divisor of twice size_px")
    seed: Seed = 0

    @model_validator(mode="after")
    def _geometry_fits(self) -> "SyntheticClipConfig":
        if 2 * self.size_px % self.geometry_px:
            raise ValueError(
                f"geometry_px is {self.geometry_px}, expected a divisor of {2 * self.size_px} (2 x size_px)"
            )
        return self


class CropConfig(Settings):
    """Face-centred square crop at 25 fps, and the footage it refuses."""

    size_px: int = Field(512, ge=64, le=2048, multiple_of=2, description="edge of the square crop")
    face_share: float = Field(0.42, gt=0.1, lt=0.9, description="height of the face box over the crop's edge")
    min_face_px: int = Field(96, ge=16, description="smallest face height accepted, in source pixels")
    min_seconds: float = Field(5.0, ge=0, description="shortest clip accepted")
    rival_face_share: float = Field(0.6, gt=0, le=1, description="a second face this large beside the first is refused")


class LandmarksConfig(Settings):
    """MediaPipe face mesh."""

    provider: Literal["mediapipe"] = "mediapipe"
    min_confidence: float = Field(0.5, ge=0, le=1)


class MatteConfig(Settings):
    """Person alpha and region labels."""

    provider: Literal["mediapipe", "vhap"] = Field(
        "mediapipe", description="vhap: the masks of VHAP's export in track.folder"
    )


class HeadConfig(Settings):
    """Head model that people are tracked and drawn with."""

    model: Literal["makehuman", "flame2020", "flame2023", "flame2023open", "ict"] = Field(
        "makehuman", description="all but makehuman are got by hand (docs/providers.md)"
    )
    expressions: int = Field(
        100, ge=1, le=100, description="FLAME: expression components used (EmoTaG: the first 50 of 100)"
    )


class SpeechConfig(Settings):
    """Speech features and prosody."""

    provider: Literal["whisper", "wav2vec2", "hubert", "wavlm", "xls-r", "given"] = Field(
        "whisper", description="the middle four need envs/transformers.txt; given: features made elsewhere"
    )
    blocks: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (2, 3), min_length=1, description="whisper: encoder blocks, counted from 1 (0: the stem), concatenated"
    )
    model: str | None = Field(
        None,
        min_length=1,
        description="a model of the provider's kind elsewhere: a folder, or for whisper also a file (model.bin, .pt); "
        "left out: the one that `snakemake assets` names",
    )
    layer: int | None = Field(
        None, ge=0, description="wav2vec2, hubert, wavlm, xls-r: hidden layer from 1; left out: last_hidden_state"
    )
    folder: str = Field(
        "data/speech", description="given: FOLDER/NAME.npy of every clip, driving audio and shipped voice"
    )
    prosody: Literal["librosa", "none"] = "librosa"


class EmotionConfig(Settings):
    """Emotion teacher."""

    provider: Literal["fer", "deepface", "deepface_package"] = Field(
        "fer", description="deepface: its weights in torch; deepface_package: itself, in an environment of its own"
    )
    detector: Literal["mesh", "opencv", "retinaface"] = Field(
        "mesh", description="deepface_package: who finds the face; retinaface is EmoTaG's and needs its weights"
    )


class SyncConfig(Settings):
    """Audio-visual offset."""

    max_lag_frames: int = Field(10, ge=1, le=25)
    warn_frames: float = Field(1.0, ge=0)
    lead_frames: float = Field(0.0, description="frames by which lips lead sound in a clip that is in sync")


class ShapeConfig(Settings):
    """Shape, camera and texture of one person, from the adaptation part."""

    components: int = Field(100, ge=1, description="identity components used")
    focal_over_width: float = Field(2.0, gt=0.5, lt=10)
    iterations: int = Field(14, ge=1, description="Levenberg-Marquardt steps of each of two rounds")


class TrackConfig(Settings):
    """Per-frame pose, expression, jaw and eyes with the shape frozen: our own fit, or VHAP's."""

    provider: Literal["fit", "vhap"] = Field("fit", description="vhap: needs a FLAME head; the shape is VHAP's as well")
    folder: str = Field(
        "data/vhap", description="vhap: FOLDER/CLIP/transforms.json, VHAP's export of the clip's crop.mp4"
    )
    initialise: Literal["rest", "blendshapes"] = Field(
        "rest", description="where the fit begins; blendshapes: MediaPipe's 52 scores (makehuman and ict)"
    )
    iterations: int = Field(14, ge=1, description="Levenberg-Marquardt steps")
    smoothness: float = Field(1.0, ge=0, description="factor on all time constants' weights; 0 tracks frame by frame")
    photometric: float = Field(
        3.0, ge=0, le=100, description="weight of the pictures against the landmarks; 0 tracks by landmarks alone"
    )


class ActionUnitsConfig(Settings):
    """Action units: from the tracked expression units, or from OpenFace's CSV."""

    provider: Literal["expression", "openface"] = "expression"
    folder: str = Field(
        "data/openface", description="openface: FOLDER/CLIP.csv, as FeatureExtraction writes it of the clip's crop.mp4"
    )
    min_confidence: float = Field(0.5, ge=0, le=1, description="openface: frames below it are interpolated")
    blink_limit: float = Field(
        2.0, gt=0, le=5, description="openface: AU45 of shut eyes, clipped there and stretched to 5; 5 leaves it raw"
    )


class IdentityConfig(Settings):
    """Identity feature averaged over the most neutral frames."""

    provider: Literal["shape", "adaface"] = "shape"
    frames: int = Field(50, ge=1)


class GeometryConfig(Settings):
    """Depth and normals: of the tracked mesh, or by Sapiens."""

    provider: Literal["mesh", "sapiens"] = "mesh"
    size_px: int = Field(128, ge=32, le=1024)
    model: Literal["0.3b", "0.6b", "1b", "2b"] = Field("0.3b", description="sapiens: which of its sizes")


class CurationConfig(Settings):
    """Filters on the clips of a corpus; the defaults are 3DXTalker's where it has them."""

    min_seconds: float = Field(10.0, ge=0)
    min_snr_db: float = Field(8.0, ge=0, description="10 log10 of the 80th over the 20th percentile of 20 ms RMS")
    min_side_px: int = Field(512, ge=0, description="shorter side of the source")
    max_cuts: int = Field(0, ge=0)
    cut_threshold: float = Field(27.0, gt=0, description="mean change of hue, saturation and value that is a cut")
    min_lip_correlation: float = Field(0.3, ge=-1, le=1, description="of the lips with those the speech asks for")
    max_offset_frames: float = Field(5.0, ge=0, description="audio-visual offset; it is corrected, not only judged")
    languages: tuple[str, ...] = Field((), description="two letters each; none: language is not judged")
    min_language_probability: float = Field(0.8, ge=0, le=1)
    language_model: str | None = Field(
        None, description="folder of a multilingual Whisper; needs envs/transformers.txt"
    )


class PretrainConfig(Settings):
    """Prior in motion space: a closed-form ridge, and the network on top of it."""

    ridge: bool = Field(True, description="closed-form skip path under the base branch (no_ridge is the paper's)")
    base_input: Literal["audio", "audio_au"] = Field("audio", description="what the base branch reads")
    latent: Literal["z7", "z64"] = Field("z7", description="latent: what Eq. 12's softmax is taken of, or wider")
    gate: Literal["learned", "open"] = Field("learned", description="open: all of the residual shows in every frame")
    residual: Literal["emotion", "none"] = Field("emotion", description="none: motion is the base branch's alone")
    modulation: Literal["identity", "none"] = Field(
        "identity", description="AdaIN's scale and offset by the identity; none: gamma = 0 and beta = 0"
    )
    prosody: Literal["used", "none"] = Field("used", description="what the network hears beside the speech features")
    windows: Literal["between", "tokens"] = Field(
        "between",
        description="16 tokens of speech a frame: symmetric around its moment (interpolated), or tokens 2t - 8 to 2t + 7 of "
        "frame t as the paper's tools cut them (an audio-visual offset moves them by whole tokens)",
    )
    iterations: int = Field(150, ge=0)
    emotion_iterations: int = Field(
        200, ge=0, description="of residual, latent and gate on acted emotion (with the ridge); 0 leaves them shut"
    )
    batch_windows: int = Field(8, ge=1)
    window_frames: int = Field(12, ge=4)
    learning_rate: float = Field(5e-4, gt=0)
    weight_kl: float = Field(0.01, ge=0)
    weight_score: float = Field(0.1, ge=0)
    seed: Seed = 0


class PictureConfig(Settings):
    """Training against pictures: Gaussians on tracked motion first, then together with the motion network."""

    gaussians: int = Field(24_000, ge=500)
    size_px: int = Field(512, ge=32, le=1024)
    static_iterations: int = Field(1200, ge=0)
    iterations: int = Field(800, ge=1)
    batch_frames: int = Field(2, ge=1)
    sh_degree: int = Field(1, ge=0, le=3)
    antialiased: bool = Field(
        False,
        description="Gaussians thinner than a pixel are drawn fainter, not wider (Mip-Splatting); kept in the avatar",
    )
    mouth_gate: Literal["learned", "open"] = Field(
        "learned",
        description="open: emotion moves the mouth's Gaussians in every frame (EmoTaG's code does not gate it)",
    )
    learning_rate: float = Field(5e-4, gt=0)
    weight_ssim: float = Field(0.2, ge=0, le=1)
    weight_mask: float = Field(0.1, ge=0, description="L1 of the drawn opacity against the head's soft mask")
    weight_kl: float = Field(0.01, ge=0)
    weight_score: float = Field(0.1, ge=0)
    weight_motion: float = Field(
        0.0, ge=0, description="squared distance to the tracked motion, in the person's deviations (EmoTaG's code: 0.1)"
    )
    weight_depth: float = Field(1e-2, ge=0)
    weight_normal: float = Field(1e-3, ge=0)
    weight_position: float = Field(0.01, ge=0, description="hinge on local position beyond threshold_position")
    threshold_position: float = Field(1.0, ge=0)
    weight_scale: float = Field(1.0, ge=0, description="hinge on local scale beyond threshold_scale")
    threshold_scale: float = Field(0.6, ge=0)
    weight_lids: float = Field(
        1e-2,
        ge=0,
        description="squared distance of eyelids' Gaussians to the shut lids of plain skin they begin as, of eyeballs' to "
        "their place",
    )
    checkpoint_every: int = Field(200, ge=1)
    seed: Seed = 0


class AdaptConfig(PictureConfig):
    """Adaptation of Gaussians and AdaIN to one person."""

    scope: Literal["adain", "adain+mouth", "mouth", "backbone", "gaussians"] = Field(
        "adain+mouth", description="what trains beside the Gaussians; adain is the paper's, the last three are controls"
    )
    amplitude: float = Field(
        1.0, gt=0, le=2, description="factor on speech-driven motion; 1: least error, above: livelier lips"
    )
    articulation: bool = Field(
        True,
        description="whether the lips may follow the network of data/articulation beside the ridge, in the share that the "
        "person's own seconds ask for; it hears the default speech features alone",
    )


class RenderedConfig(PictureConfig):
    """The prior's rendered phase: Gaussians of each person of the corpus, then all of them with one network."""

    gaussians: int = Field(8_000, ge=500, description="each person's")
    size_px: int = Field(256, ge=32, le=1024)
    static_iterations: int = Field(250, ge=0, description="of each person, on tracked motion")
    iterations: int = Field(
        0,
        ge=0,
        description="of all together, a random person a step (laptop: 12000); 0: no rendered phase (docs/corpus.md)",
    )
    weight_scale: float = Field(0.1, ge=0, description="few Gaussians have to be large, so less than in adaptation")
    weight_motion: float = Field(
        1.0, ge=0, description="squared distance to the tracked motion, in the person's deviations (EmoTaG's code: 1)"
    )


class RefineConfig(Settings):
    """Head poses refined by the pictures, with the avatar as the template."""

    size_px: int = Field(512, ge=16, le=1024, description="edge at which frames are compared")
    steps: int = Field(4, ge=0, description="Gauss-Newton steps a frame; 0 keeps the landmarks' poses")


class RenderConfig(Settings):
    """Output video."""

    backend: Literal["auto", "cpu", "cpp", "numba", "torch", "gsplat"] = Field(
        "auto", description="cpu is cpp where there are AVX2 and a C++ compiler or a built library, else numba"
    )
    size_px: int = Field(512, ge=64, le=2048, multiple_of=2)
    crf: int = Field(16, ge=0, le=40)
    plate: Literal["clip", "white", "black"] = Field("clip", description="what stands behind the head")


class MeasureConfig(Settings):
    """Metrics on decoded video."""

    fit_iterations: int = Field(15, ge=1, description="iterations of the fit that gives the measured action units")
    lpips: bool = Field(
        False, description="LPIPS with AlexNet; fetch_assets gets its files, without them it is missing"
    )
    emotion_agreement: bool = Field(
        False, description="emotion by face-api's network; fetch_assets gets its files, without them it is missing"
    )
    syncnet: bool = Field(False, description="SyncNet's scores; its file is got by hand, without it they are missing")


class StudyConfig(Settings):
    """The user study: its page, and the table of what raters said."""

    seed: Seed = Field(0, description="of the clips' numbers on the page and of the bootstrap")
    variants: list[str] = Field(
        [],
        description="of data/variants.yaml or of `methods` (other systems), rated beside the product and its baselines",
    )
    ratings: str = Field("data/ratings", description="folder of the CSV files that raters' pages saved")
    resamples: int = Field(2000, ge=100, le=100_000, description="of the bootstrap over raters and contents")


class FiguresConfig(Settings):
    """What the strips show, and which clips the figure of mouth openings compares; without both it is not drawn."""

    neutral: str | None = Field(None, description="a declared clip with neutral speech")
    emotional: str | None = Field(None, description="a declared clip with emotional speech")
    variants: list[str] = Field(
        [],
        description="of data/variants.yaml or of `methods` (other systems), in the strips below the product's own rows",
    )

    def clips(self) -> dict[str, str | None]:
        """The two clips by the name of their field."""
        return {"neutral": self.neutral, "emotional": self.emotional}


class PlateConfig(Settings):
    """What stands behind the head: the clip's own frames with head and neck removed."""

    dilate_px: int = Field(9, ge=1, le=64, description="how far the removed area reaches beyond the head's labels")
    crf: int = Field(8, ge=0, le=40)
