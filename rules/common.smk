# Settings and the questions rules ask of them. What can be tested lies in src/emotag/workflow.
from json import dumps

from emotag.errors import EmotagError
from emotag.manifest import coverage
from emotag.manifest import load as load_manifest
from emotag.project import check_corpus, check_files, resolve
from emotag.yaml_files import load_files
from emotag.io.artifact import write_atomic
from emotag.workflow.assets import (
    FLAME_LANDMARKS,
    FLAME_MASKS,
    HEADS,
    asset_digest,
    asset_entry,
    check_assets,
    fetchable,
    in_place,
    metric_files,
    metrics_left_out,
    needed,
    needs_all_assets,
    place_of,
    read_manifest,
    require_by_hand,
)
from emotag.workflow.elsewhere import made_elsewhere
from emotag.workflow.failures import reasons
from emotag.workflow.forget import forget_planned
from emotag.workflow.identities import VARIANTS, Plan
from emotag.workflow.licences import terms
from emotag.workflow.params import grows, stage_code
from emotag.workflow.moods import actors, timeline
from emotag.workflow.paper import Paper, wants_tables
from emotag.workflow.params import stage_config as config_of
from emotag.workflow.places import places
from emotag.workflow.shipped import FOLDER as PRIORS
from emotag.workflow.shipped import (
    Shipped,
    articulation,
    commit_of,
    put,
    settings_of,
    training_code,
)
from emotag.workflow.takeover import makes_nothing, take_over
from emotag.workflow.variants import Models, read_variants


def shipped(name):
    """A file of the data folder, which the working folder may have one of its own of."""
    return Path(name) if Path(name).exists() else Path(workflow.basedir, name)


try:
    if workflow.is_main_process:
        # Snakemake's own reader takes the last of two equal keys.
        load_files([Path(file) for file in workflow.configfiles])
    CONFIG = resolve(config)
    if CONFIG.forget is None:
        check_files(CONFIG)
    ASSETS = read_manifest(Path(workflow.basedir, "data/assets.yaml"))
    if workflow.is_main_process:
        check_assets(ASSETS, Path("data/assets"))
    PLAN = Plan(CONFIG, terms(CONFIG, ASSETS), Shipped.read(shipped(PRIORS)))
    PRIOR = PLAN.priors.choice(CONFIG.adapt.identity)
    ARTICULATION = [str(shipped(file)) for file in articulation(CONFIG)]
    MODELS = Models(read_variants(shipped(CONFIG.paper.variants)), CONFIG)
    PAPER = Paper(PLAN, MODELS, shipped(CONFIG.paper.tables))
    if workflow.is_main_process:
        PAPER.check_shown()
    if workflow.is_main_process and wants_tables(sys.argv[1:]):
        PAPER.check()
    if workflow.is_main_process and needs_all_assets(sys.argv[1:]):
        require_by_hand(CONFIG, ASSETS, made_elsewhere(PLAN))
    elif workflow.is_main_process and CONFIG.preset != "paper":
        # The preset itself asks for people; its footage can be made, and the table of assets asked for, before they are named.
        check_corpus(CONFIG)
    if workflow.is_main_process and not makes_nothing(sys.argv[1:]):
        # Kept as long as this process lives.
        HELD = take_over(Path(".snakemake"), Path("results"))
except EmotagError as error:
    # One line and code 2, as every stage does it; a WorkflowError would add where the rules stand.
    print("error:", *str(error).split(), file=sys.stderr)
    sys.exit(2)

if CONFIG.corpus.manifest and workflow.is_main_process:
    print(
        *coverage(load_manifest(Path(CONFIG.corpus.manifest))),
        sep="\n",
        file=sys.stderr,
    )

BASELINES = [variant for variant in VARIANTS if variant != "avatar"]
# Where another voice speaks there is no truth that could bound anything.
BASELINES_OF_AUDIO = [variant for variant in BASELINES if variant != "upper_bound"]
# Loaded by name at run time, so it is a root of its own in the code of the stages that use it.
METHOD = "emotag.methods.emotag"
AUTO = config.get("preset", "auto") == "auto"
if AUTO and workflow.is_main_process:
    print(
        f"preset auto: {CONFIG.preset} (--config preset=NAME to choose)",
        file=sys.stderr,
    )

if workflow.is_main_process and CONFIG.prior.source == "auto":
    print(
        f"prior: {'shipped' if PRIOR[0] else 'trained'}, because {PRIOR[1]} (prior.source to choose)",
        file=sys.stderr,
    )
if workflow.is_main_process and CONFIG.adapt.articulation and not ARTICULATION:
    print(
        "articulation: none, because it hears the default speech features alone",
        file=sys.stderr,
    )
if workflow.is_main_process:
    for line in metrics_left_out(CONFIG, ASSETS):
        print(line, file=sys.stderr)

# The prefix stands in place of Snakemake's own strict mode, so it says it again (a pipe fails if its first part does).
# Numba counts its threads once, when it is imported; Snakemake sets the other libraries' by itself.
shell.prefix('set -euo pipefail; export NUMBA_NUM_THREADS="$OMP_NUM_THREADS"; ')


def stage_config(section):
    return config_of(CONFIG, section)


def figure_files(name, caption):
    """PNG (shown in the report) and PDF of a figure."""
    shown = report(
        f"results/figures/{name}.png",
        caption=f"../report/{caption}.rst",
        category="Figures",
        subcategory=caption,
    )
    return [shown, f"results/figures/{name}.pdf"]


wildcard_constraints:
    asset=r"[A-Za-z0-9][A-Za-z0-9._-]*",
    identity=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    clip=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    name=r"[A-Za-z0-9][A-Za-z0-9_-]*",
    drive=r"(self|audio)-[A-Za-z0-9][A-Za-z0-9_-]*",
    variant="|".join(VARIANTS),
    model="|".join(name for name in MODELS.variants if name != MODELS.product) or "none",
    external="|".join(method.name for method in CONFIG.methods) or "none",
    corpus="synthetic|clips",
    talker="[0-9]{2}",
    take="[0-9]{2}",
    left_out=r"all|without-[A-Za-z0-9][A-Za-z0-9_-]*",


onstart:
    if (
        AUTO
        and workflow.executor_plugin
        and not workflow.executor_plugin.common_settings.local_exec
    ):
        raise WorkflowError(
            "preset: auto looks at this machine, but jobs run on others; name one: --config preset=paper"
        )
