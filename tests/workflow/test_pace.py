"""What is done once instead of for each job of a plan, and that the plan is the one Snakemake makes by itself."""

import gc
import inspect
import re
import subprocess
from types import SimpleNamespace

import pytest
from snakemake import api  # noqa: F401  (first, or the others import each other in a circle)
from snakemake.common import get_function_params
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.resources import Resource
from snakemake.rules import Rule
from snakemake.utils import format as snakemake_format

from emotag.bench.working_tree import SNAKEMAKE
from emotag.workflow import pace
from emotag.workflow.params import grows

# Resources that all jobs share, that one job has for itself, and a job that succeeds when it is tried again.
FILE = """
import sys
sys.path.insert(0, {sources!r})
from snakemake.dag import DAG
from snakemake.jobs import Job
from emotag.workflow.pace import quicken
from emotag.workflow.params import grows

TEXT = "of the Snakefile"

rule all:
    input: expand("{{x}}.txt", x=list("abcd"))

rule alike:
    output: "{{x}}.in"
    params: twice=lambda wildcards, output: output[0] * 2
    resources: mem_mb=grows(1000), runtime=grows(10)
    log: "{{x}}.log"
    shell:
        "echo {{TEXT}} {{wildcards}} {{wildcards.x}} {{params.twice:q}} {{params[0]}} {{resources}} {{rule}} > {{output}}"
        " && echo {{threads}} {{output[0]}} 2> {{log:q}}"

rule unlike:
    input: lambda wildcards: wildcards.x + ".in"
    output: "{{x}}.txt"
    resources: mem_mb=lambda wildcards: 100 * ord(wildcards.x), runtime=grows(10)
    shell: "test {{resources.runtime}} = 20 && echo {{resources.mem_mb}} {{resources.runtime}} {{input}} > {{output}}"

{quicken}
"""
JOB = re.compile(r"\[[^]]*\d{4}\]|reason: .*")


@pytest.fixture
def snakemake(tmp_path):
    """Snakemake on `FILE`, with or without its being quickened: what it says and makes."""

    def run(quickened, *arguments):
        folder = tmp_path / f"{quickened}"
        folder.mkdir(exist_ok=True)
        sources = inspect.getfile(pace).partition("/emotag/")[0]
        text = FILE.format(sources=sources, quicken="quicken(workflow.rules, Job, DAG)" if quickened else "")
        (folder / "Snakefile").write_text(text)
        command = [str(SNAKEMAKE), "--cores", "1", "-p", *arguments]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done, {path.name: path.read_text() for path in folder.glob("?.*") if path.suffix != ".log"}

    return run


def told(done):
    """The jobs that a dry run tells of, in no order."""
    said = done.stdout.partition("Building DAG")[2]
    assert done.returncode == 0 and "rule unlike" in said
    return sorted(JOB.sub("", said).split("\n\n"))


def test_a_plan_is_the_same(snakemake):
    (quick, _), (plain, _) = snakemake(True, "-n"), snakemake(False, "-n")
    assert told(quick) == told(plain)
    assert len(set(re.findall(r"echo (\d+) \d+ [a-d]\.in", quick.stdout))) == 4


def test_another_attempt_has_its_own_resources_and_command(snakemake):
    (quick, made), (_, expected) = (snakemake(way, "--retries", "1") for way in (True, False))
    assert quick.returncode == 0 and made == expected and len(made) == 8
    assert made["a.txt"].split() == ["9700", "20", "a.in"]
    assert "test 10 = 20" in quick.stdout and "test 20 = 20" in quick.stdout


class Bare:
    """What Snakemake might have become."""


class Asked:
    def method(self, wildcards, input):
        return []


def test_what_functions_take_is_stated_as_it_is_and_rubbish_is_collected_rarely():
    asked, function = Asked(), lambda wildcards, input: []
    wrapped = SimpleNamespace(_file=SimpleNamespace(callable=asked.method))
    resources = {"_cores": Resource("_cores", 1)}
    rule = SimpleNamespace(input=[wrapped, "file"], params=[function, 3], resources=resources)
    before = gc.get_threshold()
    try:
        pace.quicken([rule], Bare, Bare)
        assert gc.get_threshold() == pace.RARELY
    finally:
        gc.set_threshold(*before)
    for asked_for in (function, asked.method, Resource("x", 1).evaluate):
        assert hasattr(asked_for, pace.STATED)
        assert dict(get_function_params(asked_for)) == dict(inspect.signature(asked_for).parameters)


def test_resources_are_alike_where_no_job_can_differ():
    assert pace.is_alike(Resource("runtime", 3)) and pace.is_alike(Resource("runtime", grows(3)))
    assert pace.is_alike(Resource("mem_mb", grows(3)).standardize_size())
    assert pace.is_alike(Resource.from_cli_expression("tmpdir", "system_tmpdir"))
    assert not pace.is_alike(Resource("runtime", lambda wildcards, attempt: attempt))
    assert not pace.is_alike(Resource.from_cli_expression("runtime", "input.size_mb"))
    assert not pace.is_alike(object())


def test_snakemake_has_what_is_wrapped_and_may_lack_it():
    assert isinstance(Job.shellcmd, property) and hasattr(Job, "_params") and hasattr(Job, "_resources")
    assert callable(Rule.expand_resources) and hasattr(Resource("x", 1), "_evaluator")
    bare = SimpleNamespace()
    pace.remember_resources(bare)
    assert not vars(bare)
    assert callable(Job.format_wildcards) and Job.format_wildcards.__globals__["format"] is snakemake_format
    assert callable(DAG.check_directory_outputs)
    lacking = type("Job", (), {"shellcmd": property(lambda job: "true")})
    pace.quicken([], lacking, lacking)
    assert lacking().shellcmd == "true" and not hasattr(lacking, "check_directory_outputs")


def test_a_command_is_written_once_for_the_same_parameters_and_resources():
    written = []

    class Small:
        _params = _resources = None

        @property
        def shellcmd(self):
            written.append(self)
            return f"{self._params} {self._resources}"

    pace.remember_shell_command(Small)
    first, second = Small(), Small()
    first._params, second._params = ["a"], ["b"]
    assert [first.shellcmd, first.shellcmd, second.shellcmd, second.shellcmd] == ["['a'] None"] * 2 + ["['b'] None"] * 2
    second._resources = [2]
    assert second.shellcmd == "['b'] [2]" and written == [first, second, second]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a {input.x:q} {params[0]} {{json}} {wildcards}", {"input", "params", "wildcards"}),
        ("{threads} {TEXT}", {"threads", "TEXT"}),
        ("{input:{width}}", {"{width}"}),
        ("nothing", set()),
    ],
)
def test_names_in_a_text(text, names):
    assert pace.names_in(text) == names


@pytest.mark.parametrize("wrong", ["TEKST", "params.thrice"])
def test_what_a_command_has_not_is_told_as_ever(snakemake, monkeypatch, wrong):
    """A misspelt name is an error that names it, also where it is an attribute of what a job has."""
    monkeypatch.setitem(globals(), "FILE", FILE.replace("{{threads}}", f"{{{{{wrong}}}}}"))
    (quick, _), (plain, _) = snakemake(True, "-n"), snakemake(False, "-n")
    assert quick.returncode == plain.returncode == 1
    ours, theirs = (done.stdout.partition("RuleException")[2].split("formatting")[0] for done in (quick, plain))
    assert ours == theirs.replace("/False/", "/True/") and wrong.split(".")[-1] in ours


@pytest.mark.parametrize(
    ("outputs", "asked"), [(["a/b", "a/c", "ab"], 0), (["a/b", "a/b/c/d"], 1), (["x", "./x/y"], 1)]
)
def test_outputs_within_outputs_are_looked_for_where_there_are_folders(outputs, asked):
    class Plan:
        jobs = [SimpleNamespace(output=[file]) for file in outputs]
        looked = 0

        def check_directory_outputs(self):
            self.looked += 1

    pace.look_for_folders(Plan)
    plan = Plan()
    plan.check_directory_outputs()
    assert plan.looked == asked
