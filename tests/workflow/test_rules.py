"""Rules and stages fit together: the flags a rule gives are those of the stage's `run`."""

import ast
import re
from pathlib import Path

import pytest

from emotag.workflow import sources

ROOT = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^(?:use )?rule (\w+).*?(?=^(?:use )?rule |\Z)", re.M | re.S)
CALLS = {
    match[1]: " ".join(re.findall(r'^        "(.*)"$', match[0].partition("    shell:\n")[2], re.M))
    for path in sorted((ROOT / "rules").glob("*.smk"))
    for match in RULE.finditer(path.read_text(encoding="utf-8"))
    if "    shell:\n" in match[0]
}


def stage_of(call: str) -> str:
    return re.search(r"python -m emotag\.stages\.(\w+) ", call)[1]


def arguments(stage: str) -> tuple[set[str], set[str]]:
    """Flags a stage needs, and all it knows, read from its source."""
    body = sources.read(f"emotag.stages.{stage}").tree.body
    run = next(node for node in body if isinstance(node, ast.FunctionDef) and node.name == "run")
    assert not run.args.args, "run takes keyword arguments only"
    given = zip(run.args.kwonlyargs, run.args.kw_defaults, strict=True)
    flags = {f"--{argument.arg.replace('_', '-')}": default is None for argument, default in given}
    return {flag for flag, needed in flags.items() if needed}, set(flags)


@pytest.mark.parametrize("rule", CALLS)
def test_flags_are_the_stages(rule):
    given = re.findall(r" (--[a-z-]+)", CALLS[rule])
    needed, known = arguments(stage_of(CALLS[rule]))
    assert len(given) == len(set(given))
    assert needed <= set(given) <= known


@pytest.mark.parametrize("rule", CALLS)
def test_every_rule_carries_code_and_settings(rule):
    text = next(
        match[0]
        for path in (ROOT / "rules").glob("*.smk")
        for match in RULE.finditer(path.read_text(encoding="utf-8"))
        if match[1] == rule and "    shell:\n" in match[0]
    )
    # The fetched files are checked by their sha256 instead.
    assert rule == "fetch" or f'stage_code("{stage_of(CALLS[rule])}"' in text
    assert ("--config" in arguments(stage_of(CALLS[rule]))[1]) == ("stage_config(" in text)
    for part in ("    log:\n", "    benchmark:\n", "    conda:\n", "2>&1 | tee -i {log:q}"):
        # The table of assets leaves nothing behind, so that it is made whenever it is asked for.
        assert part in text or (rule == "assets" and part == "    benchmark:\n")


def test_every_stage_has_a_rule():
    stages = {path.stem for path in (sources.ROOT / "stages").glob("*.py")} - {"__init__"}
    assert stages == {stage_of(call) for call in CALLS.values()}
