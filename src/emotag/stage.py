"""Makes the `run` function of a stage a program: `python -m emotag.stages.<name> --flag value … --config JSON`.

Flags come from the signature (`out_video` is `--out-video`; a list takes several values; a pydantic model takes JSON).
Exit code 0: done. 2: something the user can mend, told in one line on stderr. Anything else is a bug, with traceback.
"""

import argparse
import errno
import glob
import hashlib
import inspect
import logging
import signal
import sys
import threading
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from emotag import devices
from emotag.complaints import first_complaint
from emotag.errors import ConfigError, EmotagError
from emotag.heartbeat import heartbeat
from emotag.provenance import Run, describe
from emotag.workflow.sources import closure

_RUN = Run()
# A full or read-only disk, a quota, missing rights: the user's to mend.
EXIT_BASE = 128
PLACE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOLCK, errno.EFBIG)


def provenance() -> dict[str, Any]:
    """What goes into the metadata of an artifact of the running stage: package version, code and settings.

    Times, hosts and paths are left out on purpose: the same inputs, code and settings give the same bytes.
    """
    return describe(_RUN)


def code(*loaded_by_name: str) -> list[str]:
    """`module@digest` lines of the running stage and of modules it loads by name, for the fingerprint of its state.

    Empty where `run` is called as a function.
    """
    return closure(_RUN.module, *loaded_by_name) if _RUN.module else []


def digests(**paths: Path) -> dict[str, str]:
    """First 16 hex digits of the sha256 of each file, for sidecars that say what something was made from."""
    found = {}
    for name, path in sorted(paths.items()):
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return found


def main(run: Callable[..., None], arguments: Sequence[str] | None = None, *, gpu: bool = False) -> None:
    """Parse the command line for `run`, call it, and turn an `EmotagError` into one line and exit code 2.

    `gpu`: hold one GPU the while, where there are several.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    module = inspect.getmodule(run)
    spec = getattr(module, "__spec__", None)
    name = spec.name if spec else run.__module__
    values: dict[str, Any] = {}
    try:
        values = parse(run, name, arguments)
        _RUN.begin(name, {key: value for key, value in values.items() if isinstance(value, BaseModel)})
        sweep(values)
        with leaving_tidily(), heartbeat(short(name), first_output(values)), devices.one() if gpu else nullcontext():
            run(**values)
    except EmotagError as error:
        fail(name, str(error))
    except FileNotFoundError as error:
        if error.filename is None or str(error.filename) not in given_paths(values):
            raise
        fail(name, f"{error.filename} does not exist; check the path, or let Snakemake make it")
    except OSError as error:
        if error.errno not in PLACE_ERRORS:
            raise
        where = error.filename or "the results"
        fail(
            name, f"{where}: cannot be written or read ({error.strerror}); make room or give access, then run it again"
        )


@contextmanager
def leaving_tidily() -> Iterator[None]:
    """Let a signal to end (a scheduler's, a closed terminal's, Ctrl-C) be an exception, so that nothing half-written stays.

    What is ignored stays so: jobs in the background of a shell do not get Ctrl-C, those under nohup no SIGHUP.
    """
    signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    main_thread = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in signals if main_thread}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: types.FrameType | None) -> typing.NoReturn:
    raise SystemExit(EXIT_BASE + number)


def sweep(values: dict[str, Any]) -> None:
    """Remove what a killed try of the same job left beside its outputs (arguments `out…`): hidden files of their names."""
    for key, value in values.items():
        for path in (value if isinstance(value, list) else [value]) if key.startswith("out") else []:
            for rest in path.parent.glob(f".{glob.escape(path.name)}.*") if isinstance(path, Path) else []:
                rest.unlink(missing_ok=True)


def short(name: str) -> str:
    """A stage without its package."""
    return name.removeprefix("emotag.stages.")


def first_output(values: dict[str, Any]) -> Path | str:
    """The first output of a job (arguments `out…`), which nobody else makes."""
    given = (value for key, value in values.items() if key.startswith("out"))
    return next((path for value in given for path in (value if isinstance(value, list) else [value]) if path), "")


def fail(name: str, message: str) -> typing.NoReturn:
    """Print one line for the user and leave with code 2."""
    print(f"error ({short(name)}): {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(2)


def given_paths(values: dict[str, Any]) -> set[str]:
    """Every path that was named on the command line."""
    paths: set[str] = set()
    for value in values.values():
        paths.update(str(item) for item in (value if isinstance(value, list) else [value]) if isinstance(item, Path))
    return paths


def parse(run: Callable[..., None], name: str, arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Arguments of `run` from a command line.

    Raises:
        ConfigError: a settings argument is not JSON or does not fit its model.
    """
    hints = typing.get_type_hints(run)
    summary = (inspect.getmodule(run).__doc__ or "").strip()
    parser = argparse.ArgumentParser(
        prog=f"python -m {name}", description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for key, parameter in inspect.signature(run).parameters.items():
        add_flag(parser, key, hints[key], parameter.default)
    texts = vars(parser.parse_args(arguments))
    return {key: settings(hints[key], key, text) if is_model(hints[key]) else text for key, text in texts.items()}


def add_flag(parser: argparse.ArgumentParser, key: str, hint: Any, default: Any) -> None:
    """One flag for one keyword argument of a stage."""
    options: dict[str, Any] = {"dest": key}
    if default is inspect.Parameter.empty:
        options["required"] = True
    else:
        options["default"] = default
    inner = optional_of(hint)
    if typing.get_origin(inner) is list:
        options["nargs"] = "*"
        inner = typing.get_args(inner)[0]
    options["type"] = str if is_model(inner) else truth if inner is bool else inner
    options["metavar"] = "JSON" if is_model(inner) else inner.__name__.upper()
    parser.add_argument(f"--{key.replace('_', '-')}", **options)


def truth(text: str) -> bool:
    """`True` or `False`, as Python writes them."""
    if text not in ("True", "False"):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected True or False")
    return text == "True"


def optional_of(hint: Any) -> Any:
    """`X` of `X | None`, and any other hint as it is."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(option for option in typing.get_args(hint) if option is not type(None))
    return hint


def is_model(hint: Any) -> bool:
    """Whether an argument is a settings model, given as JSON."""
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def settings(model: type[BaseModel], key: str, text: Any) -> BaseModel:
    """A settings model from JSON text (a default passes through)."""
    if isinstance(text, model):
        return text
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(first_complaint(error, model, f"--{key.replace('_', '-')}")) from error
