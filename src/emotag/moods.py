"""Settings of emotions that are set instead of heard."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from emotag.config import DAY_S, Settings


class MoodConfig(Settings):
    """An emotion that is set: `intensity` 0 to 1, or a `level` 1 to 3 that stands for thirds of it."""

    label: Literal["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    level: int | None = Field(None, ge=1, le=3)
    intensity: float | None = Field(None, ge=0, le=1)
    from_s: float = Field(0.0, ge=0, le=DAY_S, description="from when on; moods change within half a second")

    @model_validator(mode="after")
    def _one_strength(self) -> "MoodConfig":
        if (self.level is None) == (self.intensity is None) and (self.label != "neutral" or self.level is not None):
            raise ValueError(f"{self.label} needs either level (1 to 3) or intensity (0 to 1)")
        return self

    @property
    def strength(self) -> float:
        """0 to 1; neutral has none."""
        if self.label == "neutral":
            return 0.0
        return self.level / 3 if self.level is not None else float(self.intensity or 0.0)


def _in_order(timeline: tuple[MoodConfig, ...]) -> tuple[MoodConfig, ...]:
    starts = [mood.from_s for mood in timeline]
    if any(later <= earlier for earlier, later in zip(starts, starts[1:], strict=False)):
        raise ValueError(
            f"from_s are {', '.join(f'{start:g}' for start in starts)}; each must be later than the one before"
        )
    return timeline


Timeline = Annotated[tuple[MoodConfig, ...], AfterValidator(_in_order)]


class MoodsConfig(Settings):
    """Emotions that are set, one after the other; none: what speech and cues say."""

    timeline: Timeline = ()
