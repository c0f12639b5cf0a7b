"""The kernels of the cpu back end as one set with two forms (`emotag.render.forms`): C++ and numba.

Both forms have the same functions with the same arguments, so all above them is written once. A kernel works on items
[start, stop); `emotag.render.workers` spreads ranges over threads. Shapes and meanings are told in the numba modules.
"""

from collections.abc import Callable
from dataclasses import dataclass

# By what they are called in both forms.
NAMES = (
    "project_range",
    "colour_range",
    "cover_range",
    "sort_range",
    "count_slices",
    "list_slices",
    "forward_range",
    "backward_range",
    "gather_range",
    "colour_gradient_range",
    "project_gradient_range",
    "statistics_range",
    "gradient_range",
)


@dataclass(frozen=True)
class Kernels:
    """One form: `name` says which (numba, cpp-avx512, cpp-avx2 or cpp-portable); the rest are its functions."""

    name: str
    project_range: Callable
    colour_range: Callable
    cover_range: Callable
    sort_range: Callable
    count_slices: Callable
    list_slices: Callable
    forward_range: Callable
    backward_range: Callable
    gather_range: Callable
    colour_gradient_range: Callable
    project_gradient_range: Callable
    statistics_range: Callable
    gradient_range: Callable
