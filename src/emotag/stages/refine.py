"""Photometric refinement of a clip's head poses, with the person's avatar as the template.

Reads: head, Subject, Avatar, and of the clip: Tracks, crop.mp4, labels.mkv, plate.mp4. Writes: Tracks with refined rotation and
translation; everything else in them is as it was.
"""

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from emotag import stage
from emotag.artifacts import Avatar, Subject, Tracks
from emotag.config import RefineConfig
from emotag.gaussians.restore import antialiased, deformer_of
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.io.video import read_frames, read_gray
from emotag.motion.codes import Codes
from emotag.render import backends
from emotag.render.compose import to_unit
from emotag.tracking.pose_refinement import PoseRefinement
from emotag.tracking.regions import INDEX

COMPARED = [INDEX[name] for name in ("neck", "skin", "hair", "brows")]
logger = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    subject: Path,
    avatar: Path,
    tracks: Path,
    crop: Path,
    labels: Path,
    plate: Path,
    out: Path,
    config: RefineConfig,
    threads: int = 1,
) -> None:
    """Refine every frame of the clip, each from the correction of the frame before."""
    torch.set_num_threads(threads)
    tracked = Tracks.load(tracks)
    if config.steps == 0:
        tracked.save(out, stage.provenance())
        return
    person, figure = Subject.load(subject), Avatar.load(avatar)
    deformer = deformer_of(models.load(head), person, figure)
    size = config.size_px
    camera = Camera.from_dict(person.camera).resized(size, size)
    renderer = backends.load("auto", threads, antialiased(figure))
    fit = PoseRefinement(deformer, renderer, camera, config.steps).fit
    count = len(tracked.expression)
    codes = Codes.from_tracks(tracked, np.arange(count), deformer.mouth.architecture.condition)
    corrections, last = np.zeros((count, 6), np.float32), torch.zeros(6)
    films = zip(read_frames(crop, size=size), read_frames(plate, size=size), read_gray(labels), strict=True)
    with torch.inference_mode():
        for index, (frame, behind, label) in enumerate(films):
            weight = cv2.resize(np.isin(label, COMPARED).astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
            seen, plain = to_unit(frame), to_unit(behind)
            last = fit(codes[index : index + 1], seen, plain, torch.from_numpy(weight), last)
            corrections[index] = last.numpy()
            if index % 100 == 0:
                logger.info("frame %d of %d", index, count)
    logger.info(
        "poses corrected by %.4f rad and %.2f mm (RMS)",
        float(np.sqrt((corrections[:, :3] ** 2).sum(1).mean())),
        1e3 * float(np.sqrt((corrections[:, 3:] ** 2).sum(1).mean())),
    )
    refined = replace(
        tracked, rotation=tracked.rotation + corrections[:, :3], translation=tracked.translation + corrections[:, 3:]
    )
    refined.save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run, gpu=True)
