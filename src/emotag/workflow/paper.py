"""The paper's tables: which rows of which cases stand in them, and which files those are made of.

data/tables.yaml declares settings and tables; a table's rows are the ground truth, the baselines, its variants and other
systems' videos. Everything that no case is there for stays in the table as a row of dashes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from emotag.complaints import first_complaint
from emotag.config import Settings
from emotag.errors import ConfigError
from emotag.metrics.base import METRICS
from emotag.people import Name
from emotag.project import DEMO_VIDEO, clip_owners
from emotag.workflow.identities import Plan
from emotag.workflow.settings import Case, Setting, cases
from emotag.workflow.variants import Models
from emotag.yaml_files import load_files

SPEED = ("audio_ms", "motion_ms", "render_ms", "fps", "peak_vram_mb")
# Baselines share the product's Gaussians, pose and upper-face cues. With other people's speech nothing was tracked.
BASELINES = {"own": ("frozen", "nearest", "upper_bound"), "other": ("frozen", "nearest")}


class Claim(Settings):
    """What the paper says of a table: `best` of `best` and `among`, those with the `largest_drops`, by these `metrics`."""

    best: Name
    among: list[Name] = Field(min_length=1)
    largest_drops: list[Name]
    metrics: list[Name] = Field(min_length=1)


class Table(Settings):
    """One entry of `tables` in data/tables.yaml."""

    caption: str
    setting: Name
    variants: list[Name] = Field(min_length=1)
    columns: list[Name] = Field(min_length=1)
    expect: Claim | None = None
    sheet: Name | None = Field(None, description="file it is published in beside other settings (`emotag publish`)")


class PaperFile(Settings):
    """data/tables.yaml; `columns` only holds lists that YAML anchors point to."""

    settings: dict[Name, Setting]
    tables: dict[Name, Table]
    columns: dict[Name, list[Name]] = {}


def read_tables(path: Path, variants: Mapping[str, object]) -> PaperFile:
    """Settings and tables.

    Raises:
        ConfigError: an entry is not one, or names a setting or variant that is not there.
    """
    tree = load_files([path])
    try:
        found = PaperFile.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(first_complaint(error, PaperFile, str(path), data=tree)) from error
    for name, table in found.tables.items():
        where = f"{path}, tables.{name}"
        if table.setting not in found.settings:
            raise ConfigError(f"{where}.setting is {table.setting!r}, expected one of {', '.join(found.settings)}")
        claim = table.expect
        claimed = [claim.best, *claim.among, *claim.largest_drops] if claim else []
        for kind, names, known in (
            ("variant", [*table.variants, *claimed], variants),
            ("metric", table.columns, METRICS),
            ("metric", claim.metrics if claim else [], table.columns),
        ):
            if strange := [name for name in names if name not in known]:
                raise ConfigError(f"{where} names {kind} {strange[0]!r}, expected one of {', '.join(known)}")
    return found


def wants_tables(arguments: list[str]) -> bool:
    """Whether a command line of Snakemake asks for tables, judged before Snakemake itself says so."""
    return any(text == "paper" or text.startswith("results/tables/") for text in arguments)


@dataclass(frozen=True)
class Paper:
    """All tables of a run. Methods with `wildcards` are given to rules as they are."""

    plan: Plan
    models: Models
    file: Path

    @cached_property
    def content(self) -> PaperFile:
        """What the file says, read when it is first asked for."""
        return read_tables(self.file, self.models.variants)

    def tables(self) -> list[str]:
        """Names of the tables to make.

        Raises:
            ConfigError: paper.only names one that is not declared.
        """
        only = self.plan.config.paper.only
        unknown = set(only) - self.content.tables.keys()
        if unknown:
            known = ", ".join(self.content.tables)
            raise ConfigError(f"paper.only names {', '.join(sorted(unknown))}, expected tables of {self.file}: {known}")
        return [name for name in self.content.tables if not only or name in only]

    def names(self) -> list[str]:
        """Names of all tables that are declared."""
        return list(self.content.tables)

    def check(self) -> None:
        """Refuse a run whose variants cannot be, or whose identities have no footage.

        Raises:
            ConfigError: names the variant and key, or the clip.
        """
        for table in self.tables():
            for name in self.content.tables[table].variants:
                self.models.owner(name, "adapt")
            self.cases_of(table)
        for method in self.plan.config.methods:
            if method.name in self.models.variants:
                raise ConfigError(f"methods: {method.name!r} is the name of a variant, give it another")

    def check_shown(self) -> None:
        """Refuse variants of the user study or of the figures that are not declared, or cannot be.

        Raises:
            ConfigError: names the variant.
        """
        config = self.plan.config
        known = [*self.models.variants, *self.others()]
        for section in ("study", "figures"):
            for name in getattr(config, section).variants:
                if name not in known:
                    raise ConfigError(f"{section}.variants names {name!r}, expected some of {', '.join(known)}")
                self.root(name)

    def others(self) -> list[str]:
        """Names of other people's systems."""
        return [method.name for method in self.plan.config.methods]

    def root(self, name: str) -> str:
        """Below which folder the work of a variant, or another system's, lies."""
        return f"results/variants/{name}" if name in self.others() else self.models.root(name, "adapt")

    def seconds_of(self, clip: str) -> float | None:
        """Length of a clip; None where it is still to be made."""
        # Here, because every job reads this module and few ask for a clip's length.
        from emotag.io.video import probe

        file = clip_owners(self.plan.config.identities)[clip][0]
        return None if file == DEMO_VIDEO else probe(Path(file)).duration_s

    def cases_of(self, table: str) -> list[Case]:
        """The cases of a table's setting."""
        return cases(self.plan, self.content.settings[self.content.tables[table].setting], self.seconds_of)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table in their order: name, label, kind, and the files of each case."""
        declared = self.content.tables[table]
        heard = "own" if self.content.settings[declared.setting].speech == "own" else "other"
        of_cases = self.cases_of(table)
        rows = [self._row("ground_truth", "ground truth", "ground_truth", self.models.product, of_cases)]
        rows += [self._row(name, name, "baseline", self.models.product, of_cases) for name in BASELINES[heard]]
        for name in declared.variants:
            rows.append(
                self._row("avatar", self.models.variants[name].label, "variant", name, of_cases, declared.columns)
            )
        if heard == "own":
            rows += [
                self._row("avatar", method.name, "external", method.name, of_cases)
                for method in self.plan.config.methods
            ]
        return rows

    def _row(self, variant: str, label: str, kind: str, model: str, of_cases: list[Case], columns=()) -> dict[str, Any]:
        """`variant` is what the measured file calls it, `model` whose work it is."""
        return {
            "row": label,
            "name": model if kind in ("variant", "external") else variant,
            "kind": kind,
            "variant": variant,
            "cases": [self._files(case, kind, model, columns) for case in of_cases],
        }

    def _files(self, case: Case, kind: str, model: str, columns) -> dict[str, Any]:
        root = self.root(model)
        files = {
            "case": f"{case.identity}/{case.drive}",
            "person": case.person,
            "note": case.note,
            "metrics": f"{root}/identities/{case.identity}/drives/{case.drive}/metrics.parquet",
        }
        if kind != "variant":
            return files
        files["avatar"] = f"{root}/identities/{case.identity}/avatar.safetensors"
        files["train"] = f"{root}/benchmarks/adapt/{case.identity}.jsonl"
        files["preprocess"] = self._preprocessing(case)
        if set(columns) & set(SPEED):
            files["speed"] = f"{root}/speed/{case.identity}@{case.drive}.json"
        return files

    def _preprocessing(self, case: Case) -> list[str]:
        """Benchmarks of the stages that make an identity and its adaptation clip ready."""
        clip, base = self.plan.adapt_clip(case.identity), "results/benchmarks"
        of_clip = [
            f"{base}/{rule}/{clip}.jsonl" for rule in ("crop", "landmarks", "matte", "speech", "emotion", "plate")
        ]
        of_both = [f"{base}/{rule}/{case.identity}@{clip}.jsonl" for rule in ("sync", "track", "action_units")]
        return (
            of_clip + of_both + [f"{base}/{rule}/{case.identity}.jsonl" for rule in ("shape", "identity", "geometry")]
        )

    def rated(self) -> list[str]:
        """The videos of the user study: those of the run, and the avatars that study.variants names."""
        mine = self.plan.rated()
        avatars = [file for file in mine if file.endswith("/avatar/video.mp4")]
        others = [
            f"{self.root(name)}/{file.removeprefix('results/')}"
            for name in self.plan.config.study.variants
            for file in avatars
        ]
        # Variants may be the product by their settings, or each other.
        return list(dict.fromkeys([*mine, *others]))

    # Functions of wildcards.

    def compared(self, wildcards: Any) -> list[str]:
        """The videos that figures.variants puts into the strip of a drive."""
        place = f"identities/{wildcards.identity}/drives/{wildcards.drive}/avatar/video.mp4"
        roots = dict.fromkeys(self.root(name) for name in self.plan.config.figures.variants)
        return [f"{root}/{place}" for root in roots if root != "results"]

    def inputs(self, wildcards: Any) -> list[str]:
        """Every file that a table is made of."""
        of_cases = [case for row in self.rows(wildcards.table) for case in row["cases"]]
        files = [case[kind] for case in of_cases for kind in ("metrics", "avatar", "speed") if kind in case]
        return list(dict.fromkeys(files))

    def metrics(self, wildcards: Any) -> list[str]:
        """The measured files among them."""
        return [file for file in self.inputs(wildcards) if file.endswith(".parquet")]

    def described(self, wildcards: Any) -> dict[str, Any]:
        """All that the table's stage is told of it."""
        table = self.content.tables[wildcards.table]
        return {
            "table": wildcards.table,
            "caption": table.caption,
            "setting": self.content.settings[table.setting].title,
            "preset": self.plan.config.preset,
            "columns": table.columns,
            "rows": self.rows(wildcards.table),
            "expect": None if table.expect is None else table.expect.model_dump(),
        }

    def speaker(self, wildcards: Any, file: str) -> list[str]:
        """A file of the clip whose speech drives, where the driving audio is that of a clip."""
        clip = self.plan.speaking_clip(wildcards.name)
        return [self.plan.clip_file(self.plan.corpus_identity(clip), clip, file)] if clip else []
