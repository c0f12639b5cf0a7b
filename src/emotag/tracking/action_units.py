"""Action units of tracks, relative to the person's neutral."""

import numpy as np
import torch

from emotag.artifacts import Subject, Tracks
from emotag.config import TrackConfig
from emotag.head.base import HeadModel
from emotag.tracking.fit import fit_tracks


def action_units(head: HeadModel, subject: Subject, tracks: Tracks) -> np.ndarray:
    """Intensities [T, A] 0 to 5 in the order of `head.action_unit_names`; 0 at the subject's neutral."""
    expression = torch.from_numpy(tracks.expression - subject.neutral_expression).float()
    jaw = torch.from_numpy(tracks.jaw - subject.neutral_jaw).float()
    return head.action_units(expression, jaw).numpy().astype(np.float32)


def fitted_action_units(head: HeadModel, subject: Subject, points: np.ndarray, iterations: int) -> np.ndarray:
    """Intensities [T, A] of the head fitted to detected `points` [T, 478, 3] px; frames that are not finite are
    interpolated.

    Raises:
        FootageError: the face was found in fewer than five frames.
    """
    tracks = fit_tracks(head, subject, points, TrackConfig(iterations=iterations))
    return action_units(head, subject, tracks)
