"""Named subsets of MediaPipe's 478 face mesh points.

Left and right are the subject's. Source: the topology of MediaPipe's face mesh (`face_mesh_connections`); the 68-point
choice is the usual nearest correspondence to the iBUG (300-W) mark-up and is approximate along the jaw.
"""

OUTER_EYE_CORNERS = (33, 263)

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

# From the subject's right to the left.
JAW_LINE = (127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356)
OUTER_LIP_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LIP_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_LIP_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LIP_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_LIPS = OUTER_LIP_UPPER + OUTER_LIP_LOWER[1:-1]
INNER_LIPS = INNER_LIP_UPPER + INNER_LIP_LOWER[1:-1]
# Upper and lower points that meet when the mouth closes, from the subject's right to the left, without the corners.
INNER_LIP_PAIRS = tuple(zip(INNER_LIP_UPPER[1:-1], INNER_LIP_LOWER[1:-1], strict=True))

# From the outer to the inner corner of each eye, without the corners; pairs meet when the eye closes.
RIGHT_LID_UPPER = (246, 161, 160, 159, 158, 157, 173)
RIGHT_LID_LOWER = (7, 163, 144, 145, 153, 154, 155)
LEFT_LID_UPPER = (466, 388, 387, 386, 385, 384, 398)
LEFT_LID_LOWER = (249, 390, 373, 374, 380, 381, 382)
RIGHT_LID_PAIRS = tuple(zip(RIGHT_LID_UPPER, RIGHT_LID_LOWER, strict=True))
LEFT_LID_PAIRS = tuple(zip(LEFT_LID_UPPER, LEFT_LID_LOWER, strict=True))
RIGHT_EYE_CORNERS = (33, 133)
LEFT_EYE_CORNERS = (263, 362)

# From the outside towards the nose: upper edge, then lower edge.
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)

NOSE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 97, 98, 326, 327, 48, 278, 64, 294, 129, 358)

# Centre first, then four points of the contour.
RIGHT_IRIS = (468, 469, 470, 471, 472)
LEFT_IRIS = (473, 474, 475, 476, 477)

# iBUG's order: jaw 17, right brow 5, left brow 5, nose 4 + 5, right eye 6, left eye 6, outer lips 12, inner lips 8.
IBUG_68 = (
    *JAW_LINE,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
IBUG_INNER_51 = IBUG_68[17:]

SETS: dict[str, tuple[int, ...]] = {
    "outer lips": OUTER_LIPS,
    "inner lips": INNER_LIPS,
    "upper lids": RIGHT_LID_UPPER + LEFT_LID_UPPER,
    "lower lids": RIGHT_LID_LOWER + LEFT_LID_LOWER,
    "brows": RIGHT_BROW + LEFT_BROW,
    "nose": NOSE,
    "jaw line": JAW_LINE,
    "irises": RIGHT_IRIS + LEFT_IRIS,
    "face oval": FACE_OVAL,
    "68": IBUG_68,
}
