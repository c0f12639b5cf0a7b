"""What the CPU renderer is to reach, against what `emotag.bench.raster` found.

Milliseconds are for one core of a current server and mean little elsewhere; ratios hold on any machine. Two threads against
one, and the warm start, are wall time: they need a machine with nothing else to do.
"""

from typing import Any

# Scene, part, backend and column of a row, with the most it may be.
AT_MOST = (
    ("60k_512", "forward_backward", "cpp", "core_ms", 60.0),
    ("10k_256", "forward_backward", "cpp", "core_ms", 15.0),
    ("60k_512", "step", "cpp", "core_ms", 90.0),
    ("10k_256", "step", "cpp", "core_ms", 22.0),
    ("60k_512", "forward_backward", "cpp", "limit_ratio", 3.5),
    ("10k_256", "forward_backward", "cpp", "limit_ratio", 3.5),
    ("60k_512", "forward_backward", "cpp", "extra_mb", 100.0),
    ("60k_512", "forward_backward", "numba", "extra_mb", 100.0),
)
# Scene, part and name of a ratio, with the least or most it may be.
NUMBA, DENSE, TWO = "numba / cpp", "torch / cpp", "cpp 1 / 2 threads"
RATIOS = (
    ("60k_512", "forward_backward", NUMBA, "at most", 3.0),
    ("10k_256", "forward_backward", NUMBA, "at most", 3.0),
    ("60k_512", "forward_backward", TWO, "at least", 1.7),
    ("2k_128", "forward_backward", DENSE, "at least", 40.0),
)
WARM_START_S = 1.5


def goals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """`{goal, found, holds}` of every goal whose scene was measured."""
    found = []
    for scene, part, backend, column, most in AT_MOST:
        for row in result["rows"]:
            if (row["scene"], row["part"], row["backend"]) == (scene, part, backend) and row[column] is not None:
                found.append(_goal(f"{scene} {part} {backend} {column}", row[column], "at most", most))
    for scene, part, name, sense, bound in RATIOS:
        for row in result["ratios"]:
            if (row["scene"], row["part"], row["ratio"]) == (scene, part, name):
                found.append(_goal(f"{scene} {part} {name}", row["value"], sense, bound))
    for form, seconds in result["warm_start_s"].items():
        found.append(_goal(f"warm start {form}, s", seconds, "at most", WARM_START_S))
    return found


def _goal(name: str, value: float, sense: str, bound: float) -> dict[str, Any]:
    holds = value <= bound if sense == "at most" else value >= bound
    return {"goal": f"{name} {sense} {bound:g}", "found": value, "holds": holds}
