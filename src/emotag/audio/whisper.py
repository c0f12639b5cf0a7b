"""Hidden states of Whisper's audio encoder (Radford et al. 2022, sec. 2.2) as speech features at 50 Hz.

The weights are read from a CTranslate2 model file (`emotag.audio.ctranslate2`). Sound is encoded in windows of 6 s
whose middle 2 s are kept, so a feature does not depend on its place in the recording; nothing is padded to 30 s.
"""

from pathlib import Path

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.audio import ctranslate2
from emotag.errors import ArtifactMismatch, ConfigError
from emotag.types import SAMPLE_RATE_HZ, TOKEN_RATE_HZ

MELS = 80
N_FFT = 400
HOP = 160
WINDOW_S = 6
KEPT_S = 2
# Two mel frames (10 ms each) make one token.
MEL_PER_TOKEN = SAMPLE_RATE_HZ // HOP // TOKEN_RATE_HZ
DYNAMIC_RANGE = 8.0  # powers of ten below the loudest bin


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's input [frames, 80] at 100 Hz from mono 16 kHz `samples`: log10 power, 8 decades deep, (x + 4) / 4.

    The depth is taken below the loudest bin of the whole recording. An odd last frame is dropped.
    """
    padded = np.pad(np.asarray(samples, np.float32), N_FFT // 2, mode="reflect" if len(samples) > N_FFT else "constant")
    signal = torch.from_numpy(padded)
    spectrum = torch.stft(signal, N_FFT, HOP, window=torch.hann_window(N_FFT), center=False, return_complex=True)
    filters = torch.from_numpy(librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=N_FFT, n_mels=MELS))
    power = spectrum[:, :-1].abs() ** 2
    log = (filters @ power).clamp(min=1e-10).log10()
    log = log.clamp(min=log.max() - DYNAMIC_RANGE) if log.numel() else log
    frames = log.shape[1] // MEL_PER_TOKEN * MEL_PER_TOKEN
    return ((log[:, :frames] + 4) / 4).T.numpy()


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

    def __init__(self, width: int, heads: int, blocks: int, positions: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(MELS, width, 3, padding=1)
        self.conv_2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(positions, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))

    def forward(self, mel: Tensor) -> list[Tensor]:
        """Hidden states [B, K, width] after the stem and after each block, from [B, 2 K, 80] log-mel frames."""
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
        mel = torch.from_numpy(log_mel(samples))
        tokens = len(mel) // MEL_PER_TOKEN
        kept, margin = KEPT_S * TOKEN_RATE_HZ, (WINDOW_S - KEPT_S) // 2 * TOKEN_RATE_HZ
        parts = [np.zeros((0, len(blocks) * self.positions.shape[1]), np.float32)]
        for start in range(0, tokens, kept):
            first, last = max(0, start - margin), min(tokens, start + kept + margin)
            states = self(mel[None, first * MEL_PER_TOKEN : last * MEL_PER_TOKEN])
            joined = torch.cat([states[block][0] for block in blocks], 1)
            parts.append(joined[start - first : start - first + kept].numpy())
        return np.concatenate(parts)


def load(path: Path, blocks: int | None = None) -> WhisperEncoder:
    """The encoder of a CTranslate2 Whisper model file, with its first `blocks` blocks (default: all).

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is no such model.
    """
    tensors = ctranslate2.read(path, "encoder/")
    available = len({name.split("/")[1] for name in tensors if name.startswith("encoder/layer_")} - {"layer_norm"})
    try:
        width = len(tensors["encoder/conv1/bias"])
        heads = int(tensors["encoder/num_heads"])
        positions = tensors["encoder/position_encodings/encodings"]
        encoder = WhisperEncoder(width, heads, min(blocks or available, available), len(positions))
        encoder.load_state_dict(_state(tensors, len(encoder.blocks)))
    except (KeyError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"{path}: not a Whisper encoder ({' '.join(str(error).split())}); fetch the asset again"
        ) from error
    return encoder.eval()


def _state(tensors: dict[str, np.ndarray], blocks: int) -> dict[str, Tensor]:
    """State of `WhisperEncoder` from the names of the CTranslate2 file."""
    names = {"positions": "encoder/position_encodings/encodings"}
    for ours, theirs in (("conv_1", "encoder/conv1"), ("conv_2", "encoder/conv2")):
        names |= {f"{ours}.{kind}": f"{theirs}/{kind}" for kind in ("weight", "bias")}
    for index in range(blocks):
        prefix = f"encoder/layer_{index}"
        for ours, theirs in (("norm_1", "self_attention/layer_norm"), ("norm_2", "ffn/layer_norm")):
            names[f"blocks.{index}.{ours}.weight"] = f"{prefix}/{theirs}/gamma"
            names[f"blocks.{index}.{ours}.bias"] = f"{prefix}/{theirs}/beta"
        linear = (
            ("qkv", "self_attention/linear_0"),
            ("out", "self_attention/linear_1"),
            ("up", "ffn/linear_0"),
            ("down", "ffn/linear_1"),
        )
        for ours, theirs in linear:
            names |= {f"blocks.{index}.{ours}.{kind}": f"{prefix}/{theirs}/{kind}" for kind in ("weight", "bias")}
    return {ours: torch.from_numpy(tensors[theirs].astype(np.float32)) for ours, theirs in names.items()}
