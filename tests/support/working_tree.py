"""A temporary copy of the working tree, and Snakemake itself run in it."""

import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from emotag.bench.working_tree import SNAKEMAKE, copy_tracked

ROOT = Path(__file__).resolve().parents[2]
# `python -m emotag.stages.x … --out FILE …`: touches what follows a flag of an output.
PRETENDER = """#!/bin/sh
out=no
for word; do
    case "$word" in
        --out*) out=yes ;;
        --*) out=no ;;
        *) test $out = no || echo '{}' > "$word" ;;
    esac
done
"""


@dataclass(frozen=True)
class Copy:
    """A working tree of its own."""

    path: Path

    def snakemake(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        command = [str(SNAKEMAKE), "--cores", "1", *arguments]
        return subprocess.run(
            command, cwd=self.path, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """Snakemake in the background, in a process group of its own."""
        command = [str(SNAKEMAKE), "--cores", "1", *arguments]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=self.path, stdout=quiet, stderr=quiet, start_new_session=True)

    def jobs(self, *arguments: str) -> dict[str, int]:
        """{rule: number of jobs} that a dry run would do."""
        done = self.snakemake("-n", *arguments)
        assert done.returncode == 0, done.stdout
        stats = re.search(r"^job +count\n[- ]+\n(.*?)^total", done.stdout, re.S | re.M)
        return {rule: int(n) for rule, n in re.findall(r"^(\S+) +(\d+)$", stats[1], re.M)} if stats else {}

    def pretend_done(self, *arguments: str) -> None:
        """Run all rules with a program in place of Python that only makes the outputs, with nothing in them."""
        program = self.path / "bin" / "python"
        program.parent.mkdir(exist_ok=True)
        program.write_text(PRETENDER)
        program.chmod(0o755)
        manifest = self.path / "data" / "assets.yaml"
        manifest.write_text(re.sub(r"sha256: \w{64}", f"sha256: {hashlib.sha256().hexdigest()}", manifest.read_text()))
        for name in re.findall(r"^(\S+):$", manifest.read_text(), re.M):
            (self.path / "data" / "assets").mkdir(exist_ok=True)
            (self.path / "data" / "assets" / name).touch()
        self.edit("emotag.workflow.environment", "os.path.dirname(sys.executable)", repr(str(program.parent)))
        done = self.snakemake(*arguments)
        assert done.returncode == 0, done.stdout

    def edit(self, module: str, old: str, new: str) -> None:
        path = self.path / "src" / f"{module.replace('.', '/')}.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def append(self, module: str, text: str) -> None:
        path = self.path / "src" / f"{module.replace('.', '/')}.py"
        path.write_text(path.read_text() + text)


def copy_of_tree(target: Path) -> Copy:
    copy_tracked(ROOT, target)
    return Copy(target)
