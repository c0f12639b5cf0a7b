"""What every file from outside is, whether it is in place, and what a missing one disables.

Reads the manifest and looks into data/assets and data/by_hand; prints a table.
"""

from pathlib import Path

from emotag import stage
from emotag.io.assets import Asset, source_of, state_of
from emotag.workflow.assets import read_manifest

NOBODY = "nobody"
HEADER = ("asset", "state", "this run", "licence", "accepted by", "from", "without it, no")


def run(*, manifest: Path, needed: list[str], folder: Path, by_hand: Path) -> None:
    """Print one row an asset.

    Raises:
        ConfigError: the manifest is broken.
    """
    rows = [row(asset, asset.name in needed, (folder, by_hand)) for asset in read_manifest(manifest).values()]
    print(table([HEADER, *rows]), flush=True)


def row(asset: Asset, is_needed: bool, folders: tuple[Path, ...]) -> tuple[str, ...]:
    """The cells of one asset."""
    return (
        asset.name,
        state_of(asset, folders),
        "needs it" if is_needed else "-",
        asset.licence,
        asset.accept_by or NOBODY,
        source_of(asset),
        asset.without,
    )


def table(rows: list[tuple[str, ...]]) -> str:
    """Columns padded to their widest cell, two blanks between."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    stage.main(run)
