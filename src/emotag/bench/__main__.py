"""`python -m emotag.bench NAME`: how fast the renderers are (`raster`, `gpu`), how many frames and training steps a second an
avatar makes (`job`), seconds and memory of the networks of docs/providers.md (`providers`), whether SyncNet has its
published numbers (`syncnet`), whether a pipeline that was killed ends with the bytes of one that was not (`survival`), how
it grows (`dryrun`, `voice`, `costs`), the viseme table of real lips (`targets`), the table of emotion that is heard (`heard`),
and which prior suits people who are left out (`prior`)."""

import argparse
import logging
import sys
from pathlib import Path

from emotag.bench import costs, gpu, heard, job, prior_choice, providers, raster, scale, survival, sync_check, targets
from emotag.bench.prior_table import means
from emotag.bench.scenes import AvatarFiles
from emotag.errors import ConfigError, EmotagError
from emotag.io.artifact import write_json
from emotag.motion.heard import shipped as shipped_listener
from emotag.presets import PRESETS
from emotag.workflow.shipped import ARTICULATION


def main(arguments: list[str] | None = None) -> int:
    """Run one measurement; 2 for what the user can mend, 1 where the kill matrix or SyncNet's self-test finds a fault."""
    parser = argparse.ArgumentParser(prog="python -m emotag.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_renderers(commands)
    add_survival(commands)
    add_scale(commands)
    add_targets(commands)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        return chosen.run(chosen)
    except EmotagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def add_renderers(commands) -> None:
    """`raster`, `gpu`, `job`, `providers` and `syncnet`."""
    for bench, name, rounds in ((raster, "raster", 11), (gpu, "gpu", 50), (job, "job", 10)):
        command = commands.add_parser(name, help=bench.__doc__)
        command.add_argument("--json", type=Path, help="write the figures here too")
        command.add_argument("--rounds", type=int, default=rounds, help="medians are of this many rounds")
        for file in AvatarFiles.__dataclass_fields__:
            command.add_argument(f"--{file}", type=Path, help=f"artifact of the avatar scene: {file}")
        if name == "job":
            command.add_argument(
                "--presets", nargs="*", default=["laptop"], choices=PRESETS, help="scales to measure at"
            )
        else:
            command.add_argument("--scenes", nargs="*", default=list(bench.SCENES), choices=bench.SCENES)
        if name == "gpu":
            command.add_argument("--batches", nargs="*", type=int, default=[1, 8], help="frames a call")
        command.set_defaults(run=render)
    command = commands.add_parser("providers", help=providers.__doc__)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument("--only", nargs="*", default=list(providers.CASES), choices=providers.CASES)
    command.set_defaults(run=networks)
    command = commands.add_parser("syncnet", help=sync_check.__doc__)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument("--model", type=Path, default=Path("data/by_hand/syncnet_v2.model"))
    command.add_argument("--clip", type=Path, default=Path("data/by_hand/syncnet_example.avi"))
    command.set_defaults(run=check_sync)


def add_survival(commands) -> None:
    """`survival`."""
    command = commands.add_parser("survival", help=survival.__doc__)
    command.add_argument("--json", type=Path, required=True, help="rows go here; those in it are not done again")
    command.add_argument("--work", type=Path, default=Path("results/survival"), help="folder for working trees")
    command.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these words")
    command.add_argument("--cores", type=int, default=1)
    command.add_argument("--moments", type=int, default=3, help="kills of each stage by each signal")
    command.set_defaults(run=survive)


def add_scale(commands) -> None:
    """`dryrun`, `voice` and `costs`."""
    command = commands.add_parser("dryrun", help="plan many identities")
    command.add_argument("--identities", type=int, default=1000)
    command.add_argument("--target", default="report")
    command.add_argument("--batch", default="", help="as Snakemake's: page=1/20")
    command.set_defaults(run=plan)
    command = commands.add_parser("voice", help="memory of a long voice, and sound against picture at its end")
    command.add_argument("--results", type=Path, default=Path("results"))
    command.add_argument("--identity", default="demo")
    command.add_argument("--minutes", nargs="*", type=float, default=[1, 10])
    command.add_argument("--model", type=Path, default=Path("data/assets/whisper_tiny_en.bin"))
    command.set_defaults(run=speak)
    command = commands.add_parser("costs", help=costs.__doc__)
    command.add_argument("--results", type=Path, default=Path("results"))
    command.add_argument("--case", nargs=2, type=float, action="append", metavar=("PEOPLE", "MINUTES"), required=True)
    command.add_argument("--step-ms", type=float, default=10.0, help="a training step on a GPU, as bench gpu tells it")
    command.set_defaults(run=count)
    for each in (commands.choices[name] for name in ("dryrun", "voice", "costs")):
        each.add_argument("--json", type=Path, help="write the figures here too")
        each.add_argument("--work", type=Path, default=Path("results/scale"), help="folder for what is made the while")


def add_targets(commands) -> None:
    """`targets`, `heard` and `prior`."""
    command = commands.add_parser("targets", help=targets.__doc__)
    command.add_argument("--results", type=Path, default=Path("results"))
    command.add_argument("--clips", nargs="+", required=True, help="tracked, as identities of the same names")
    command.add_argument("--voices", type=Path, default=Path("data/voices"))
    command.add_argument("--model", type=Path, default=Path("data/assets/whisper_tiny_en.bin"))
    command.add_argument("--json", type=Path, required=True, help="where the table goes")
    command.set_defaults(run=fit_targets)
    command = commands.add_parser("heard", help=heard.__doc__)
    command.add_argument("--data", type=Path, default=Path("data"))
    command.add_argument("--json", type=Path, help="where the table goes")
    command.add_argument("--files", nargs="*", type=Path, default=[], help="recordings to listen to instead")
    command.add_argument("--calm", type=Path, help="calm recording of their voice; none: each is its own")
    command.set_defaults(run=listen)
    command = commands.add_parser("prior", help=prior_choice.__doc__)
    command.add_argument("--results", type=Path, default=Path("results"))
    command.add_argument(
        "--prior", type=Path, default=Path("data/priors/synthetic.safetensors"), help="the shipped one"
    )
    command.add_argument("--articulation", type=Path, default=Path(ARTICULATION), help="the shipped one")
    command.add_argument("--people", nargs="+", required=True, metavar="CLIP=PERSON", help="clips adapted and tracked")
    command.add_argument(
        "--talkers",
        nargs="+",
        type=Path,
        required=True,
        metavar="CORPUS",
        help="one a fold, of visemes fitted without its people (who are dealt into folds in turn)",
    )
    command.add_argument("--models", nargs="+", default=list(prior_choice.MODELS), choices=prior_choice.MODELS)
    command.add_argument(
        "--state", type=Path, default=Path("results/state/prior_choice"), help="networks are trained here"
    )
    command.add_argument("--clips", nargs="+", default=[], help="those to judge on (default: all)")
    command.add_argument("--csv", type=Path, required=True, help="rows go here; clips in it are not done again")
    command.set_defaults(run=choose_prior)


def render(chosen: argparse.Namespace) -> int:
    """One of the renderers' measurements.

    Raises:
        ConfigError: it needs an avatar and there is none.
    """
    given = {name: getattr(chosen, name) for name in AvatarFiles.__dataclass_fields__}
    files = AvatarFiles(**given) if all(given.values()) else None
    if chosen.command == "gpu":
        bench, result = gpu, gpu.run(chosen.scenes, chosen.batches, chosen.rounds, files)
    elif chosen.command == "raster":
        bench, result = raster, raster.run(chosen.scenes, chosen.rounds, files)
    elif files is None:
        raise ConfigError(
            "bench job: found not all of --head, --subject, --avatar and --motion, expected a trained avatar"
        )
    else:
        bench, result = job, job.run(chosen.presets, chosen.rounds, files)
    print(bench.table(result))
    return keep(chosen, result)


def networks(chosen: argparse.Namespace) -> int:
    """Seconds and memory of the networks."""
    result = providers.run(chosen.only)
    print(providers.table(result))
    return keep(chosen, result)


def check_sync(chosen: argparse.Namespace) -> int:
    """SyncNet's self-test; 1 if a score is not the published one."""
    result = sync_check.run(chosen.model, chosen.clip)
    print(sync_check.table(result))
    faults = sync_check.faults(result)
    for fault in faults:
        print(f"FAULT {fault}")
    keep(chosen, result)
    return 1 if faults else 0


def survive(chosen: argparse.Namespace) -> int:
    """The kill matrix; 1 if a case left other bytes or lost too much."""
    found = survival.run(chosen.json, chosen.work.absolute(), chosen.only, chosen.cores, chosen.moments)
    print(survival.table(found))
    faults = {name: row["fault"] for name, row in found["rows"].items() if row["fault"]}
    for name, fault in faults.items():
        print(f"FAULT {name}: {fault}")
    return 1 if faults else 0


def plan(chosen: argparse.Namespace) -> int:
    """A dry run for many identities."""
    work = chosen.work.absolute() / f"tree{chosen.identities}{chosen.batch.replace('/', '-')}"
    result = scale.dry_run(Path.cwd(), work, chosen.identities, chosen.target, chosen.batch)
    print(result)
    return keep(chosen, result)


def speak(chosen: argparse.Namespace) -> int:
    """Long voices."""
    results, work = chosen.results.absolute(), chosen.work.absolute() / "voice"
    rows = scale.long_voice(results, chosen.identity, work, chosen.model, chosen.minutes)
    print(*rows, sep="\n")
    return keep(chosen, rows)


def fit_targets(chosen: argparse.Namespace) -> int:
    """The viseme table."""
    return keep(chosen, targets.run(chosen.results, chosen.clips, chosen.voices, chosen.model))


def listen(chosen: argparse.Namespace) -> int:
    """The table of emotion that is heard, or what the one there is hears in files."""
    if chosen.files:
        print(*heard.of_files(chosen.files, chosen.calm, shipped_listener()), sep="\n")
        return 0
    listener, lines = heard.run(chosen.data)
    print(*lines, sep="\n")
    return keep(chosen, listener.document())


def choose_prior(chosen: argparse.Namespace) -> int:
    """Priors and ways to adapt."""
    people = dict(pair.split("=", 1) for pair in chosen.people)
    head = chosen.results / "head" / "makehuman.safetensors"
    files = chosen.results, head, chosen.prior, chosen.articulation, people, chosen.talkers, chosen.csv, chosen.state
    print(*means(prior_choice.run(*files, chosen.models, chosen.clips)), sep="\n")
    return 0


def count(chosen: argparse.Namespace) -> int:
    """What many people would cost."""
    result = costs.run(chosen.results, [(int(people), minutes) for people, minutes in chosen.case], chosen.step_ms)
    print(costs.table(result))
    return keep(chosen, result)


def keep(chosen: argparse.Namespace, result: object) -> int:
    """Write the figures where they were asked for."""
    if chosen.json:
        write_json(chosen.json, result)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
