# Five seconds of video in, a talking head out. Targets: rules/targets.smk. Settings: config.yaml, docs/configuration.md.
import sys
from pathlib import Path

from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.utils import min_version

min_version("9.27")

SOURCES = str(Path(workflow.basedir, "src"))
sys.path.insert(0, SOURCES)

from emotag.workflow.environment import prepare
from emotag.workflow.pace import quicken

prepare(SOURCES)


configfile: "config.yaml"


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/targets.smk"
include: "rules/assets.smk"
include: "rules/synthetic.smk"
include: "rules/preprocess.smk"
include: "rules/prior.smk"
include: "rules/adapt.smk"
include: "rules/render.smk"
include: "rules/measure.smk"
include: "rules/study.smk"
include: "rules/figures.smk"
include: "rules/variants.smk"
include: "rules/paper.smk"


# Here, because what an included file names as the default does not count.
rule all:
    default_target: True
    input:
        f"results/summary/{CONFIG.adapt.identity}.json",


quicken(workflow.rules, Job, DAG)
