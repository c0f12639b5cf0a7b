"""Equation 7 with its analytic gradient, one triangle with all its Gaussians after the other (numba; the formulas of
`triangles`).

Of a triangle (a, b, c): t = e / |e| along e = b - a; w the part of o = c - a across t, h = |w|, p = w / h; the normal is
n = t x p, the third axis -p, the size k = (|e| + h) / 2. Arithmetic is in float64, arrays are float32.
"""

import math

import numpy as np
from numba import njit

LEAST = 1e-12
THIRD = 1 / 3


@njit(cache=True, nogil=True, error_model="numpy")
def frame(vertices, corners, i):
    """t, p, n, o, |e|, h and the corners' mean of triangle i."""
    a, b, c = corners[i, 0], corners[i, 1], corners[i, 2]
    ax, ay, az = float(vertices[a, 0]), float(vertices[a, 1]), float(vertices[a, 2])
    tx, ty, tz = vertices[b, 0] - ax, vertices[b, 1] - ay, vertices[b, 2] - az
    ox, oy, oz = vertices[c, 0] - ax, vertices[c, 1] - ay, vertices[c, 2] - az
    centre = (ax + (tx + ox) * THIRD, ay + (ty + oy) * THIRD, az + (tz + oz) * THIRD)
    length = max(math.sqrt(tx * tx + ty * ty + tz * tz), LEAST)
    # Divisions are what costs here: one and its products in place of three.
    inverse = 1 / length
    tx, ty, tz = tx * inverse, ty * inverse, tz * inverse
    along = ox * tx + oy * ty + oz * tz
    px, py, pz = ox - along * tx, oy - along * ty, oz - along * tz
    height = max(math.sqrt(px * px + py * py + pz * pz), LEAST)
    inverse = 1 / height
    px, py, pz = px * inverse, py * inverse, pz * inverse
    normal = (ty * pz - tz * py, tz * px - tx * pz, tx * py - ty * px)
    return (tx, ty, tz), (px, py, pz), normal, (ox, oy, oz), length, height, centre


@njit(cache=True, nogil=True, error_model="numpy")
def turn_of(t, n, s):
    """Unit quaternion (w, x, y, z) of the rotation with columns t, n, s, by the best conditioned form."""
    if t[0] + n[1] + s[2] > 0:
        w, x, y, z = 1 + t[0] + n[1] + s[2], n[2] - s[1], s[0] - t[2], t[1] - n[0]
    elif t[0] >= n[1] and t[0] >= s[2]:
        w, x, y, z = n[2] - s[1], 1 + t[0] - n[1] - s[2], n[0] + t[1], s[0] + t[2]
    elif n[1] >= s[2]:
        w, x, y, z = s[0] - t[2], n[0] + t[1], 1 - t[0] + n[1] - s[2], s[1] + n[2]
    else:
        w, x, y, z = t[1] - n[0], s[0] + t[2], s[1] + n[2], 1 - t[0] - n[1] + s[2]
    inverse = 1 / math.sqrt(w * w + x * x + y * y + z * z)
    return w * inverse, x * inverse, y * inverse, z * inverse


@njit(cache=True, nogil=True, error_model="numpy")
def product(a, b):
    """Hamilton product."""
    return (
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def unit(quaternion, i):
    """Row i normalised, and one over its length."""
    w, x, y, z = float(quaternion[i, 0]), float(quaternion[i, 1]), float(quaternion[i, 2]), float(quaternion[i, 3])
    norm = max(math.sqrt(w * w + x * x + y * y + z * z), LEAST)
    inverse = 1 / norm
    return (w * inverse, x * inverse, y * inverse, z * inverse), inverse


@njit(cache=True, nogil=True, error_model="numpy")
def units_of(quaternion):
    """Unit quaternions [N, 4] and one over their lengths before that: [N, 5], once for all frames."""
    units = np.empty((quaternion.shape[0], 5))
    for i in range(quaternion.shape[0]):
        own, units[i, 4] = unit(quaternion, i)
        for k in range(4):
            units[i, k] = own[k]
    return units


@njit(cache=True, nogil=True, error_model="numpy")
def bind(vertices, corners, starts, riders, mean, quaternion, growth, means, quaternions, scales):
    """Place all Gaussians in each frame.

    Arrays:
        vertices: [B, V, 3]. corners: [T, 3] vertices of each triangle that carries Gaussians.
        starts, riders: [T + 1], [N]: riders[starts[k]:starts[k + 1]] are the Gaussians of triangle k.
        mean, quaternion, growth: local, [N, 3], [N, 4], [N, 3]; growth is the scale, exp of its logarithm.
        means, quaternions, scales: out [B, N, 3], [B, N, 4], [B, N, 3].
    """
    units = units_of(quaternion)
    for b in range(vertices.shape[0]):
        for triangle in range(corners.shape[0]):
            t, p, n, _, length, height, centre = frame(vertices[b], corners, triangle)
            size = 0.5 * (length + height)
            turn = turn_of(t, n, (-p[0], -p[1], -p[2]))
            for rider in range(starts[triangle], starts[triangle + 1]):
                i = riders[rider]
                turned = product(turn, (units[i, 0], units[i, 1], units[i, 2], units[i, 3]))
                for k in range(4):
                    quaternions[b, i, k] = turned[k]
                for k in range(3):
                    means[b, i, k] = centre[k] + size * (mean[i, 0] * t[k] + mean[i, 1] * n[k] - mean[i, 2] * p[k])
                    scales[b, i, k] = size * growth[i, k]


@njit(cache=True, nogil=True, error_model="numpy")
def cross(a, b):
    """Vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@njit(cache=True, nogil=True, error_model="numpy")
def dot(a, b):
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True, error_model="numpy")
def spread_to_corners(t, p, n, o, length, height, by_t, by_p, by_n, by_size, by_mean, corners, i, by_vertices):
    """Add the gradients of one triangle's axes, size and centre to its corners' rows of `by_vertices` [V, 3]."""
    # n = t x p
    more_t, more_p = cross(p, by_n), cross(by_n, t)
    by_t = (by_t[0] + more_t[0], by_t[1] + more_t[1], by_t[2] + more_t[2])
    by_p = (by_p[0] + more_p[0], by_p[1] + more_p[1], by_p[2] + more_p[2])
    per_length, per_height = 1 / length, 1 / height
    # p = w / h, h = |w|, w = o - (o . t) t
    radial = dot(p, by_p)
    by_w = (
        (by_p[0] - p[0] * radial) * per_height + 0.5 * by_size * p[0],
        (by_p[1] - p[1] * radial) * per_height + 0.5 * by_size * p[1],
        (by_p[2] - p[2] * radial) * per_height + 0.5 * by_size * p[2],
    )
    along, share = dot(o, t), dot(t, by_w)
    by_t = (
        by_t[0] - along * by_w[0] - share * o[0],
        by_t[1] - along * by_w[1] - share * o[1],
        by_t[2] - along * by_w[2] - share * o[2],
    )
    radial = dot(t, by_t)
    for k in range(3):
        by_o = by_w[k] - t[k] * share
        by_e = (by_t[k] - t[k] * radial) * per_length + 0.5 * by_size * t[k]
        third = by_mean[k] * THIRD
        by_vertices[corners[i, 0], k] += third - by_o - by_e
        by_vertices[corners[i, 1], k] += third + by_e
        by_vertices[corners[i, 2], k] += third + by_o


@njit(cache=True, nogil=True, error_model="numpy")
def unbind(
    vertices, corners, starts, riders, mean, quaternion, growth, grad_means, grad_quaternions, grad_scales,
    by_vertices, by_mean, by_quaternion, by_log_scale,
):  # fmt: skip
    """Gradients of `bind`, added to `by_vertices` [B, V, 3] (float64) and the local ones, summed over frames.

    A triangle's turn as a quaternion passes no gradient to the vertices.
    """
    units = units_of(quaternion)
    for b in range(vertices.shape[0]):
        for triangle in range(corners.shape[0]):
            t, p, n, o, length, height, _ = frame(vertices[b], corners, triangle)
            size = 0.5 * (length + height)
            w, x, y, z = turn_of(t, n, (-p[0], -p[1], -p[2]))
            sx, sy, sz, by_size = 0.0, 0.0, 0.0, 0.0
            tx, ty, tz, nx, ny, nz, px, py, pz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for rider in range(starts[triangle], starts[triangle + 1]):
                i = riders[rider]
                g = (float(grad_means[b, i, 0]), float(grad_means[b, i, 1]), float(grad_means[b, i, 2]))
                m0, m1, m2 = float(mean[i, 0]), float(mean[i, 1]), float(mean[i, 2])
                on_t, on_n, on_p = dot(g, t), dot(g, n), dot(g, p)
                by_size += m0 * on_t + m1 * on_n - m2 * on_p
                by_mean[i, 0] += np.float32(size * on_t)
                by_mean[i, 1] += np.float32(size * on_n)
                by_mean[i, 2] -= np.float32(size * on_p)
                for k in range(3):
                    grown = grad_scales[b, i, k] * growth[i, k]
                    by_size += grown
                    by_log_scale[i, k] += np.float32(grown * size)
                given = (
                    float(grad_quaternions[b, i, 0]), float(grad_quaternions[b, i, 1]),
                    float(grad_quaternions[b, i, 2]), float(grad_quaternions[b, i, 3]),
                )  # fmt: skip
                back = product((w, -x, -y, -z), given)
                radial = back[0] * units[i, 0] + back[1] * units[i, 1] + back[2] * units[i, 2] + back[3] * units[i, 3]
                for k in range(4):
                    by_quaternion[i, k] += np.float32((back[k] - radial * units[i, k]) * units[i, 4])
                sx, sy, sz = sx + g[0], sy + g[1], sz + g[2]
                tx, ty, tz = tx + m0 * g[0], ty + m0 * g[1], tz + m0 * g[2]
                nx, ny, nz = nx + m1 * g[0], ny + m1 * g[1], nz + m1 * g[2]
                px, py, pz = px - m2 * g[0], py - m2 * g[1], pz - m2 * g[2]
            spread_to_corners(
                t, p, n, o, length, height, (size * tx, size * ty, size * tz), (size * px, size * py, size * pz),
                (size * nx, size * ny, size * nz), by_size, (sx, sy, sz), corners, triangle, by_vertices[b],
            )  # fmt: skip
