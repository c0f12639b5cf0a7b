"""Pickles that name more than arrays: refused or made inert, and never run."""

import argparse
import os
import pickle

import numpy as np
import pytest
import torch

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.io.pickles import ARRAYS, read_arrays, read_checkpoint


class Payload:
    """Makes a file when it is unpickled in the ordinary way."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_come_back(tmp_path, protocol):
    content = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([1, 2], np.uint32), "c": [np.float32(3), "text"]}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol))
    if protocol == 5:  # names another function, which only this protocol needs
        with pytest.raises(ArtifactMismatch, match="_frombuffer"):
            read_arrays(tmp_path / "a.pkl", ARRAYS)
        return
    found = read_arrays(tmp_path / "a.pkl", ARRAYS)
    np.testing.assert_array_equal(found["a"], content["a"])
    np.testing.assert_array_equal(found["b"], content["b"])
    assert found["c"] == [3, "text"]


@pytest.mark.parametrize("protocol", range(6))
def test_a_payload_is_refused_and_not_run(tmp_path, protocol):
    target = tmp_path / "made"
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"v_template": np.zeros(3), "x": Payload(target)}, protocol))
    with pytest.raises(ArtifactMismatch, match="refused.*mkdir|refused.*_frombuffer"):
        read_arrays(tmp_path / "a.pkl", ARRAYS)
    assert not target.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_payload_in_a_checkpoint_is_inert(tmp_path, zipped):
    target, state = tmp_path / "made", {"w": torch.arange(4.0), "half": torch.ones(2, 3).half()}
    content = {
        "state_dict": state,
        "hyper_parameters": argparse.Namespace(lr=0.1),
        "callbacks": {dict: {"best": torch.nn.Parameter(torch.ones(2))}},
        "payload": Payload(target),
    }
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(tmp_path / "a.ckpt")
    assert not target.exists()
    assert found["state_dict"].keys() == state.keys()
    for name, tensor in state.items():
        assert torch.equal(found["state_dict"][name], tensor) and found["state_dict"][name].dtype == tensor.dtype


def test_what_is_no_pickle_is_refused(tmp_path):
    with pytest.raises(AssetMissing, match="by_hand"):
        read_checkpoint(tmp_path / "a.ckpt")
    (tmp_path / "a.ckpt").write_bytes(b"no model at all")
    for read in (read_checkpoint, lambda path: read_arrays(path, ARRAYS)):
        with pytest.raises(ArtifactMismatch, match="cannot be read"):
            read(tmp_path / "a.ckpt")
    torch.save(torch.zeros(2), tmp_path / "b.ckpt")
    with pytest.raises(ArtifactMismatch, match="expected a dictionary"):
        read_checkpoint(tmp_path / "b.ckpt")
