"""Hidden states of Whisper's audio encoder (Radford et al. 2022, sec. 2.2) as speech features at 50 Hz.

Any size and any of the published file forms (`emotag.audio.whisper_files`). Sound is encoded in windows of 6 s whose middle
2 s are kept, so a feature does not depend on its place in the recording; nothing is padded to 30 s. Memory does not grow with
the recording but by its log-mel frames, 0.12 GB an hour.
"""

from pathlib import Path

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.audio import whisper_files
from emotag.errors import ArtifactMismatch, ConfigError
from emotag.types import SAMPLE_RATE_HZ, TOKEN_RATE_HZ

MELS = 80  # 128 from large-v3 on
N_FFT = 400
HOP = 160
WINDOW_S = 6
KEPT_S = 2
# Two mel frames (10 ms each) make one token.
MEL_PER_TOKEN = SAMPLE_RATE_HZ // HOP // TOKEN_RATE_HZ
DYNAMIC_RANGE = 8.0  # powers of ten below the loudest bin
# Spectra are taken of this many frames at a time.
CHUNK_FRAMES = 6000


def log_mel(samples: np.ndarray, mels: int = MELS) -> np.ndarray:
    """Whisper's input [frames, mels] at 100 Hz from mono 16 kHz `samples`: log10 power, 8 decades deep, (x + 4) / 4.

    The depth is taken below the loudest bin of the whole recording. An odd last frame is dropped.
    """
    padded = np.pad(np.asarray(samples, np.float32), N_FFT // 2, mode="reflect" if len(samples) > N_FFT else "constant")
    signal, window = torch.from_numpy(padded), torch.hann_window(N_FFT)
    filters = torch.from_numpy(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=N_FFT, n_mels=mels))
    # One frame more is defined than Whisper takes.
    frames = ((len(padded) - N_FFT) // HOP) // MEL_PER_TOKEN * MEL_PER_TOKEN
    log = torch.empty(mels, frames)
    for start in range(0, frames, CHUNK_FRAMES):
        stop = min(start + CHUNK_FRAMES, frames)
        piece = signal[start * HOP : (stop - 1) * HOP + N_FFT]
        spectrum = torch.stft(piece, N_FFT, HOP, window=window, center=False, return_complex=True)
        log[:, start:stop] = (filters @ (spectrum.abs() ** 2)).clamp(min=1e-10).log10()
    log = log.clamp(min=log.max() - DYNAMIC_RANGE) if log.numel() else log
    return ((log + 4) / 4).T.numpy()


class Block(nn.Module):
    """A pre-norm transformer block: self-attention, then a feed-forward of four times the width with GELU."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def attention(self, x: Tensor) -> Tensor:
        """Multi-head self-attention of [B, K, width], without mask."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))

    def forward(self, x: Tensor) -> Tensor:
        """[B, K, width] to the same."""
        x = x + self.attention(self.norm_1(x))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class WhisperEncoder(nn.Module):
    """The convolutional stem and the first `blocks` transformer blocks."""

    def __init__(self, width: int, heads: int, blocks: int, positions: int, mels: int = MELS) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(mels, width, 3, padding=1)
        self.conv_2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(positions, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))

    def forward(self, mel: Tensor) -> list[Tensor]:
        """Hidden states [B, K, width] after the stem and after each block, from [B, 2 K, mels] log-mel frames."""
        x = F.gelu(self.conv_2(F.gelu(self.conv_1(mel.transpose(1, 2))))).transpose(1, 2)
        states = [x + self.positions[: x.shape[1]]]
        for block in self.blocks:
            states.append(block(states[-1]))
        return states

    @torch.no_grad()
    def features(self, samples: np.ndarray, blocks: tuple[int, ...]) -> np.ndarray:
        """[K, D] float32 at 50 Hz: the states after `blocks` (from 1; 0: the stem), side by side, of 16 kHz mono sound.

        Raises:
            ConfigError: a block the model does not have.
        """
        unknown = [block for block in blocks if not 0 <= block <= len(self.blocks)]
        if unknown or not blocks:
            raise ConfigError(f"speech.blocks is {list(blocks)}; choose from 0 (the stem) to {len(self.blocks)}")
        mel = torch.from_numpy(log_mel(samples, self.conv_1.in_channels))
        tokens = len(mel) // MEL_PER_TOKEN
        kept, margin = KEPT_S * TOKEN_RATE_HZ, (WINDOW_S - KEPT_S) // 2 * TOKEN_RATE_HZ
        found = np.empty((tokens, len(blocks) * self.positions.shape[1]), np.float32)
        for start in range(0, tokens, kept):
            first, last = max(0, start - margin), min(tokens, start + kept + margin)
            states = self(mel[None, first * MEL_PER_TOKEN : last * MEL_PER_TOKEN])
            joined = torch.cat([states[block][0] for block in blocks], 1)
            found[start : start + kept] = joined[start - first : start - first + kept].numpy()
        return found


def load(path: Path, blocks: int | None = None) -> WhisperEncoder:
    """The encoder of a Whisper model file or folder (`emotag.audio.whisper_files`), with its first `blocks` blocks.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is no such model.
    """
    found = whisper_files.read(path, blocks)
    width, mels, _ = found.state["conv_1.weight"].shape
    count = min(found.available if blocks is None else blocks, found.available)
    encoder = WhisperEncoder(width, found.heads, count, len(found.state["positions"]), mels)
    try:
        encoder.load_state_dict(found.state)
    except RuntimeError as error:
        raise ArtifactMismatch(
            f"{path}: not a Whisper encoder ({' '.join(str(error).split())}); get the file again"
        ) from error
    return encoder.eval()
