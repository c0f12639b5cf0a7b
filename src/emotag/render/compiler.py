"""Builds `raster.cpp` with the system's C++ compiler, once a source, compiler and machine, into the user's cache.

A library that lies beside the source under the source's own digest (as a wheel may carry it) is taken as it is.
`python -m emotag.render.prebuild` puts it there.
"""

import fcntl
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from emotag.errors import AssetMissing

log = logging.getLogger(__name__)
SOURCE = Path(__file__).with_name("raster.cpp")
COMPILERS = ("c++", "g++", "clang++")
# No fast-math: sums keep their order, so the bits do not depend on the compiler's mood. Contraction allows fused
# multiply-add; without errno and traps, roots and rounding become single instructions.
FLAGS = (
    "-O3", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast", "-fno-math-errno",
    "-fno-trapping-math",
)  # fmt: skip
TIME_LIMIT_S = 300


def library() -> Path:
    """Path of the built library: the one shipped beside the source, else that of the cache, else built now.

    Raises:
        AssetMissing: there is no compiler, or it failed, or the cache cannot be written.
    """
    shipped = shipped_path()
    if shipped.exists():
        return shipped
    compiler = find_compiler()
    path = cache_folder() / f"raster-{source_digest()}-{build_digest(compiler)}.so"
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Many jobs may start at once: one builds, the others wait and find it done.
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                build(compiler, path)
    except OSError as error:
        raise AssetMissing(
            f"C++ kernels: {path} cannot be written ({error.strerror}); expected a writable cache; set XDG_CACHE_HOME"
        ) from error
    return path


def shipped_path() -> Path:
    """Where a wheel carries the library for this kind of machine."""
    return SOURCE.with_name(f"raster-{source_digest()}-{platform.machine()}.so")


def cache_folder() -> Path:
    """The package's folder in the user's cache (XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emotag"


def find_compiler() -> str:
    """The compiler named by CXX, else the first of `COMPILERS`.

    Raises:
        AssetMissing: there is none.
    """
    names = [os.environ["CXX"]] if os.environ.get("CXX") else COMPILERS
    for name in names:
        if found := shutil.which(name):
            return found
    raise AssetMissing(f"C++ kernels: no compiler found, looked for {', '.join(names)}; install g++ or set CXX")


def build(compiler: str, path: Path) -> None:
    """Compile into `path`, which appears whole or not at all.

    Raises:
        AssetMissing: the compiler failed; the message holds its first error.
    """
    log.info("building the C++ kernels with %s into %s", compiler, path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [compiler, *FLAGS, str(SOURCE), "-o", str(made)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise AssetMissing(f"C++ kernels: {compiler} took longer than {TIME_LIMIT_S} s; set CXX") from error
        if done.returncode != 0:
            lines = done.stderr.splitlines()
            first = next((line for line in lines if "error" in line), lines[0] if lines else "no message")
            raise AssetMissing(
                f"C++ kernels: {compiler} failed: {first.strip()}; expected C++17; install a newer g++ or set CXX"
            )
        made.replace(path)


def source_digest() -> str:
    """12 hex digits of the source and the flags."""
    return hashlib.sha256(SOURCE.read_bytes() + " ".join(FLAGS).encode()).hexdigest()[:12]


def build_digest(compiler: str) -> str:
    """12 hex digits of the compiler's version and of this machine's instruction set."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    return hashlib.sha256("\n".join([compiler, version, platform.machine(), cpu_flags()]).encode()).hexdigest()[:12]


def cpu_flags() -> str:
    """The processor's features as Linux lists them; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(("flags", "Features"))), "")
