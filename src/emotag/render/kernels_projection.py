"""EWA projection with its analytic gradient, one Gaussian after the other (numba; the formulas of `projection`).

Notation: q quaternion, R its matrix, s scales, J [2, 3] the Jacobian of the pixel by the point, U = J R,
covariance = U diag(s²) Uᵀ + eps I, conic = its inverse. Arithmetic is in float64, arrays are float32.
A view is a frame's camera: fx, fy, cx, cy, width, height, near, eps, low_x, high_x, low_y, high_y, antialiased (0 or 1).
"""

import math

import numpy as np
from numba import njit

LOG2_E = 1.4426950408889634
ALPHA_LEAST = 1 / 255
# Widens the footprint a little, so that rounding never drops a pixel whose alpha reaches the threshold.
FOOTPRINT_SLACK = 1e-3


@njit(cache=True, nogil=True)
def rotation(w, x, y, z):
    """Rows of the matrix of a unit quaternion."""
    return (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def view_of(views, frame):
    """The numbers of a frame's view; `views` [B, 13], or [1, 13] for all frames."""
    v = views[min(frame, views.shape[0] - 1)]
    return v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12] > 0


@njit(cache=True, nogil=True)
def project_range(
    start, stop, count, means, quaternions, scales, opacities, views, ellipses, conics, depths, boxes, rooms
):
    """Project Gaussians [start, stop) of the flattened batch, `count` a frame.

    Arrays:
        means, quaternions, scales, opacities: [M, 3], [M, 4], [M, 3], [M] float32.
        views: [B or 1, 13] float64.
        ellipses: out [M, 6]: centre x, y (px) and the exponent's terms: log2 alpha = e5 + e2 dx² + e3 dx dy + e4 dy².
        conics, depths: out [M, 3] (1/px²) and [M] (m). Ellipses and conics are zero where nothing shows.
        boxes: out [M, 4] int32: first and last tile column, first and last tile row; first > last where nothing shows.
        rooms: out [M + 1] int64, from its second entry on: tiles in each box.
    """
    ellipses[start:stop] = 0
    conics[start:stop] = 0
    rooms[start + 1 : stop + 1] = 0
    for i in range(start, stop):
        view = view_of(views, i // count)
        fx, fy, cx, cy, width, height, near, eps, low_x, high_x, low_y, high_y, antialiased = view
        boxes[i, 0], boxes[i, 1], boxes[i, 2], boxes[i, 3] = 1, 0, 1, 0
        depth = -float(means[i, 2])
        depths[i] = depth
        opacity = float(opacities[i])
        if depth <= near or opacity < ALPHA_LEAST:
            continue
        w, x, y, z = (
            float(quaternions[i, 0]),
            float(quaternions[i, 1]),
            float(quaternions[i, 2]),
            float(quaternions[i, 3]),
        )
        norm = 1 / max(math.sqrt(w * w + x * x + y * y + z * z), 1e-12)
        r00, r01, r02, r10, r11, r12, r20, r21, r22 = rotation(w * norm, x * norm, y * norm, z * norm)
        px, py = means[i, 0] / depth, means[i, 1] / depth
        jx, jy = fx / depth, -fy / depth
        jxz, jyz = jx * min(max(px, low_x), high_x), jy * min(max(py, low_y), high_y)
        s0, s1, s2 = float(scales[i, 0]), float(scales[i, 1]), float(scales[i, 2])
        u0, u1, u2 = (jx * r00 + jxz * r20) * s0, (jx * r01 + jxz * r21) * s1, (jx * r02 + jxz * r22) * s2
        v0, v1, v2 = (jy * r10 + jyz * r20) * s0, (jy * r11 + jyz * r21) * s1, (jy * r12 + jyz * r22) * s2
        xx, yy = u0 * u0 + u1 * u1 + u2 * u2 + eps, v0 * v0 + v1 * v1 + v2 * v2 + eps
        xy = u0 * v0 + u1 * v1 + u2 * v2
        inverse = 1 / (xx * yy - xy * xy)
        level, reach = math.log2(opacity), 2 * (math.log(255 * opacity) + FOOTPRINT_SLACK)
        if antialiased:
            factor = math.sqrt(square_of_cross(u0, u1, u2, v0, v1, v2) * inverse)
            if opacity * factor < ALPHA_LEAST:
                continue
            level, reach = level + math.log2(factor), reach + 2 * math.log(factor)
        a, b, c = yy * inverse, -xy * inverse, xx * inverse
        conics[i, 0], conics[i, 1], conics[i, 2] = a, b, c
        mx, my = cx + fx * px, cy - fy * py
        ellipses[i, 0], ellipses[i, 1] = mx, my
        ellipses[i, 2], ellipses[i, 3], ellipses[i, 4] = -0.5 * LOG2_E * a, -LOG2_E * b, -0.5 * LOG2_E * c
        ellipses[i, 5] = level
        half_x, half_y = math.sqrt(reach * xx), math.sqrt(reach * yy)
        # Pixel centres inside the bounding box, clipped to the image.
        x0, x1 = max(math.ceil(mx - half_x - 0.5), 0.0), min(math.floor(mx + half_x - 0.5), width - 1.0)
        y0, y1 = max(math.ceil(my - half_y - 0.5), 0.0), min(math.floor(my + half_y - 0.5), height - 1.0)
        if x0 <= x1 and y0 <= y1:
            boxes[i, 0], boxes[i, 1] = int(x0) >> 4, int(x1) >> 4
            boxes[i, 2], boxes[i, 3] = int(y0) >> 4, int(y1) >> 4
            rooms[i + 1] = (boxes[i, 1] - boxes[i, 0] + 1) * (boxes[i, 3] - boxes[i, 2] + 1)


@njit(cache=True, nogil=True)
def square_of_cross(u0, u1, u2, v0, v1, v2):
    """|u x v|²: the determinant of the covariance with rows u, v before the blur, without its cancellation."""
    x, y, z = u1 * v2 - u2 * v1, u2 * v0 - u0 * v2, u0 * v1 - u1 * v0
    return x * x + y * y + z * z


@njit(cache=True, nogil=True)
def compensation_gradient(share, eps, u0, u1, u2, v0, v1, v2):
    """Gradient by the covariance (xx, xy, yy) of the factor sqrt(determinant before / after the blur).

    `share`: d loss / d log of the factor. d log determinant / d covariance is the inverse covariance.
    """
    xx, xy, yy = u0 * u0 + u1 * u1 + u2 * u2, u0 * v0 + u1 * v1 + u2 * v2, v0 * v0 + v1 * v1 + v2 * v2
    sharp = 1 / square_of_cross(u0, u1, u2, v0, v1, v2)
    blurred = 1 / ((xx + eps) * (yy + eps) - xy * xy)
    half = 0.5 * share
    return (
        half * (yy * sharp - (yy + eps) * blurred),
        half * xy * (blurred - sharp),
        half * (xx * sharp - (xx + eps) * blurred),
    )


@njit(cache=True, nogil=True)
def rotation_gradient(w, x, y, z, norm, g):
    """Gradient by the quaternion before normalisation (`norm` = 1 / its length), of the nine entries' gradients `g`."""
    g00, g01, g02, g10, g11, g12, g20, g21, g22 = g
    gw = 2 * (z * (g10 - g01) + y * (g02 - g20) + x * (g21 - g12))
    gx = 2 * (y * (g01 + g10) + z * (g02 + g20) + w * (g21 - g12) - 2 * x * (g11 + g22))
    gy = 2 * (x * (g01 + g10) + z * (g12 + g21) + w * (g02 - g20) - 2 * y * (g00 + g22))
    gz = 2 * (x * (g02 + g20) + y * (g12 + g21) + w * (g10 - g01) - 2 * z * (g00 + g11))
    along = gw * w + gx * x + gy * y + gz * z
    return norm * (gw - along * w), norm * (gx - along * x), norm * (gy - along * y), norm * (gz - along * z)


@njit(cache=True, nogil=True)
def project_gradient_range(
    start, stop, count, means, quaternions, scales, opacities, views, conics, grad_means2d, grad_conics, grad_depths,
    grad_opacities, grad_means, grad_quaternions, grad_scales, grad_lens,
):  # fmt: skip
    """Gradients of Gaussians [start, stop) from those of the projected centre [M, 2], conic [M, 3], depth and opacity.

    `grad_means` [M, 3] is added to; `grad_quaternions` [M, 4] and `grad_scales` [M, 3] are written, as is `grad_lens`
    [M, 4] float64 (each Gaussian's share in those by fx, fy, cx and cy; [0, 4] where it is not wanted).
    """
    for i in range(start, stop):
        view = view_of(views, i // count)
        fx, fy, _, _, _, _, near, eps, low_x, high_x, low_y, high_y, antialiased = view
        depth = -float(means[i, 2])
        if depth <= near:
            for k in range(4):
                grad_quaternions[i, k] = 0
            for k in range(3):
                grad_scales[i, k] = 0
            if grad_lens.shape[0] > 0:
                grad_lens[i] = 0
            continue
        w, x, y, z = (
            float(quaternions[i, 0]),
            float(quaternions[i, 1]),
            float(quaternions[i, 2]),
            float(quaternions[i, 3]),
        )
        norm = 1 / max(math.sqrt(w * w + x * x + y * y + z * z), 1e-12)
        w, x, y, z = w * norm, x * norm, y * norm, z * norm
        r00, r01, r02, r10, r11, r12, r20, r21, r22 = rotation(w, x, y, z)
        px, py = means[i, 0] / depth, means[i, 1] / depth
        tx, ty = min(max(px, low_x), high_x), min(max(py, low_y), high_y)
        jx, jy = fx / depth, -fy / depth
        jxz, jyz = jx * tx, jy * ty
        s0, s1, s2 = float(scales[i, 0]), float(scales[i, 1]), float(scales[i, 2])
        u0, u1, u2 = jx * r00 + jxz * r20, jx * r01 + jxz * r21, jx * r02 + jxz * r22
        v0, v1, v2 = jy * r10 + jyz * r20, jy * r11 + jyz * r21, jy * r12 + jyz * r22
        # d covariance = -conic (d conic) conic, with the conic's off-diagonal gradient shared by both entries.
        a, b, c = float(conics[i, 0]), float(conics[i, 1]), float(conics[i, 2])
        ga, gb, gc = float(grad_conics[i, 0]), 0.5 * grad_conics[i, 1], float(grad_conics[i, 2])
        left0, left1, left2, left3 = a * ga + b * gb, a * gb + b * gc, b * ga + c * gb, b * gb + c * gc
        gxx, gxy, gyy = -(left0 * a + left1 * b), -(left0 * b + left1 * c), -(left2 * b + left3 * c)
        share = float(grad_opacities[i]) * float(opacities[i])
        # What is not drawn has no share, and may have no inverse either.
        if antialiased and share != 0:
            more = compensation_gradient(share, eps, u0 * s0, u1 * s1, u2 * s2, v0 * s0, v1 * s1, v2 * s2)
            gxx, gxy, gyy = gxx + more[0], gxy + more[1], gyy + more[2]
        # By U: 2 G U diag(s²); by s: 2 s diag(Uᵀ G U).
        p0, p1, p2 = gxx * u0 + gxy * v0, gxx * u1 + gxy * v1, gxx * u2 + gxy * v2
        q0, q1, q2 = gxy * u0 + gyy * v0, gxy * u1 + gyy * v1, gxy * u2 + gyy * v2
        grad_scales[i, 0] = 2 * s0 * (u0 * p0 + v0 * q0)
        grad_scales[i, 1] = 2 * s1 * (u1 * p1 + v1 * q1)
        grad_scales[i, 2] = 2 * s2 * (u2 * p2 + v2 * q2)
        t0, t1, t2 = 2 * s0 * s0, 2 * s1 * s1, 2 * s2 * s2
        p0, p1, p2, q0, q1, q2 = p0 * t0, p1 * t1, p2 * t2, q0 * t0, q1 * t1, q2 * t2
        turned = rotation_gradient(
            w, x, y, z, norm,
            (jx * p0, jx * p1, jx * p2, jy * q0, jy * q1, jy * q2,
             jxz * p0 + jyz * q0, jxz * p1 + jyz * q1, jxz * p2 + jyz * q2),
        )  # fmt: skip
        for k in range(4):
            grad_quaternions[i, k] = turned[k]
        gjx, gjy = p0 * r00 + p1 * r01 + p2 * r02, q0 * r10 + q1 * r11 + q2 * r12
        gjxz, gjyz = p0 * r20 + p1 * r21 + p2 * r22, q0 * r20 + q1 * r21 + q2 * r22
        # jx = fx / depth, jxz = jx tx; px = x / depth, and tx = px inside the limits.
        if grad_lens.shape[0] > 0:
            gmx, gmy = float(grad_means2d[i, 0]), float(grad_means2d[i, 1])
            grad_lens[i, 0], grad_lens[i, 1] = (
                gmx * px + (gjx + gjxz * tx) / depth,
                -gmy * py - (gjy + gjyz * ty) / depth,
            )
            grad_lens[i, 2], grad_lens[i, 3] = gmx, gmy
            # Outside the limits tx is one of them: they go with 1 / fx and shift with cx; so does ty.
            if not low_x < px < high_x:
                grad_lens[i, 0] -= gjxz * jx * tx / fx
                grad_lens[i, 2] -= gjxz * jx / fx
            if not low_y < py < high_y:
                grad_lens[i, 1] -= gjyz * jy * ty / fy
                grad_lens[i, 3] += gjyz * jy / fy
        gpx, gpy = fx * grad_means2d[i, 0], -fy * grad_means2d[i, 1]
        if low_x < px < high_x:
            gpx += gjxz * jx
        if low_y < py < high_y:
            gpy += gjyz * jy
        by_depth = grad_depths[i] - ((gjx + gjxz * tx) * jx + (gjy + gjyz * ty) * jy + gpx * px + gpy * py) / depth
        grad_means[i, 0] += np.float32(gpx / depth)
        grad_means[i, 1] += np.float32(gpy / depth)
        grad_means[i, 2] -= np.float32(by_depth)
