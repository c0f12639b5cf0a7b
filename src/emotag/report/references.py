"""Published numbers of other papers, as data: always of other footage, so they never share a column's ranking with ours.

Each file data/reference/<system>.yaml cites one paper. A number that is not in a file is not known: it prints as a dash.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emotag.complaints import first_complaint
from emotag.errors import ConfigError

MARK = "other footage"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the numbers were read: in the paper, or in somebody's notes of it, which may err."""

    kind: Literal["paper", "notes"]
    address: str = Field(pattern="^https://")
    path: str | None = None
    commit: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")

    @model_validator(mode="after")
    def _notes_are_pinned(self) -> "Source":
        if self.kind == "notes" and not (self.path and self.commit):
            raise ValueError("notes need a path and a commit, so that they can be found again")
        return self


class ReferenceColumn(_Strict):
    """One column as the paper prints it; its key is the metric of ours that comes nearest, or a name of its own."""

    printed: str
    unit: str
    higher_is_better: bool


class ReferenceTable(_Strict):
    """One setting of one table. `data` names the table of ours it may stand under; `people` is over how many it averages."""

    table: str
    setting: str
    data: str
    columns: dict[str, ReferenceColumn]
    rows: list[dict[str, Any]]
    source: Source
    people: int | None = Field(default=None, ge=1)
    adapted_on_s: float | None = Field(default=None, gt=0)
    remark: str | None = None

    @model_validator(mode="after")
    def _rows_fit_the_columns(self) -> "ReferenceTable":
        for row in self.rows:
            if not isinstance(row.get("method"), str):
                raise ValueError(f"row {row} names no method")
            for name, number in row.items():
                if name == "method":
                    continue
                if name not in self.columns:
                    raise ValueError(f"row {row['method']} has {name!r}, which is no column of the table")
                if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                    raise ValueError(
                        f"row {row['method']} has {name} {number!r}, expected a number (leave out the unknown)"
                    )
        names = [row["method"] for row in self.rows]
        if len(set(names)) < len(names):
            raise ValueError(f"methods are named twice: {names}")
        return self

    def values(self, method: str) -> dict[str, float]:
        """{column: number} of a method: what is known of it."""
        row = next(row for row in self.rows if row["method"] == method)
        return {name: float(number) for name, number in row.items() if name != "method"}


class Reference(_Strict):
    """One paper, what is known of its tables, and what is `absent`."""

    system: str
    title: str
    venue: str
    arxiv: str = Field(pattern=r"^\d{4}\.\d{5}$")
    tables: list[ReferenceTable]
    absent: str

    def citation(self) -> str:
        """One line for print."""
        return f"{self.title}. {self.venue}. arXiv:{self.arxiv}"


def load(path: Path) -> Reference:
    """Read one file.

    Raises:
        ConfigError: it is no YAML or does not fit.
    """
    try:
        return Reference.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ConfigError(first_complaint(error, Reference, str(path))) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not YAML ({error}); mend it") from error


def below(references: Iterable[Reference], name: str) -> list[tuple[Reference, ReferenceTable]]:
    """Reference tables that may stand under the table of ours called `name`, in the order of the papers given."""
    return [(paper, table) for paper in references for table in paper.tables if table.data == name]
