"""What a rendered face shows of an emotion, against the neutral reading of the same text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotag.metrics.lips import correlation
from emotag.types import EMOTIONS, FPS

# Action units of each emotion (EMFACS prototypes, as far as the heads have units for them).
UNITS_OF = {
    "angry": ("AU04", "AU07", "AU23"),
    "disgust": ("AU09", "AU10", "AU04"),
    "fear": ("AU01", "AU02", "AU05", "AU20"),
    "happy": ("AU06", "AU12"),
    "sad": ("AU01", "AU15", "AU17"),
    "surprise": ("AU01", "AU02", "AU05"),
}


@dataclass(frozen=True)
class Shown:
    """A rendered reading: `drawn_s` [T] of the frames that were drawn and looked at, their `action_units` [T, A] as detected,
    `classes` [T, 7] of the scorer and small `pictures`; the `aperture` [F] of the lips of the posed head in every frame, the
    ends `phones` [P] s of its phones, and the mean `gate`."""

    drawn_s: np.ndarray
    phones: np.ndarray
    action_units: np.ndarray
    aperture: np.ndarray
    classes: np.ndarray
    gate: float
    pictures: list[np.ndarray]

    def clock(self, reference: "Shown", times_s: np.ndarray) -> np.ndarray:
        """The times in this reading at which the text is where `reference` has it at `times_s`, by the phones (by the share
        of the whole where the two have not as many)."""
        ours, theirs = self.phones, reference.phones
        if len(ours) != len(theirs):
            ours, theirs = ours[-1:], theirs[-1:]
        return np.interp(times_s, [0.0, *theirs], [0.0, *ours])


def compared(
    control: str, label: str, level: int, prosody: str, reference: Shown, shown: Shown, names: Sequence[str]
) -> dict[str, float | int | str]:
    """A row of the table. `au_delta`: the label's units (0 to 5, their mean) over the reference's; `lip_change`: RMS of the
    aperture's difference at the same places of the text, each around its mean, in the reference's deviations; beside it
    its correlation and mean opening over the reference's."""
    columns = [names.index(unit) for unit in UNITS_OF.get(label, ())]
    delta = [float(shown.action_units[:, c].mean() - reference.action_units[:, c].mean()) for c in columns]
    wanted, clock = reference.aperture, np.arange(len(reference.aperture)) / FPS
    found = np.interp(shown.clock(reference, clock), np.arange(len(shown.aperture)) / FPS, shown.aperture)
    moved = (found - found.mean()) - (wanted - wanted.mean())
    mean = shown.classes.mean(0)
    return {
        "control": control,
        "label": label,
        "level": level,
        "prosody": prosody,
        "classifier_probability": float(mean[EMOTIONS.index(label)]),
        "classifier_top": EMOTIONS[int(mean.argmax())],
        "au_delta": float(np.mean(delta)) if delta else 0.0,
        "units": " ".join(f"{names[c]}{d:+.2f}" for c, d in zip(columns, delta, strict=True)),
        "lip_change": float(np.sqrt((moved**2).mean()) / wanted.std()),
        "lip_aperture_corr": float(correlation(wanted, found)),
        "aperture_ratio": float(found.mean() / wanted.mean()),
        "gate": shown.gate,
    }
