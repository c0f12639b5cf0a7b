"""Speech encoders of the Wav2Vec 2.0 family through the optional package `transformers`, from a folder, offline.

| provider | model (revision) | width | used by |
| --- | --- | --- | --- |
| wav2vec2 | facebook/wav2vec2-base-960h (22aad52d) | 768 | EmoTaG; Baevski et al. 2020 |
| hubert | facebook/hubert-large-ls960-ft (ece5fabb) | 1024 | InsTaG, FIAG's table; Hsu et al. 2021 |
| wavlm | microsoft/wavlm-base-plus (4c66d480) | 768 | 3DXTalker; Chen et al. 2022 |
| xls-r | facebook/wav2vec2-xls-r-1b (35eaea9a) | 1280 | GGTalker, by its width; Babu et al. 2021 |

Input: mono 16 kHz, brought to zero mean and unit variance over the recording where preprocessor_config.json says
`do_normalize`. Seven convolutions (400 samples wide, 320 apart) make one token each 20 ms, so K = (N - 400) // 320 + 1.
Taken is `last_hidden_state`, as EmoTaG does, or one hidden layer.

The transformer attends over the whole recording, as in the papers. Memory would go into the convolutions, about 0.4 GB a
minute, so these run in chunks that give the same values: a token sees its own 400 samples and no padding, and the first
layer's normalisation over time (wav2vec2-base, wavlm-base) takes its statistics from a pass over all chunks. Attention needs
no more memory than the recording is long (WavLM's in `wavlm_attention`). Speed and memory: docs/providers.md.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotag.audio.wavlm_attention import ChunkedAttention
from emotag.errors import ArtifactMismatch, AssetMissing, ConfigError
from emotag.io.assets import sha256_of
from emotag.io.stamps import weights_file
from emotag.types import SAMPLE_RATE_HZ

HOP = 320
FIELD = 400
CHUNK_TOKENS = 10 * SAMPLE_RATE_HZ // HOP
# `model_type` in config.json.
TYPES = {"wav2vec2": "wav2vec2", "hubert": "hubert", "wavlm": "wavlm", "xls-r": "wav2vec2"}
# Used in training alone; some files leave it out.
NOT_NEEDED = {"masked_spec_embed"}


class ChunkedConvolutions(nn.Module):
    """The convolutions of an encoder (`whole.conv_layers`), `chunk_tokens` tokens at a time."""

    def __init__(self, whole: nn.Module, chunk_tokens: int) -> None:
        super().__init__()
        self.layers = whole.conv_layers
        self.chunk_tokens = chunk_tokens

    def forward(self, samples: Tensor) -> Tensor:
        """[1, C, K] from [1, N], as the whole would give."""
        tokens = (samples.shape[1] - FIELD) // HOP + 1
        starts = range(0, tokens, self.chunk_tokens)
        chunks = [samples[:, None, k * HOP : (min(k + self.chunk_tokens, tokens) - 1) * HOP + FIELD] for k in starts]
        first, *rest = self.layers
        moments = self._moments(samples) if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm) else None
        parts = []
        for chunk in chunks:
            x = first(chunk) if moments is None else first.activation(self._normalised(first.conv(chunk), moments))
            for layer in rest:
                x = layer(x)
            parts.append(x)
        return torch.cat(parts, 2)

    def _moments(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance over all time of the first convolution's channels [C]."""
        convolution = self.layers[0].conv
        (size,), (stride,) = convolution.kernel_size, convolution.stride
        frames = (samples.shape[1] - size) // stride + 1
        step = self.chunk_tokens * HOP // stride
        total = square = 0.0
        for start in range(0, frames, step):
            stop = min(start + step, frames)
            x = convolution(samples[:, None, start * stride : (stop - 1) * stride + size]).double()
            total, square = total + x.sum((0, 2)), square + x.square().sum((0, 2))
        mean = total / frames
        return mean, square / frames - mean.square()

    def _normalised(self, x: Tensor, moments: tuple[Tensor, Tensor]) -> Tensor:
        """What the group normalisation (a group a channel) makes of [1, C, k] with the moments of the whole."""
        norm = self.layers[0].layer_norm
        mean, variance = moments
        scale = norm.weight.double() / (variance + norm.eps).sqrt()
        shift = norm.bias.double() - mean * scale
        return x * scale.float()[:, None] + shift.float()[:, None]


@dataclass(frozen=True)
class HubEncoder:
    """A model of `transformers`, whether its input is normalised, and the hidden layer taken (None: the last)."""

    model: nn.Module
    normalised: bool
    layer: int | None

    @torch.no_grad()
    def features(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """[K, D] float32 at 50 Hz of 16 kHz mono `samples`; the recording's `name` is not needed."""
        x = np.asarray(samples, np.float64)
        if self.normalised:
            x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
        if len(x) < FIELD:
            return np.zeros((0, self.model.config.hidden_size), np.float32)
        out = self.model(torch.from_numpy(x.astype(np.float32))[None], output_hidden_states=self.layer is not None)
        states = out.last_hidden_state if self.layer is None else out.hidden_states[self.layer]
        return states[0].numpy()


def revision(folder: Path, layer: int | None) -> str:
    """What identifies the features: the digest of the weights file and the layer."""
    return f"{sha256_of(weights_file(folder))[:16]}/{'last' if layer is None else layer}"


def load(folder: Path, provider: str, layer: int | None, chunk_tokens: int = CHUNK_TOKENS) -> HubEncoder:
    """The encoder in a folder as the hub's download writes it: config.json, preprocessor_config.json, weights.

    Raises:
        ConfigError: `transformers` is not installed, or the model has no such layer.
        AssetMissing, ArtifactMismatch: files are missing, or are those of another model.
    """
    try:
        from transformers import AutoModel
    except ImportError as error:
        raise ConfigError(
            f"speech.provider {provider} needs the package transformers ({error}); "
            "install it: .venv/bin/python -m pip install --no-deps -r envs/transformers.txt"
        ) from error
    weights = weights_file(folder)
    settings, preprocessor = (_json(Path(folder) / name) for name in ("config.json", "preprocessor_config.json"))
    if settings.get("model_type") != TYPES[provider]:
        raise ArtifactMismatch(
            f"{folder}: config.json is of model_type {settings.get('model_type')}, expected {TYPES[provider]}; "
            "choose the provider that fits, or another folder"
        )
    try:
        model, info = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            output_loading_info=True,
            use_safetensors=weights.suffix == ".safetensors",
            attn_implementation="eager" if provider == "wavlm" else "sdpa",
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"{folder}: cannot be loaded ({' '.join(str(error).split())}); download it again"
        ) from error
    if lacking := [name for name in info["missing_keys"] if name not in NOT_NEEDED]:
        raise ArtifactMismatch(f"{weights}: holds no {lacking[0]} ({len(lacking)} tensors missing); download it again")
    layers = model.config.num_hidden_layers
    if layer is not None and not 0 <= layer <= layers:
        raise ConfigError(
            f"speech.layer is {layer}; choose from 0 (the input of the first) to {layers}, or leave it out"
        )
    return encoder_of(model, bool(preprocessor.get("do_normalize", True)), layer, chunk_tokens)


def encoder_of(model: nn.Module, normalised: bool, layer: int | None, chunk_tokens: int = CHUNK_TOKENS) -> HubEncoder:
    """A model of `transformers` made to work on long recordings."""
    if model.config.model_type == "wavlm":
        for block in model.encoder.layers:
            block.attention = ChunkedAttention(block.attention)
    model.feature_extractor = ChunkedConvolutions(model.feature_extractor, chunk_tokens)
    return HubEncoder(model.eval(), normalised, layer)


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AssetMissing(f"{path} does not exist; download the whole folder (snakemake assets says how)") from error
    except ValueError as error:
        raise ArtifactMismatch(f"{path}: is no JSON ({error}); download it again") from error
