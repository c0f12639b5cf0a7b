"""The stages' own words on why a run failed, gathered from the logs that Snakemake names."""

import re
from pathlib import Path

ERROR = re.compile(r"^error \(\w+\): .*$", re.M)
JOB_LOG = re.compile(r"^    log: (\S+) \(check log file", re.M)


def reasons(snakemake_logs: list[str]) -> list[str]:
    """One line for each failed job whose stage said what a user can mend."""
    text = "".join(Path(name).read_text(encoding="utf-8", errors="replace") for name in snakemake_logs)
    logs = [Path(name) for name in dict.fromkeys(JOB_LOG.findall(text))]
    found = [line for log in logs if log.is_file() for line in ERROR.findall(log.read_text(errors="replace"))[-1:]]
    return list(dict.fromkeys(found))
