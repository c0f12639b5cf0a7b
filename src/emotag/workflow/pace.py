"""Planning many thousands of jobs in less time: what Snakemake would do anew for each of them is done once.

Snakemake's own objects are wrapped, from outside and one by one; what a later Snakemake does not have any more is left
alone, and costs its time.
"""

import gc
import inspect
import os
import string
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

# Nearly everything that a plan allocates lives as long as the plan: looking through it for rubbish, as often as Python does
# by itself, takes a fifth of the time.
RARELY = (100_000, 50, 100)
# Where Snakemake looks before it asks `inspect` what a function takes.
STATED = "_overwrite_params"
# An expression of Snakemake's default resources that is the same for every job.
TMPDIR = "system_tmpdir"
# What a command speaks of that a job has itself, and where it has it.
OWN = {name: name for name in ("input", "output", "params", "threads", "resources", "log")} | {
    "wildcards": "_format_wildcards"
}


def quicken(rules: Iterable[Any], job_class: type, plan_class: type) -> None:
    """Collect rubbish rarely; state what the functions of all `rules` take, and work out their resources once an attempt; let
    jobs, of `job_class`, write their command once and out of what it speaks of; look for outputs within outputs quickly in
    plans, of `plan_class` (Snakemake's DAG).
    """
    gc.set_threshold(*RARELY)
    format_own(job_class)
    remember_shell_command(job_class)
    look_for_folders(plan_class)
    for rule in rules:
        for function in functions_of(rule):
            state_parameters(function)
        if all(map(is_alike, rule.resources.values())):
            remember_resources(rule)


def functions_of(rule: Any) -> Iterator[Callable[..., Any]]:
    """Input and params functions of a rule, which Snakemake wraps in strings with a note on them, and what is called for each
    of its resources.
    """
    for item in (*rule.input, *rule.params):
        for layer in ("_file", "callable"):
            item = getattr(item, layer, item)
        if inspect.isfunction(item) or inspect.ismethod(item):
            yield item
    for resource in rule.resources.values():
        if evaluate := getattr(resource, "evaluate", None):
            yield evaluate


def state_parameters(function: Callable[..., Any]) -> None:
    """Leave a note on a function of what it takes (on that behind a method, less the first), which nobody then works out."""
    setattr(getattr(function, "__func__", function), STATED, inspect.signature(function).parameters)


def same_for_all_jobs(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a resource function that looks at nothing but the attempt."""
    function.same_for_all_jobs = True
    return function


def is_alike(resource: Any) -> bool:
    """Whether a resource is a value, a function that is marked, or the folder for temporary files."""
    function = getattr(resource, "_evaluator", is_alike)
    return function is None or hasattr(function, same_for_all_jobs.__name__) or getattr(resource, "raw", "") == TMPDIR


def remember_resources(rule: Any) -> None:
    """Let a rule, all of whose resources are alike, work them out once for each attempt, and give copies."""
    expand, known = getattr(rule, "expand_resources", None), {}
    if expand is None:
        return

    def expanded(wildcards: Any, input: Any, attempt: int, skip_evaluation: Iterable[str] | None = None) -> Any:
        key = attempt, frozenset(skip_evaluation or ())
        if key not in known:
            known[key] = expand(wildcards, input, attempt, skip_evaluation=skip_evaluation)
        return type(known[key])(toclone=known[key])

    rule.expand_resources = expanded


def format_own(job_class: type) -> None:
    """Let jobs write a text that speaks of nothing but their own out of just that, not of copies of all a Snakefile knows."""
    write, format_text = (
        getattr(job_class, "format_wildcards", None),
        getattr(sys.modules[job_class.__module__], "format", None),
    )
    if write is None or format_text is None:
        return

    def format_wildcards(job: Any, text: str, **variables: Any) -> str:
        names = names_in(text)
        if not variables and names <= OWN.keys():
            try:
                return format_text(text, **{name: getattr(job, OWN[name]) for name in names})
            except Exception:
                # Snakemake says what is wrong, and where.
                return write(job, text)
        return write(job, text, **variables)

    job_class.format_wildcards = format_wildcards


@cache
def names_in(text: str) -> frozenset[str]:
    """What the fields of a text to be formatted speak of; a field within a field stands for itself."""
    fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None]
    return frozenset(spec if "{" in spec else name.split(".")[0].split("[")[0] for name, spec in fields)


def remember_shell_command(job_class: type) -> None:
    """Let jobs, which are asked three times in a row for their shell command when they are told of, write it down once.

    Snakemake makes parameters and resources anew for another attempt: then it is written anew.
    """
    write, made_of = getattr(job_class, "shellcmd", None), ("_params", "_resources")
    if not isinstance(write, property) or not all(hasattr(job_class, name) for name in made_of):
        return
    last: tuple[Any, ...] = (None,) * 4

    def shellcmd(job: Any) -> str | None:
        nonlocal last
        of, params, resources, text = last
        if of is not job or params is not job._params or resources is not job._resources:
            text = write.fget(job)
            last = job, job._params, job._resources, text
        return text

    job_class.shellcmd = property(shellcmd, doc=write.__doc__)


def look_for_folders(plan_class: type) -> None:
    """Let a plan look for outputs that lie within others, which takes sorting all paths, only where there is any."""
    check = getattr(plan_class, "check_directory_outputs", None)
    if check is None:
        return

    def check_directory_outputs(plan: Any) -> None:
        outputs = {os.path.abspath(file) for job in plan.jobs for file in job.output}
        folders, above = set(), {os.path.dirname(file) for file in outputs}
        while above:
            folders |= above
            above = {os.path.dirname(folder) for folder in above} - folders
        if folders & outputs:
            check(plan)

    plan_class.check_directory_outputs = check_directory_outputs
