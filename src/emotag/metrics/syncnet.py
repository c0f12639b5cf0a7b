"""SyncNet v2: how well lips and sound fit, and at which offset (Chung and Zisserman 2016, "Out of time").

github.com/joonson/syncnet_python (MIT), SyncNetModel.py, SyncNetInstance.py and run_pipeline.py, with syncnet_v2.model, a torch
state of the tensors named here. A window is five pictures (224 x 224, BGR, 0..255) and the 20 MFCCs beside them; each gives
1024 numbers. The picture half is convolutional in time with a kernel of five in its first layer only, so whole runs give what
window by window would. The Euclidean distance of window t from the sound at t + k, for k of -15..15 and with zeros beyond the
ends, is averaged over t: its minimum is LSE-D (Sync-E), median minus minimum LSE-C (Sync-C), and its place the offset.

Faces are cut as run_pipeline.py does: half the longer side of the face's box, s, and its centre, median-filtered over 13
frames; from s above the centre to 1.8 s below, 1.4 s to either side, grey 110 beyond the frame. The box is that of the face
mesh's oval, where the original uses S3FD. About 0.1 s a frame on one core, 55 MB.
"""

import logging
import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from scipy.signal import medfilt
from torch import Tensor, nn

from emotag.audio.mfcc import mfcc
from emotag.errors import ArtifactMismatch
from emotag.head.landmark_sets import FACE_OVAL
from emotag.io.audio import read_audio
from emotag.io.pickles import read_checkpoint
from emotag.io.video import read_frames
from emotag.types import FPS, SAMPLE_RATE_HZ

logger = logging.getLogger(__name__)

SIZE_PX = 224
CROP_SCALE = 0.4
SMOOTHING = 13
GREY = 110
PICTURES = 5
CEPSTRA = 20
CEPSTRA_PER_FRAME = CEPSTRA // PICTURES
SHIFT = 15
BATCH = 20
NAMES = ("sync_c", "sync_e", "sync_offset")


class SyncNet(nn.Module):
    """Both halves; names as in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block(nn.Conv2d(1, 64, 3, padding=1)),
            nn.MaxPool2d(1, 1),
            *_block(nn.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_block(nn.Conv2d(192, 384, 3, padding=1)),
            *_block(nn.Conv2d(384, 256, 3, padding=1)),
            *_block(nn.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_block(nn.Conv2d(256, 512, (5, 4))),
        )
        self.netcnnlip = nn.Sequential(
            *_block(nn.Conv3d(3, 96, (5, 7, 7), (1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(nn.Conv3d(256, 512, (1, 6, 6))),
        )
        self.netfcaud, self.netfclip = (
            nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024)) for _ in range(2)
        )

    def sound(self, cepstra: Tensor) -> Tensor:
        """[B, 1, 13, 20] to [B, 1024]."""
        return self.netfcaud(self.netcnnaud(cepstra).flatten(1))

    def lips(self, pictures: Tensor) -> Tensor:
        """[3, T, 224, 224] BGR 0..255 to [T - 4, 1024]."""
        return self.netfclip(self.netcnnlip(pictures[None])[0, :, :, 0, 0].T)


def _block(convolution: nn.Module) -> list[nn.Module]:
    norm = nn.BatchNorm3d if isinstance(convolution, nn.Conv3d) else nn.BatchNorm2d
    return [convolution, norm(convolution.out_channels), nn.ReLU()]


def face_track(points: np.ndarray) -> np.ndarray:
    """[T, 3] px: centre x and y and half the longer side of the face's box of meshes [T, 478, 3], median-filtered."""
    oval = points[:, list(FACE_OVAL), :2]
    low, high = oval.min(1), oval.max(1)
    raw = np.column_stack([(low + high) / 2, (high - low).max(1) / 2]).astype(np.float64)
    # scipy's median puts zeros beyond the ends, as the original does; ends are repeated here instead.
    padded = np.pad(raw, ((SMOOTHING // 2,) * 2, (0, 0)), mode="edge")
    return np.stack([medfilt(column, SMOOTHING) for column in padded.T], 1)[SMOOTHING // 2 : -(SMOOTHING // 2)]


def cut_face(frame: np.ndarray, x: float, y: float, half: float) -> np.ndarray:
    """[224, 224, 3] uint8 BGR of an RGB `frame` [H, W, 3] around a box with its centre at x, y and `half` its longer side."""
    margin = int(half * (1 + 2 * CROP_SCALE))
    padded = np.pad(frame, ((margin, margin), (margin, margin), (0, 0)), constant_values=GREY)
    x, y = x + margin, y + margin
    rows = slice(max(0, int(y - half)), int(y + half * (1 + 2 * CROP_SCALE)))
    columns = slice(max(0, int(x - half * (1 + CROP_SCALE))), int(x + half * (1 + CROP_SCALE)))
    return cv2.resize(padded[rows, columns], (SIZE_PX, SIZE_PX))[..., ::-1]


@torch.no_grad()
def features(network: SyncNet, faces: Iterable[np.ndarray], samples: np.ndarray) -> tuple[Tensor, Tensor]:
    """Lips and sound [N, 1024] of `faces` [224, 224, 3] uint8 BGR at 25 fps and mono 16 kHz `samples`, -1 to 1.

    N is the frames that have both, less five, as in the original.
    """
    pictures = torch.from_numpy(np.stack(list(faces))).permute(3, 0, 1, 2)
    count = max(0, min(pictures.shape[1], len(samples) * FPS // SAMPLE_RATE_HZ) - PICTURES)
    cepstra = torch.from_numpy(mfcc(np.round(samples * 32768).clip(-32768, 32767))).float().T
    lips, sound = [torch.zeros(0, 1024)], [torch.zeros(0, 1024)]
    for start in range(0, count, BATCH):
        stop = min(start + BATCH, count)
        lips.append(network.lips(pictures[:, start : stop + PICTURES - 1].float()))
        firsts = [CEPSTRA_PER_FRAME * frame for frame in range(start, stop)]
        sound.append(network.sound(torch.stack([cepstra[None, :, at : at + CEPSTRA] for at in firsts])))
    return torch.cat(lips), torch.cat(sound)


def scores(lips: Tensor, sound: Tensor) -> dict[str, float]:
    """Sync-C, Sync-E and the offset in frames (+ = video late) of features [N, 1024]; NaN for none."""
    if not len(lips):
        return dict.fromkeys(NAMES, math.nan)
    padded = F.pad(sound, (0, 0, SHIFT, SHIFT))
    distance = torch.stack([F.pairwise_distance(lips, padded[k : k + len(lips)]).mean() for k in range(2 * SHIFT + 1)])
    least, place = distance.min(0)
    return {
        "sync_c": float(distance.median() - least),
        "sync_e": float(least),
        "sync_offset": float(SHIFT - place),
    }


def sync_scores(
    network: SyncNet, frames: Iterable[np.ndarray], points: np.ndarray, samples: np.ndarray
) -> dict[str, float]:
    """Scores of RGB `frames` [H, W, 3] uint8 at 25 fps with detected `points` [T, 478, 3] px and sound at 16 kHz.

    NaN where no face was found at all (points are zero).
    """
    if not points.any():
        return dict.fromkeys(NAMES, math.nan)
    faces = (cut_face(frame, *box) for frame, box in zip(frames, face_track(points), strict=True))
    return scores(*features(network, faces, samples))


def video_sync(path: Path, points: np.ndarray, files: list[Path]) -> dict[str, float]:
    """`sync_scores` of a video with detected `points` [T, 478, 3] px and its own sound; NaN without the network's file."""
    if not files:
        logger.warning("SyncNet is missing: its file is not in data/by_hand; snakemake assets says where to get it")
        return dict.fromkeys(NAMES, math.nan)
    return sync_scores(load(files[0]), read_frames(path, 0, len(points)), points, read_audio(path))


def load(path: Path) -> SyncNet:
    """The network with the weights of syncnet_v2.model.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is not this network.
    """
    network = SyncNet()
    state = read_checkpoint(path)
    # Files of before torch 0.4.1 do not count batches.
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    try:
        network.load_state_dict(counters | state)
    except (RuntimeError, TypeError) as error:
        raise ArtifactMismatch(
            f"{path}: not SyncNet v2 ({' '.join(str(error).split())[:300]}); get syncnet_v2.model again"
        ) from error
    return network.eval()
