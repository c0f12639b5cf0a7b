"""What may be installed beside the pipeline: one torch, chosen first, and nothing that brings another or TensorFlow."""

import ast
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from emotag.workflow.sources import modules, path_of

ROOT = Path(__file__).resolve().parents[1]
# Installed into the core environment: by `make setup`, for an optional provider, and by conda.
CORE = (
    "requirements-torch.txt", "requirements.txt", "requirements-dev.txt", "requirements-cluster.txt", "envs/transformers.txt",
)  # fmt: skip
APART = ("envs/deepface.txt",)
UNWANTED = {
    "torchvision",
    "torchaudio",
    "torchcodec",
    "triton",
    "timm",
    "lpips",
    "piq",
    "smplx",
    "chumpy",
    "keras",
    "deepface",
}
UNWANTED_BEGINNINGS = ("tensorflow", "tf-keras", "tf-nightly", "nvidia-", "torch-")
# Where the environment of its own is the one that imports them.
OUTSIDE = {"emotag.emotion.deepface_program"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(file):
    """{package: pin} of a list; a line that is no exact pin fails."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]
    pairs = [re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.+!]+)", line) for line in lines if line]
    assert all(pairs), (file, [line for line, pair in zip(filter(None, lines), pairs, strict=True) if not pair])
    return {normal(pair[1]): pair[2] for pair in pairs}


def unwanted(names):
    return {name for name in names if name in UNWANTED or name.startswith(UNWANTED_BEGINNINGS)}


@pytest.mark.parametrize("file", CORE)
def test_no_list_of_the_core_names_another_framework(file):
    names = set(listed(file))
    assert not unwanted(names)
    assert ("torch" in names) == (file == "requirements-torch.txt")


def test_conda_installs_the_same_torch_and_the_same_list():
    *_, pip = yaml.safe_load((ROOT / "envs/pipeline.yaml").read_text())["dependencies"]
    assert pip == {"pip": [f"torch=={listed('requirements-torch.txt')['torch']}", "-r ../requirements.txt"]}


def test_the_package_itself_asks_for_nothing():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [] and not project.get("optional-dependencies")


def test_no_list_is_forgotten():
    """A new list has to be said to be installed into the core, or apart from it by the rule environment."""
    lists = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("requirements*.txt"), *ROOT.glob("envs/*.txt")]}
    assert lists == set(CORE) | set(APART)
    rule = (ROOT / "rules" / "assets.smk").read_text()
    assert [f"envs/{name}.txt" for name in re.findall(r'environment="(\w+)"', rule)] == list(APART)


def test_what_stands_apart_is_pinned_too():
    assert {"tensorflow-cpu", "deepface"} <= set(listed(APART[0])) and "torch" not in listed(APART[0])


def test_packages_that_would_bring_another_torch_are_installed_without_what_they_ask_for():
    text = (ROOT / "envs" / "transformers.txt").read_text()
    assert "--no-deps -r envs/transformers.txt" in text
    stage = (ROOT / "src" / "emotag" / "stages" / "environment.py").read_text()
    assert '"--no-deps"' in stage


def test_the_running_environment_is_as_listed():
    """Of what is installed here, nothing that is listed asks for what must not be there."""
    for name in set().union(*map(listed, CORE)):
        try:
            requires = importlib.metadata.distribution(name).requires or []
        except importlib.metadata.PackageNotFoundError:
            continue
        firm = {normal(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in requires if "extra ==" not in line}
        # torch itself asks for CUDA's parts where its build has them.
        assert name == "torch" or not unwanted(firm), (name, unwanted(firm))


@pytest.mark.parametrize("module", modules())
def test_no_module_imports_another_framework(module):
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    names = {normal(name.split(".")[0]) for name in found}
    assert not unwanted(names) or module in OUTSIDE, (module, unwanted(names))
