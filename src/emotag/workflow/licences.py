"""The licences of all that an output is made with, and what together they allow."""

from typing import Any

from emotag.io.assets import Asset
from emotag.project import Config
from emotag.workflow.assets import TRANSFORMERS, always, models_of, used_if_there

# Parts that are no assets, by (section, provider): name, licence, what it allows.
PACKAGES = {
    ("landmarks", "mediapipe"): ("MediaPipe face mesh", "Apache-2.0", "any"),
    ("matte", "mediapipe"): ("MediaPipe selfie segmentation", "Apache-2.0", "any"),
    ("matte", "vhap"): ("VHAP", "CC-BY-NC-SA-4.0 (as its README says)", "non-commercial"),
    ("track", "vhap"): ("VHAP", "CC-BY-NC-SA-4.0 (as its README says)", "non-commercial"),
    ("emotion", "deepface_package"): ("deepface with TensorFlow", "MIT; Apache-2.0", "any"),
    **{("speech", provider): ("transformers", "Apache-2.0", "any") for provider in TRANSFORMERS},
    ("action_units", "openface"): ("OpenFace", "academic or non-profit research, non-commercial", "non-commercial"),
}
NOT_KNOWN = "not known to emotag (a model of the user's own)"


def terms(config: Config, assets: dict[str, Asset]) -> dict[str, Any]:
    """What a sidecar says of the parts: `licences` of each, and `parts_allow`, all taken together."""
    return {"licences": licences_of(config, assets), "parts_allow": verdict(config, assets)}


def licences_of(config: Config, assets: dict[str, Asset]) -> dict[str, str]:
    """{part: licence} of everything that videos of a configuration are made with."""
    parts = {asset.name: asset.licence for asset in _assets_of(config, assets)}
    parts |= {name: licence for name, licence, _ in _packages_of(config)}
    if config.speech.model or config.speech.provider == "given":
        parts[config.speech.model or config.speech.folder] = NOT_KNOWN
    return parts


def verdict(config: Config, assets: dict[str, Asset]) -> str:
    """What the parts allow together: `non-commercial because OpenFace, …`. The footage's own terms stand apart."""
    limited: dict[str, set[str]] = {}
    for use, name in [(asset.use, asset.name) for asset in _assets_of(config, assets)] + [
        (use, name) for name, _, use in _packages_of(config)
    ]:
        limited.setdefault(use, set()).add(name)
    reasons = [
        f"{use} because {', '.join(sorted(limited[use]))}" for use in ("non-commercial", "research") if use in limited
    ]
    if NOT_KNOWN in licences_of(config, assets).values():
        reasons.append("a part's licence is not known to emotag")
    return "; ".join(reasons) or "no part forbids commercial use"


def _assets_of(config: Config, assets: dict[str, Asset]) -> list[Asset]:
    """What the providers read, and what every run does."""
    used = models_of(config) | always(assets) | set(used_if_there(config))
    return [assets[name] for name in assets if name in used]


def _packages_of(config: Config) -> list[tuple[str, str, str]]:
    return [part for (section, provider), part in PACKAGES.items() if getattr(config, section).provider == provider]
