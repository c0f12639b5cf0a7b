"""Readers of Whisper's encoder from the three forms in which it is published, any size and language.

| form | what | names of block 0's query, as an example |
| --- | --- | --- |
| OpenAI's `.pt` | `dims` and `model_state_dict` (openai/whisper, model.py) | `encoder.blocks.0.attn.query.weight` |
| the hub's folder | config.json and model.safetensors or pytorch_model.bin | `model.encoder.layers.0.self_attn.q_proj.weight` |
| CTranslate2 | model.bin (faster-whisper; float16, float32, int8) | in `encoder/layer_0/self_attention/linear_0/weight` |

Tensors come out under the names of `emotag.audio.whisper.WhisperEncoder`, float32; the key projection has no bias.
"""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from emotag.audio import ctranslate2
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.io.stamps import weights_file

Read = Callable[[str], Tensor]


@dataclass(frozen=True)
class Encoder:
    """Attention heads, blocks the file holds, and the tensors of those asked for."""

    heads: int
    available: int
    state: dict[str, Tensor]


def read(path: Path, blocks: int | None = None) -> Encoder:
    """The encoder in a file or folder, with its first `blocks` blocks (default: all).

    Raises:
        AssetMissing, ArtifactMismatch: there is no such file, or it is no Whisper encoder.
    """
    file = weights_file(path) if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise AssetMissing(f"{file} does not exist; run the rule fetch_assets, or put the file there by hand")
    form = {".pt": openai, ".safetensors": hub}.get(file.suffix) or (
        hub if file.name == "pytorch_model.bin" else faster
    )
    try:
        return form(file, blocks)
    except (KeyError, RuntimeError, ValueError, TypeError, OSError, SafetensorError, pickle.UnpicklingError) as error:
        raise ArtifactMismatch(
            f"{file}: not a Whisper encoder ({' '.join(str(error).split())}); get the file again"
        ) from error


def openai(file: Path, blocks: int | None) -> Encoder:
    """A checkpoint of openai/whisper."""
    content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    dims, tensors = content["dims"], content["model_state_dict"]
    names = {"stem": "encoder.conv{}", "positions": "encoder.positional_embedding", "block": "encoder.blocks.{}."}
    parts = {"query": "attn.query", "key": "attn.key", "value": "attn.value", "out": "attn.out", "norm_1": "attn_ln",
             "norm_2": "mlp_ln", "up": "mlp.0", "down": "mlp.2"}  # fmt: skip
    return _of_torch(tensors.__getitem__, names, parts, dims["n_audio_head"], dims["n_audio_layer"], blocks)


def hub(file: Path, blocks: int | None) -> Encoder:
    """A folder of the hub, by its file of weights; the names may have a leading `model.`."""
    config = json.loads((file.parent / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != "whisper":
        raise ValueError(f"config.json is of model_type {config.get('model_type')}, expected whisper")
    names = {"stem": "encoder.conv{}", "positions": "encoder.embed_positions.weight", "block": "encoder.layers.{}."}
    parts = {"query": "self_attn.q_proj", "key": "self_attn.k_proj", "value": "self_attn.v_proj",
             "out": "self_attn.out_proj", "norm_1": "self_attn_layer_norm", "norm_2": "final_layer_norm", "up": "fc1",
             "down": "fc2"}  # fmt: skip
    heads, available = config["encoder_attention_heads"], config["encoder_layers"]
    if file.suffix == ".safetensors":
        with safe_open(file, "pt") as tensors:
            return _of_torch(
                _without_prefix(tensors.keys(), tensors.get_tensor), names, parts, heads, available, blocks
            )
    tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    return _of_torch(_without_prefix(tensors, tensors.__getitem__), names, parts, heads, available, blocks)


def _without_prefix(names, read_one: Read) -> Read:
    prefix = "model." if any(name.startswith("model.") for name in names) else ""
    return lambda name: read_one(prefix + name)


def _of_torch(
    read_one: Read, names: dict[str, str], parts: dict[str, str], heads: int, available: int, blocks: int | None
) -> Encoder:
    """The encoder under our names; queries, keys and values are one matrix here."""
    state = {"positions": read_one(names["positions"])}
    for number in (1, 2):
        for kind in ("weight", "bias"):
            state[f"conv_{number}.{kind}"] = read_one(f"{names['stem'].format(number)}.{kind}")
    for index in range(min(blocks or available, available)):
        theirs = names["block"].format(index)
        for ours in ("out", "norm_1", "norm_2", "up", "down"):
            for kind in ("weight", "bias"):
                state[f"blocks.{index}.{ours}.{kind}"] = read_one(f"{theirs}{parts[ours]}.{kind}")
        query, key, value = (read_one(f"{theirs}{parts[name]}.weight") for name in ("query", "key", "value"))
        state[f"blocks.{index}.qkv.weight"] = torch.cat([query, key, value])
        query, value = (read_one(f"{theirs}{parts[name]}.bias") for name in ("query", "value"))
        state[f"blocks.{index}.qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return Encoder(heads, available, {name: tensor.float() for name, tensor in state.items()})


def faster(file: Path, blocks: int | None) -> Encoder:
    """A model.bin of CTranslate2, in which queries, keys and values are one matrix already."""
    tensors = ctranslate2.read(file, "encoder/")
    available = len({name.split("/")[1] for name in tensors if name.startswith("encoder/layer_")} - {"layer_norm"})
    names = {"positions": "encoder/position_encodings/encodings"}
    for number in (1, 2):
        names |= {f"conv_{number}.{kind}": f"encoder/conv{number}/{kind}" for kind in ("weight", "bias")}
    for index in range(min(blocks or available, available)):
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
    state = {ours: torch.from_numpy(_restored(tensors, theirs)) for ours, theirs in names.items()}
    return Encoder(int(tensors["encoder/num_heads"]), available, state)


def _restored(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A tensor as float32; integers are divided by their scale, one a row or one for all."""
    array = tensors[name].astype(np.float32)
    if tensors[name].dtype.kind != "i":
        return array
    scale = np.asarray(tensors[f"{name}_scale"], np.float32).reshape(-1)
    return array / scale.reshape(-1, *[1] * (array.ndim - 1))
