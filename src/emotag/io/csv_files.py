"""CSV files of other programs, read as text."""

import csv
from pathlib import Path

from emotag.errors import ArtifactMismatch


def read_csv(path: Path) -> list[list[str]]:
    """The rows of a UTF-8 CSV file (with or without a byte order mark) that are not empty, cells without blanks around them.

    Raises:
        ArtifactMismatch: it cannot be read, or is no such file.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            return [[cell.strip() for cell in row] for row in csv.reader(file, strict=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtifactMismatch(f"{path}: cannot be read as CSV in UTF-8 ({error}); write it again") from error
