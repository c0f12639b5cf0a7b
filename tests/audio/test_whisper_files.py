"""Whisper's encoder from small files of each published form: the same encoder must come back, whatever it was written as."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emotag.artifacts import Speech
from emotag.audio import whisper, whisper_files
from emotag.config import SpeechConfig
from emotag.errors import ArtifactMismatch, AssetMissing, ConfigError
from emotag.io.artifact import read_provenance
from emotag.io.audio import write_wav
from emotag.stages import speech

WIDTH, HEADS, BLOCKS, MELS = 24, 3, 3, 128


def sound(seconds=0.7):
    time = np.arange(int(seconds * 16000)) / 16000
    noise = np.random.default_rng(0).normal(size=len(time))
    return (0.3 * np.sin(2 * np.pi * 220 * time * (1 + time)) + 0.02 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    made = whisper.WhisperEncoder(WIDTH, HEADS, BLOCKS, 400, MELS).eval()
    made.positions.copy_(torch.randn(400, WIDTH))
    for block in made.blocks:
        block.qkv.bias.data[WIDTH : 2 * WIDTH] = 0
    return made


def of_openai(encoder, path, half=False):
    """As openai/whisper publishes them: fp16 tensors, decoder and final norm included."""
    state = {"encoder.positional_embedding": encoder.positions, "encoder.ln_post.weight": torch.ones(WIDTH)}
    state["decoder.token_embedding.weight"] = torch.zeros(7, WIDTH)
    for ours, theirs in (("conv_1", "conv1"), ("conv_2", "conv2")):
        state |= {f"encoder.{theirs}.{kind}": getattr(getattr(encoder, ours), kind) for kind in ("weight", "bias")}
    layers = {"out": "attn.out", "norm_1": "attn_ln", "norm_2": "mlp_ln", "up": "mlp.0", "down": "mlp.2"}
    for index, block in enumerate(encoder.blocks):
        state |= rows(block, f"encoder.blocks.{index}.", layers, ("attn.query", "attn.key", "attn.value"))
    state = {name: tensor.detach().half() if half else tensor.detach() for name, tensor in state.items()}
    dims = {"n_mels": MELS, "n_audio_ctx": 400, "n_audio_state": WIDTH, "n_audio_head": HEADS, "n_audio_layer": BLOCKS}
    torch.save({"dims": dims, "model_state_dict": state}, path)
    return path


def rows(block, prefix, layers, names):
    """One block under the names of the two forms that keep query, key and value apart (the key without bias)."""
    state = {f"{prefix}{theirs}.{kind}": getattr(getattr(block, ours), kind) for ours, theirs in layers.items()
             for kind in ("weight", "bias")}  # fmt: skip
    for name, weight, bias in zip(names, block.qkv.weight.chunk(3), block.qkv.bias.chunk(3), strict=True):
        state[f"{prefix}{name}.weight"] = weight.clone()
        if "k" not in name.split(".")[-1][:1]:
            state[f"{prefix}{name}.bias"] = bias.clone()
    return state


def of_the_hub(encoder, folder, prefix="model.", safe=True, kind="whisper"):
    folder.mkdir(exist_ok=True)
    state = {f"{prefix}encoder.embed_positions.weight": encoder.positions}
    for ours, theirs in (("conv_1", "conv1"), ("conv_2", "conv2")):
        state |= {f"{prefix}encoder.{theirs}.{k}": getattr(getattr(encoder, ours), k) for k in ("weight", "bias")}
    layers = {"out": "self_attn.out_proj", "norm_1": "self_attn_layer_norm", "norm_2": "final_layer_norm", "up": "fc1",
              "down": "fc2"}  # fmt: skip
    names = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
    for index, block in enumerate(encoder.blocks):
        state |= rows(block, f"{prefix}encoder.layers.{index}.", layers, names)
    state = {name: tensor.detach().contiguous() for name, tensor in state.items()}
    if safe:
        save_file(state, folder / "model.safetensors", {"format": "pt"})
    else:
        torch.save(state, folder / "pytorch_model.bin")
    config = {"model_type": kind, "encoder_attention_heads": HEADS, "encoder_layers": BLOCKS, "num_mel_bins": MELS}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def of_ctranslate2(encoder, folder, int8=False):
    """model.bin, format 6; with `int8` the linear weights are rounded to 127 steps a row, beside their scales."""
    arrays = {"encoder/num_heads": np.array(HEADS, "<i2")}
    arrays["encoder/position_encodings/encodings"] = encoder.positions.numpy()
    for ours, theirs in (("conv_1", "conv1"), ("conv_2", "conv2")):
        for kind in ("weight", "bias"):
            arrays[f"encoder/{theirs}/{kind}"] = getattr(getattr(encoder, ours), kind).detach().numpy()
    linear = {"qkv": "self_attention/linear_0", "out": "self_attention/linear_1", "up": "ffn/linear_0",
              "down": "ffn/linear_1"}  # fmt: skip
    for index, block in enumerate(encoder.blocks):
        for ours, theirs in (("norm_1", "self_attention/layer_norm"), ("norm_2", "ffn/layer_norm")):
            for kind, name in (("weight", "gamma"), ("bias", "beta")):
                arrays[f"encoder/layer_{index}/{theirs}/{name}"] = getattr(getattr(block, ours), kind).detach().numpy()
        for ours, theirs in linear.items():
            place = f"encoder/layer_{index}/{theirs}"
            weight = getattr(block, ours).weight.detach().numpy()
            arrays[f"{place}/bias"] = getattr(block, ours).bias.detach().numpy()
            if int8:
                scale = 127 / np.abs(weight).max(1)
                arrays[f"{place}/weight_scale"] = scale.astype("<f4")
                weight = np.rint(weight * scale[:, None]).astype("<i1")
            arrays[f"{place}/weight"] = weight
    kinds = {np.dtype("<f4"): 0, np.dtype("<i1"): 1, np.dtype("<i2"): 2}
    data = struct.pack("<I", 6) + string("WhisperSpec") + struct.pack("<2I", 3, len(arrays))
    for name, array in arrays.items():
        data += string(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape)
        data += struct.pack("<BI", kinds[array.dtype], array.nbytes) + array.tobytes()
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_bytes(data + struct.pack("<I", 0))
    return folder


def string(text):
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


FORMS = {
    "OpenAI": lambda encoder, path: of_openai(encoder, path / "base.pt"),
    "hub": lambda encoder, path: of_the_hub(encoder, path / "whisper"),
    "hub, encoder alone": lambda encoder, path: of_the_hub(encoder, path / "whisper", prefix=""),
    "hub, pickle": lambda encoder, path: of_the_hub(encoder, path / "whisper", safe=False),
    "CTranslate2": lambda encoder, path: of_ctranslate2(encoder, path / "faster"),
    "CTranslate2, the file": lambda encoder, path: of_ctranslate2(encoder, path / "faster") / "model.bin",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_encoder_back(form, tmp_path, encoder):
    found = whisper.load(FORMS[form](encoder, tmp_path))
    assert len(found.blocks) == BLOCKS
    np.testing.assert_allclose(
        found.features(sound(), (0, 1, 3)), encoder.features(sound(), (0, 1, 3)), rtol=1e-5, atol=1e-5
    )
    part = whisper.load(FORMS[form](encoder, tmp_path), 2)
    assert len(part.blocks) == 2
    np.testing.assert_allclose(part.features(sound(), (2,)), encoder.features(sound(), (2,)), rtol=1e-5, atol=1e-5)


def test_halves_and_bytes_come_close(tmp_path, encoder):
    wanted = encoder.features(sound(), (3,))
    half = whisper.load(of_openai(encoder, tmp_path / "a.pt", half=True)).features(sound(), (3,))
    rounded = whisper.load(of_ctranslate2(encoder, tmp_path / "f", int8=True)).features(sound(), (3,))
    assert 0 < np.abs(half - wanted).max() < 0.02 and 0 < np.abs(rounded - wanted).max() < 0.1


def test_equals_transformers_own(tmp_path):
    """Where `transformers` is installed: its random Whisper, written by itself, hidden states after every block."""
    transformers = pytest.importorskip(
        "transformers", reason="optional: pip install --no-deps -r envs/transformers.txt"
    )
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        d_model=WIDTH, encoder_layers=2, encoder_attention_heads=HEADS, encoder_ffn_dim=4 * WIDTH, decoder_layers=1,
        decoder_attention_heads=HEADS, decoder_ffn_dim=WIDTH, vocab_size=20, num_mel_bins=80, max_source_positions=35,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config).eval()
    model.save_pretrained(tmp_path)
    mel = torch.from_numpy(whisper.log_mel(sound()))
    with torch.no_grad():
        states = model.model.encoder(mel.T[None], output_hidden_states=True).hidden_states
    ours = whisper.load(tmp_path).features(sound(), (0, 1))
    np.testing.assert_allclose(ours, torch.cat(states[:2], 2)[0].numpy(), atol=1e-5)


def test_what_does_not_fit_is_refused(tmp_path, encoder):
    with pytest.raises(AssetMissing, match="does not exist"):
        whisper_files.read(tmp_path / "base.pt")
    with pytest.raises(AssetMissing, match="neither"):
        whisper_files.read(tmp_path)
    other = of_the_hub(encoder, tmp_path / "a", kind="hubert")
    with pytest.raises(ArtifactMismatch, match="model_type hubert"):
        whisper_files.read(other)
    torch.save({"dims": {"n_audio_head": 1, "n_audio_layer": 1}, "model_state_dict": {}}, tmp_path / "b.pt")
    with pytest.raises(ArtifactMismatch, match="not a Whisper encoder"):
        whisper_files.read(tmp_path / "b.pt")
    (tmp_path / "c.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ArtifactMismatch, match="not a Whisper encoder"):
        whisper_files.read(tmp_path / "c.pt")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "config.json").write_text((other / "config.json").read_text().replace("hubert", "whisper"))
    (tmp_path / "d" / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ArtifactMismatch, match="not a Whisper encoder"):
        whisper_files.read(tmp_path / "d")


def test_another_size_through_the_stage(tmp_path, encoder):
    model = of_the_hub(encoder, tmp_path / "whisper-huge")
    write_wav(tmp_path / "a.wav", sound(1.0))
    settings = {"provider": "whisper", "model": str(model)}
    files = {"audio": tmp_path / "a.wav", "model": model, "out": tmp_path / "s"}
    speech.run(**files, config=SpeechConfig(**settings, blocks=(1, 3)))
    made = Speech.load(tmp_path / "s")
    assert made.features.shape == (50, 2 * WIDTH) and made.revision.endswith("/1+3")
    [weights] = read_provenance(tmp_path / "s")["made_with"]
    assert weights["name"] == "whisper-huge" and weights["sha256"].startswith(made.revision.split("/")[0])
    with pytest.raises(ConfigError, match="choose from 0 .* to 3"):
        speech.run(**files, config=SpeechConfig(**settings, blocks=(4,)))
