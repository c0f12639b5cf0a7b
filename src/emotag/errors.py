"""The errors a user can cause or mend.

Every message names what is wrong, where, what was found, what was expected and what to do.
`emotag.stage.main` prints it as one line and exits with code 2; anything else is a bug and keeps its traceback.
"""


class EmotagError(Exception):
    """Base of all errors that are reported as one line without a traceback."""


class ConfigError(EmotagError):
    """A configuration value is missing, unknown or out of range."""


class AssetMissing(EmotagError):
    """A model file is not where the asset manifest says it should be."""


class ConsentMissing(EmotagError):
    """An identity has no consent, or its consent has expired."""


class FootageError(EmotagError):
    """A video or audio file cannot be used as it is."""


class ArtifactMismatch(EmotagError):
    """A file is not the artifact, the schema or the head model that was asked for."""


class StateBusy(EmotagError):
    """Another process holds the training state of this job."""


class TrainingDiverged(EmotagError):
    """Training met a value that is not finite and could not recover."""
