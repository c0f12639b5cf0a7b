"""One Gaussian in one 4 x 4 block, forward and backward, as vector code (the inner loops of the rasteriser).

State of a tile, one flat float32 buffer of planes of 256 (block by block). Forward: transmittance, sums of each channel.
Backward: transmittance, S (see `kernels_backward`), gradient by alpha, gradient by each channel.
A transmittance is negative once its pixel is done.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from emotag.render.kernels_lanes import FLOAT, LANES, ROW, Lanes, Memory, block_offsets, for_channels, splat

# log2(1/255): where the exponent is below it, alpha is below 1/255.
LEAST = -7.994353436858858
MOST = 0.999
STOP = 1e-4
TILE = 256
MOMENTS = 6


def _alpha(
    builder: ir.IRBuilder, before: Lanes, terms: tuple[ir.Value, ...]
) -> tuple[Lanes, Lanes, Lanes, Lanes, Lanes]:
    """Alpha (zero where nothing is drawn), transmittance after, weight, and the pixel's distance from the centre.

    `terms`: x, y (first pixel centre minus the mean) and e2 to e5 of log2 alpha = e5 + e2 dx² + e3 dx dy + e4 dy².
    gsplat's rule: the Gaussian that would take the transmittance to 1e-4 or below is left out and ends its pixel.
    """
    x, y, e2, e3, e4, e5 = (splat(builder, term) for term in terms)
    columns, rows = block_offsets(builder)
    dx, dy = columns + x, rows + y
    power = dx * (dx * e2 + dy * e3) + (dy * dy * e4 + e5)
    alpha = power.at_least(-9.0).exp2().at_most(MOST)
    drawn = builder.and_(power.compare(">=", LEAST), before.compare(">", 0.0))
    alpha = alpha.where(drawn, 0.0)
    weight = alpha * before
    after = before - weight
    stop = builder.and_(drawn, after.compare("<=", STOP))
    return (
        alpha.where(builder.not_(stop), 0.0),
        (-before).where(stop, after),
        weight.where(builder.not_(stop), 0.0),
        dx,
        dy,
    )


@intrinsic
def blend_block(typing, state, base, x, y, e2, e3, e4, e5, channels, row, size):
    """Blend a Gaussian with `size` channels from channels[row] into the block whose pixels begin at state[base]."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        state = Memory(context, builder, signature.args[0], arguments[0])
        values = Memory(context, builder, signature.args[8], arguments[8])
        base, row, size = arguments[1], arguments[9], arguments[10]
        _, after, weight, _, _ = _alpha(builder, state.load(base), arguments[2:8])
        state.store(after, base)
        with for_channels(builder, size) as channel:
            value = splat(builder, values.scalar(builder.add(row, channel.index)))
            plane = builder.add(base, builder.mul(channel.index, ir.Constant(channel.index.type, TILE)))
            state.add(weight * value, plane, TILE)
        return context.get_dummy_value()

    floats = (types.float32,) * 6
    return types.void(ROW, types.intp, *floats, ROW, types.intp, types.intp), generate


@intrinsic
def unblend_block(typing, state, base, x, y, e2, e3, e4, e5, channels, row, size, lanes):
    """Add the block's share of a Gaussian's gradients to `lanes` [(6 + size) * 16]: moments, then channels."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        state = Memory(context, builder, signature.args[0], arguments[0])
        values = Memory(context, builder, signature.args[8], arguments[8])
        lanes = Memory(context, builder, signature.args[11], arguments[11])
        base, row, size = arguments[1], arguments[9], arguments[10]
        before = state.load(base)
        alpha, after, weight, dx, dy = _alpha(builder, before, arguments[2:8])
        state.store(after, base)
        q = cgutils.alloca_once_value(builder, state.load(base, 2 * TILE).value)
        with for_channels(builder, size) as channel:
            value = splat(builder, values.scalar(builder.add(row, channel.index)))
            plane = builder.add(base, builder.mul(channel.index, ir.Constant(channel.index.type, TILE)))
            gradient = state.load(plane, 3 * TILE)
            builder.store((Lanes(builder, builder.load(q)) + gradient * value).value, q)
            place = builder.mul(channel.index, ir.Constant(channel.index.type, LANES))
            lanes.add(gradient * weight, place, LANES * MOMENTS)
        score = Lanes(builder, builder.load(q, typ=FLOAT))
        rest = state.load(base, TILE) - weight * score
        state.store(rest, base, TILE)
        # alpha dL/dalpha; a clamped alpha passes no gradient on.
        share = weight * score - alpha * (rest / (1.0 - alpha))
        share = share.where(alpha.compare("<", MOST), 0.0)
        zero = ir.Constant(base.type, 0)
        by_x, by_y = share * dx, share * dy
        for place, moment in enumerate((share, by_x, by_y, by_x * dx, by_x * dy, by_y * dy)):
            lanes.add(moment, zero, LANES * place)
        return context.get_dummy_value()

    floats = (types.float32,) * 6
    return types.void(ROW, types.intp, *floats, ROW, types.intp, types.intp, ROW), generate
