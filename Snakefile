# Five seconds of video in, a talking head out. Targets: rules/targets.smk. Settings: config.yaml, docs/configuration.md.
import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# Works without activating the environment, and with the source tree that this file lies in.
SOURCES = str(Path(workflow.basedir, "src"))
sys.path.insert(0, SOURCES)
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [SOURCES, os.environ.get("PYTHONPATH")])
)
os.environ["PATH"] = os.pathsep.join(
    [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
)


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/targets.smk"
include: "rules/assets.smk"
include: "rules/synthetic.smk"
include: "rules/preprocess.smk"
include: "rules/prior.smk"
include: "rules/adapt.smk"
include: "rules/render.smk"
include: "rules/measure.smk"
