"""Snakemake's own linter and formatter have nothing to say."""

import subprocess
import sys
from pathlib import Path


def test_snakemake_lint_is_clean(shared_copy):
    done = shared_copy.snakemake("--lint")
    assert done.returncode == 0, done.stdout


def test_rules_are_formatted(shared_copy):
    command = [str(Path(sys.executable).parent / "snakefmt"), "--check", "Snakefile", "rules"]
    done = subprocess.run(command, cwd=shared_copy.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
