"""Sixteen float32 values at once: LLVM vectors with the operators of a formula, for numba intrinsics.

numba's own loop vectoriser gives up on the blending kernels; spelled out as vectors they run several times faster, on
any CPU (LLVM cuts the vectors to the width of the machine).
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
FLOAT = ir.VectorType(ir.FloatType(), LANES)
INT = ir.VectorType(ir.IntType(32), LANES)
ROW = types.Array(types.float32, 1, "C")
# a * b + c may become one fused instruction; nothing else is rearranged.
FLAGS = ("contract",)
# 2^f on [-1, 0]: Chebyshev fit of degree 6, relative error below 2e-8 (one rounding step is 6e-8).
EXP2 = (
    np.polynomial.chebyshev.Chebyshev.interpolate(np.exp2, 6, domain=[-1, 0])
    .convert(kind=np.polynomial.Polynomial)
    .coef.tolist()
)


class Lanes:
    """One vector while an intrinsic is being built. Plain numbers on either side of an operator are repeated."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder = builder
        self.value = value

    def _raw(self, other: Any) -> ir.Value:
        return other.value if isinstance(other, Lanes) else ir.Constant(FLOAT, [float(np.float32(other))] * LANES)

    def _wrap(self, value: ir.Value) -> "Lanes":
        return Lanes(self.builder, value)

    def __add__(self, other: Any) -> "Lanes":
        return self._wrap(self.builder.fadd(self.value, self._raw(other), flags=FLAGS))

    def __sub__(self, other: Any) -> "Lanes":
        return self._wrap(self.builder.fsub(self.value, self._raw(other), flags=FLAGS))

    def __rsub__(self, other: Any) -> "Lanes":
        return self._wrap(self.builder.fsub(self._raw(other), self.value, flags=FLAGS))

    def __mul__(self, other: Any) -> "Lanes":
        return self._wrap(self.builder.fmul(self.value, self._raw(other), flags=FLAGS))

    def __truediv__(self, other: Any) -> "Lanes":
        return self._wrap(self.builder.fdiv(self.value, self._raw(other), flags=FLAGS))

    def __neg__(self) -> "Lanes":
        return self * -1.0

    def compare(self, sign: str, other: Any) -> ir.Value:
        """Mask of the lanes in which the comparison (<, <=, >, >=) holds."""
        return self.builder.fcmp_ordered(sign, self.value, self._raw(other))

    def where(self, mask: ir.Value, other: Any) -> "Lanes":
        """These lanes where the mask holds, the other's elsewhere."""
        return self._wrap(self.builder.select(mask, self.value, self._raw(other)))

    def at_most(self, limit: Any) -> "Lanes":
        """The smaller of the two, lane by lane."""
        return self.where(self.compare("<", limit), limit)

    def at_least(self, limit: Any) -> "Lanes":
        """The larger of the two, lane by lane."""
        return self.where(self.compare(">", limit), limit)

    def exp2(self) -> "Lanes":
        """2 to the power of each lane, which must lie between -126 and 0."""
        whole = self.builder.fptosi(self.value, INT)
        fraction = self - self._wrap(self.builder.sitofp(whole, FLOAT))
        series = fraction * EXP2[-1] + EXP2[-2]
        for coefficient in reversed(EXP2[:-2]):
            series = series * fraction + coefficient
        biased = self.builder.add(whole, ir.Constant(INT, [127] * LANES))
        power = self.builder.shl(biased, ir.Constant(INT, [23] * LANES))
        return series * self._wrap(self.builder.bitcast(power, FLOAT))


def splat(builder: ir.IRBuilder, scalar: ir.Value) -> Lanes:
    """One float32 in all lanes."""
    first = builder.insert_element(ir.Constant(FLOAT, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    return Lanes(builder, builder.shuffle_vector(first, first, ir.Constant(INT, [0] * LANES)))


def block_offsets(builder: ir.IRBuilder) -> tuple[Lanes, Lanes]:
    """Column and row (0 to 3) of each lane in a 4 x 4 block."""
    columns = ir.Constant(FLOAT, [float(lane & 3) for lane in range(LANES)])
    rows = ir.Constant(FLOAT, [float(lane >> 2) for lane in range(LANES)])
    return Lanes(builder, columns), Lanes(builder, rows)


class Memory:
    """The data of a one-dimensional float32 array argument."""

    def __init__(self, context: Any, builder: ir.IRBuilder, array_type: types.Array, value: ir.Value) -> None:
        self.builder = builder
        self.data = context.make_array(array_type)(context, builder, value).data

    def _at(self, index: ir.Value, offset: int) -> ir.Value:
        index = self.builder.add(index, ir.Constant(index.type, offset)) if offset else index
        return self.builder.gep(self.data, [index])

    def scalar(self, index: ir.Value) -> ir.Value:
        """The float32 at `index`."""
        return self.builder.load(self._at(index, 0))

    def load(self, index: ir.Value, offset: int = 0) -> Lanes:
        """Sixteen values from `index` + `offset`."""
        place = self.builder.bitcast(self._at(index, offset), FLOAT.as_pointer())
        return Lanes(self.builder, self.builder.load(place, align=4))

    def store(self, lanes: Lanes, index: ir.Value, offset: int = 0) -> None:
        """Write sixteen values to `index` + `offset`."""
        place = self.builder.bitcast(self._at(index, offset), FLOAT.as_pointer())
        self.builder.store(lanes.value, place, align=4)

    def add(self, lanes: Lanes, index: ir.Value, offset: int = 0) -> None:
        """Add to the sixteen values from `index` + `offset`."""
        self.store(self.load(index, offset) + lanes, index, offset)


@intrinsic
def trailing_zeros(typing, bits):
    """Index of the lowest bit that is set in an int32 (undefined for 0)."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int32(types.int32), generate


@intrinsic
def lane_sum(typing, row, start):
    """Sum of the sixteen values of the float32 array `row` from `start`, in a fixed order (halves onto halves)."""

    def generate(context, builder, signature, arguments):
        total = Memory(context, builder, signature.args[0], arguments[0]).load(arguments[1])
        for half in (8, 4, 2, 1):
            order = ir.Constant(INT, [(lane + half) % LANES for lane in range(LANES)])
            total = total + Lanes(builder, builder.shuffle_vector(total.value, total.value, order))
        return builder.extract_element(total.value, ir.Constant(ir.IntType(32), 0))

    return types.float32(ROW, types.intp), generate


@intrinsic
def any_positive(typing, row, start):
    """Whether one of the sixteen values of the float32 array `row` from `start` is above zero."""

    def generate(context, builder, signature, arguments):
        mask = Memory(context, builder, signature.args[0], arguments[0]).load(arguments[1]).compare(">", 0.0)
        bits = builder.bitcast(mask, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(ROW, types.intp), generate


def for_channels(builder: ir.IRBuilder, size: ir.Value) -> Any:
    """A loop over `size` channels; use as a context manager, the index is its `.index`."""
    return cgutils.for_range(builder, size)
