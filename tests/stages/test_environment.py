import json
import subprocess
import zipfile

import pytest

from emotag.errors import AssetMissing
from emotag.stages import environment


def wheel(folder, name):
    """A package of one module, as a file that pip installs without any registry."""
    path = folder / f"{name}-1.2-py3-none-any.whl"
    files = {
        f"{name}.py": "answer = 42\n",
        f"{name}-1.2.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\nRequires-Dist: torch\n",
        f"{name}-1.2.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.2.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def test_an_environment_holds_what_is_listed_and_says_so(tmp_path):
    packages, ready = tmp_path / "some.txt", tmp_path / "envs" / "some" / "ready.json"
    packages.write_text(f"{wheel(tmp_path, 'lonely')}\n")
    ready.parent.mkdir(parents=True)
    (ready.parent / "left over").touch()
    environment.run(packages=packages, out=ready)
    stamp = json.loads(ready.read_text())
    assert stamp["packages"]["lonely"] == "1.2" and "torch" not in stamp["packages"] and len(stamp["list"]) == 16
    assert not (ready.parent / "left over").exists()
    code = "import lonely, importlib.util as u; print(lonely.answer, u.find_spec('torch'), u.find_spec('emotag'))"
    said = subprocess.run(
        [environment.interpreter(ready), "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["42", "None", "None"]


def test_what_cannot_be_installed_leaves_no_stamp(tmp_path):
    packages, ready = tmp_path / "some.txt", tmp_path / "some" / "ready.json"
    packages.write_text(f"{tmp_path / 'absent-1.0-py3-none-any.whl'}\n")
    with pytest.raises(AssetMissing, match="absent"):
        environment.run(packages=packages, out=ready)
    assert not ready.exists()
