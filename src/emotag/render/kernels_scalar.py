"""Scalar building blocks of the numba kernels: bit tricks and an exponential that LLVM can vectorise."""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

ONE = np.float32(1)
# 2^f on [-1, 0]: Chebyshev fit of degree 6, relative error below 2e-8 (one rounding step is 6e-8).
P0, P1, P2, P3, P4, P5, P6 = (
    np.float32(value)
    for value in np.polynomial.chebyshev.Chebyshev.interpolate(np.exp2, 6, domain=[-1, 0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)


@intrinsic
def bits_as_float(typing, bits):
    """Reinterpret the 32 bits of an int32 as a float32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def trailing_zeros(typing, bits):
    """Index of the lowest bit that is set in an int32 (undefined for 0)."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int32(types.int32), generate


@njit(fastmath=True, inline="always")
def exp2(x):
    """2^x for float32 x between -126 and 0."""
    whole = np.int32(x)
    f = x - np.float32(whole)
    tail = P0 + f * (P1 + f * (P2 + f * (P3 + f * (P4 + f * (P5 + f * P6)))))
    return tail * bits_as_float(np.int32((whole + np.int32(127)) << np.int32(23)))
