"""The asset manifest, as the rules read it, and which of its files a configuration needs."""

from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from emotag.complaints import first_complaint
from emotag.errors import AssetMissing, ConfigError
from emotag.io.assets import Asset, ByHand, missing, sha256_of
from emotag.project import Config, load_files

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
    "emotion": {"fer": "fer_emotion_model.hdf5", "deepface": "facial_expression_model_weights.h5"},
    "identity": {"adaface": "adaface_ir101_webface12m.ckpt"},
}
# Depth and normal.
SAPIENS = (
    "sapiens_0.3b_render_people_epoch_100_torchscript.pt2",
    "sapiens_0.3b_normal_render_people_epoch_66_torchscript.pt2",
)
# Folders of several files, used where they are put instead of being copied.
FOLDERS = ("wav2vec2-base-960h", "hubert-large-ls960-ft", "wavlm-base-plus", "wav2vec2-xls-r-1b")
# Files of the metrics that are off by default, by setting of section measure.
METRIC_FILES = {
    "lpips": ("alexnet-owt-7be5be79.pth", "lpips_alex.pth"),
    "emotion_agreement": ("face_expression_model.bin", "face_expression_model-weights_manifest.json"),
    "syncnet": ("syncnet_v2.model",),
}


def read_manifest(path: Path) -> dict[str, Asset]:
    """Assets by file name.

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
    return assets


def check_assets(assets: dict[str, Asset], folder: Path) -> None:
    """Refuse a run on a fetched file that is no longer the one of the manifest.

    Raises:
        AssetMissing: names the file, both digests and what to do.
    """
    for name, asset in assets.items():
        file = folder / name
        if asset.sha256 and file.is_file() and (digest := sha256_of(file)) != asset.sha256:
            raise AssetMissing(
                f"{file}: found sha256 {digest}, expected {asset.sha256}; delete it, and the next run fetches it again"
            )


def asset_entry(assets: dict[str, Asset]):
    """Params function: the manifest's entry as JSON, so that an edited entry is fetched anew and no other."""
    return lambda wildcards: assets[wildcards.asset].model_dump_json(exclude={"without"})


def asset_digest(assets: dict[str, Asset]):
    """The sha256 that Snakemake itself checks after the job; where none is stated, that of the file put in by hand."""
    return lambda wildcards: assets[wildcards.asset].sha256 or sha256_of(BY_HAND / wildcards.asset)


def model_of(config: Config, section: str) -> str | None:
    """The model file that the provider of a section reads, by its name in the manifest."""
    return MODELS[section].get(getattr(config, section).provider)


def models_of(config: Config) -> set[str | None]:
    """All model files that the providers of a configuration read."""
    models = {model_of(config, section) for section in MODELS}
    return models | set(SAPIENS if config.geometry.provider == "sapiens" else ())


def place_of(name: str) -> str:
    """Where rules find an asset."""
    return str((BY_HAND if name in FOLDERS else FOLDER) / name)


def needed(config: Config, assets: dict[str, Asset]) -> list[str]:
    """Names of the assets that a run needs: all that are not optional, and those of its providers."""
    models = models_of(config)
    for metric, names in METRIC_FILES.items():
        models |= set(names if getattr(config.measure, metric) else ())
    return [name for name, asset in assets.items() if not asset.optional or name in models]


def outside_licences(config: Config, assets: dict[str, Asset]) -> dict[str, str]:
    """{part: licence} of the parts got by hand that videos of this configuration are made with; none by default."""
    models = models_of(config)
    licences = {name: asset.licence for name, asset in assets.items() if name in models and asset.optional}
    if config.action_units.provider == "openface":
        licences["OpenFace"] = "academic or non-profit research, non-commercial"
    return licences


def fetchable(asset: Asset) -> bool:
    """Whether a rule can put the asset in place: a program fetches it, or somebody has put it into data/by_hand."""
    return not isinstance(asset.source, ByHand) or (BY_HAND / asset.name).exists()


def metric_files(config: Config, metric: str) -> list[str]:
    """Files of a metric that is asked for, where they are in place: a metric that is missing must not stop a run."""
    files = [FOLDER / name for name in METRIC_FILES[metric]]
    wanted = getattr(config.measure, metric) and all(any(map(Path.is_file, (f, BY_HAND / f.name))) for f in files)
    return [str(file) for file in files] if wanted else []


def needs_all_assets(arguments: list[str]) -> bool:
    """Whether a command line of Snakemake asks for the pipeline, judged before Snakemake itself says so.

    Not where files are asked for by their paths (what is missing may be made from them), nor where the table of assets
    is, nor to unlock.
    """
    return not any(text in ("assets", "--unlock") or text.startswith(("results/", "data/")) for text in arguments)


def require_by_hand(config: Config, assets: dict[str, Asset], made_elsewhere: dict[str, str]) -> None:
    """Refuse a run that needs files nobody has put in place, before anything is done.

    Args: `made_elsewhere`: files that other programs make of the run's footage, with how.

    Raises:
        AssetMissing: one line that lists all of them, with licence and where to get them.
    """
    absent = [
        str(missing(assets[name], BY_HAND, "not in place"))
        for name in needed(config, assets)
        if name not in chain(*METRIC_FILES.values())
        and isinstance(assets[name].source, ByHand)
        and not any((f / name).exists() for f in (FOLDER, BY_HAND))
    ]
    absent += [f"{file}: not in place; {advice}" for file, advice in made_elsewhere.items() if not Path(file).is_file()]
    if absent:
        raise AssetMissing(f"{len(absent)} missing: " + " | ".join(absent))
