"""What other programs make of a run's footage, and has to be in place before it begins."""

from emotag.workflow.identities import Plan


def made_elsewhere(plan: Plan) -> dict[str, str]:
    """{file: how it is made} of all that a run needs and that other programs make of its footage."""
    config = plan.config
    identity = config.adapt.identity
    clips = dict.fromkeys([plan.adapt_clip(identity), *plan.test_clips(identity), *config.corpus.clips])
    files = {}
    if config.action_units.provider == "openface":
        advice = "write it with OpenFace's FeatureExtraction of results/clips/{}/crop.mp4 (docs/providers.md)"
        files |= {f"{config.action_units.folder}/{clip}.csv": advice.format(clip) for clip in clips}
    if "vhap" in (config.track.provider, config.matte.provider):
        advice = "export VHAP's tracking of results/clips/{}/crop.mp4 there (docs/providers.md)"
        files |= {f"{config.track.folder}/{clip}/transforms.json": advice.format(clip) for clip in clips}
    if config.speech.provider == "given":
        advice = "write the features of results/clips/{}/audio.wav there (docs/providers.md)"
        files |= {f"{config.speech.folder}/{clip}.npy": advice.format(clip) for clip in clips}
    elif config.speech.model:
        files[config.speech.model] = "put the model that speech.model names there (docs/providers.md)"
    return files
