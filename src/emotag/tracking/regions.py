"""Region labels of a talking head, without a face parser: landmarks, the person's matte, and three colour models.

No parser ships in a registry package, so the cut is made like this. Face parts are polygons of the face mesh. The other
person pixels belong to hair, skin (ears), neck or torso: each pixel goes to the class whose colour model (a Gaussian in
chroma and luma, learnt from the clip itself) and place fit best. Skin is learnt inside the face oval, hair above the
forehead, torso along the picture's lower edge. Neck is what looks like skin below the jaw, not wider than the face, judged
the less strictly the nearer to the chin (shadow); hair is connected to the head, and below the chin it counts as torso. A
collar of the skin's colour counts as neck, bare shoulders as torso; a bald head's scalp as hair, which does no harm.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from emotag.head import landmark_sets as sets

LABELS = ("background", "torso", "neck", "skin", "hair", "brows", "eyes", "lips", "mouth_interior")
HEAD_LABELS = ("neck", "skin", "hair", "brows", "eyes", "lips", "mouth_interior")
FACE_LABELS = ("skin", "brows", "eyes", "lips", "mouth_interior")
INDEX = {name: number for number, name in enumerate(LABELS)}
_IN_HEAD = np.isin(np.arange(256), [INDEX[name] for name in HEAD_LABELS])

RIGHT_EYE = (33, *sets.RIGHT_LID_UPPER, 133, *reversed(sets.RIGHT_LID_LOWER))
LEFT_EYE = (263, *sets.LEFT_LID_UPPER, 362, *reversed(sets.LEFT_LID_LOWER))
RIGHT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
OUTER = sets.OUTER_LIP_UPPER + tuple(reversed(sets.OUTER_LIP_LOWER[1:-1]))
INNER = sets.INNER_LIP_UPPER + tuple(reversed(sets.INNER_LIP_LOWER[1:-1]))
# How far hair may reach from the face's middle, in face heights, sideways and upwards; and where the head's hair ends,
# from the hairline: hair that lies on the shoulders moves with the torso, so it stays with it.
HAIR_REACH, HAIR_END = 1.15, 1.15
# Of the mesh's height (hairline to chin): where the ear lobes end, how far below the chin the neck may reach.
EAR_LOBE, NECK_DEPTH = 0.62, 0.55
# What the place is worth against the colours: for the neck just under the chin, and against it at its lower end.
NECK_TRUST, NECK_DOUBT = 6.0, 10.0
# Neck has between these shares of the skin's saturation and strays from its hue by no more: not so collars and ties.
SKIN_TINT, SKIN_HUE = (0.45, 1.8), 0.5
GREY = 128.0
# Colours are judged on a coarser grid; outlines of face parts are drawn on the picture's own.
COLOUR_SHRINK = 2


@dataclass(frozen=True)
class Colours:
    """Mean [3] and inverse covariance [3, 3] in Lab of skin, hair and torso, with the logarithm of the determinant."""

    means: np.ndarray
    inverses: np.ndarray
    determinants: np.ndarray

    def costs(self, lab: np.ndarray) -> np.ndarray:
        """Negative log likelihood of each class [3, H, W] of [H, W, 3] Lab."""
        pixels, costs = lab.reshape(-1, 3), []
        for mean, inverse, determinant in zip(self.means, self.inverses, self.determinants, strict=True):
            whitened = (pixels - mean) @ np.linalg.cholesky(inverse)
            distance = np.einsum("ni,ni->n", whitened, whitened)
            costs.append(0.5 * (np.minimum(distance, 60) + determinant))
        return np.stack(costs).reshape(3, *lab.shape[:2])

    def tinted(self, lab: np.ndarray) -> np.ndarray:
        """[H, W] bool: pixels of [H, W, 3] Lab with about the skin's hue and saturation, whatever the light on them."""
        skin = self.means[0]
        axis = skin[1:] - GREY
        length = max(float(np.linalg.norm(axis)), 1e-6)
        light = np.maximum(lab[..., 0] / max(float(skin[0]), 1e-6), 0.4) * length
        chroma = lab[..., 1:] - GREY
        along = chroma @ axis / length / light
        across = np.abs(chroma @ np.array([-axis[1], axis[0]], np.float32)) / length / light
        return (along > SKIN_TINT[0]) & (along < SKIN_TINT[1]) & (across < SKIN_HUE)


def head_mask(labels: np.ndarray) -> np.ndarray:
    """[H, W] bool: head and neck, of [H, W] uint8 labels."""
    return _IN_HEAD[labels]


def polygon(shape: tuple[int, int], points: np.ndarray, indices: tuple[int, ...]) -> np.ndarray:
    """[H, W] bool inside the closed polygon of the landmarks `indices` of `points` [478, 3] px."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points[list(indices), :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def to_lab(frame: np.ndarray) -> np.ndarray:
    """[H, W, 3] RGB uint8, slightly smoothed, to Lab float32 with luma at half weight (light falls unevenly)."""
    lab = cv2.cvtColor(cv2.GaussianBlur(frame, (0, 0), 1.5), cv2.COLOR_RGB2LAB).astype(np.float32)
    return lab * np.array([0.5, 1, 1], np.float32)


def learn_colours(frames: list[np.ndarray], points: list[np.ndarray], persons: list[np.ndarray]) -> Colours:
    """Colour models from a few frames [H, W, 3] of the clip, their landmarks [478, 3] px and person masks [H, W] bool."""
    samples: tuple[list, list, list] = ([], [], [])
    for frame, face, person in zip(frames, points, persons, strict=True):
        lab, shape = to_lab(frame), frame.shape[:2]
        oval = polygon(shape, face, sets.FACE_OVAL)
        parts = np.any([polygon(shape, face, part) for part in (RIGHT_EYE, LEFT_EYE, OUTER, RIGHT_BROW, LEFT_BROW)], 0)
        top, height = face[10, 1], face[152, 1] - face[10, 1]
        rows = np.arange(shape[0])[:, None]
        outside = person & ~cv2.dilate(oval.astype(np.uint8), np.ones((5, 5))).astype(bool)
        samples[0].append(lab[oval & ~parts & (rows > top + 0.15 * height)])
        samples[1].append(lab[outside & (rows < top + 0.05 * height)])
        samples[2].append(lab[person & (rows > max(shape[0] * 0.93, face[152, 1] + 0.35 * height))])
    means, inverses, determinants = [], [], []
    for group in samples:
        pixels = np.concatenate(group) if sum(map(len, group)) > 50 else np.concatenate(samples[0]) * 0
        mean = np.median(pixels, 0)
        near = pixels[np.linalg.norm(pixels - mean, axis=1) < 45]
        covariance = np.cov(near.T) + 12 * np.eye(3) if len(near) > 50 else 400 * np.eye(3)
        means.append(mean)
        inverses.append(np.linalg.inv(covariance))
        determinants.append(np.linalg.slogdet(covariance)[1])
    return Colours(*(np.array(values, np.float32) for values in (means, inverses, determinants)))


def label_frame(frame: np.ndarray, face: np.ndarray, person: np.ndarray, colours: Colours) -> np.ndarray:
    """[H, W] uint8 labels of a frame [H, W, 3], its landmarks [478, 3] px and its person mask [H, W] bool."""
    height, width = shape = frame.shape[:2]
    small = (width // COLOUR_SHRINK, height // COLOUR_SHRINK)
    coarse = _by_colour(
        cv2.resize(frame, small, interpolation=cv2.INTER_AREA),
        face / COLOUR_SHRINK,
        cv2.resize(person.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST).astype(bool),
        colours,
    )
    labels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    labels[~person] = INDEX["background"]
    labels[person & (labels == INDEX["background"])] = INDEX["torso"]
    labels[polygon(shape, face, sets.FACE_OVAL) & person] = INDEX["skin"]
    for name, outline in (("brows", RIGHT_BROW), ("brows", LEFT_BROW), ("eyes", RIGHT_EYE), ("eyes", LEFT_EYE)):
        labels[polygon(shape, face, outline)] = INDEX[name]
    labels[polygon(shape, face, OUTER)] = INDEX["lips"]
    labels[_inner_mouth(shape, face)] = INDEX["mouth_interior"]
    return labels


def _by_colour(frame: np.ndarray, face: np.ndarray, person: np.ndarray, colours: Colours) -> np.ndarray:
    """Hair, skin, neck and torso outside the face oval by colour and place, on the coarse grid."""
    shape = frame.shape[:2]
    labels = np.where(person, INDEX["torso"], INDEX["background"]).astype(np.uint8)
    lab = to_lab(frame)
    skin, hair, torso = (cv2.GaussianBlur(cost, (0, 0), 1) for cost in colours.costs(lab))
    places = _places(shape, face)
    oval = polygon(shape, face, sets.FACE_OVAL) & person
    free = person & ~oval
    above, below = free & places.above_jaw & places.hair, free & ~places.above_jaw
    upper_hair = above & (hair <= skin)
    upper_hair &= ~_rim(upper_hair, (above & ~upper_hair) | oval, places.beside_face)
    # Bare shoulders look like the neck: there the place alone decides.
    clothes = skin if colours.tinted(colours.means[2][None, None])[0, 0] else torso
    neck = below & (skin < clothes + places.neck) & (skin < hair + 2 + places.neck) & colours.tinted(lab)
    # Beside and below the jaw long hair must look like hair and unlike clothes, be no thin line, and hang from above.
    lower_hair = _opened(below & ~neck & places.hair & (hair < torso - 1) & (hair + 1 < skin), 5)
    lower_hair &= _touching(lower_hair | upper_hair, upper_hair)
    neck = _opened(neck, 3)
    labels[above & ~upper_hair] = INDEX["skin"]
    labels[upper_hair | lower_hair] = INDEX["hair"]
    labels[neck & _touching(neck | oval, oval)] = INDEX["neck"]
    _keep_connected(labels, oval)
    _hang_on(labels)
    return labels


def _hang_on(labels: np.ndarray) -> None:
    """What is neither head nor joined to the torso at the picture's lower edge, but touches the head, moves with it: hair
    ornaments and earrings."""
    torso, edge = labels == INDEX["torso"], np.zeros(labels.shape, bool)
    edge[-1] = True
    loose = torso & ~_touching(torso, edge)
    near = cv2.dilate(_IN_HEAD[labels].astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    labels[_touching(loose, loose & near)] = INDEX["hair"]


def _rim(hair: np.ndarray, skin: np.ndarray, beside_face: np.ndarray) -> np.ndarray:
    """Where ears and cheeks mix with the background at their rim: thin, next to skin, no strand of hair."""
    near_skin = cv2.dilate(skin.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    return hair & ~_opened(hair, 5) & near_skin & beside_face


def _opened(mask: np.ndarray, size: int) -> np.ndarray:
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)).astype(bool)


def _touching(mask: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """The connected parts of `mask` that hold a pixel of `seed`."""
    count, components = cv2.connectedComponents(mask.astype(np.uint8))
    kept = np.zeros(count, bool)
    kept[np.unique(components[seed & mask])] = True
    kept[0] = False
    return kept[components]


def _inner_mouth(shape: tuple[int, int], face: np.ndarray) -> np.ndarray:
    """The opening between the lips; empty when they touch (a polygon of no height would still fill a line)."""
    upper, lower = face[13, 1], face[14, 1]
    return polygon(shape, face, INNER) if lower - upper > 1.5 else np.zeros(shape, bool)


@dataclass(frozen=True)
class _Places:
    """Where a class may be, each [H, W]: `above_jaw` (down to the ear lobes), `beside_face` (brows to ear lobes), `hair` (its
    reach around the head), and `neck`: what the place is worth to it, in units of the colour costs, -inf where it cannot be."""

    above_jaw: np.ndarray
    beside_face: np.ndarray
    hair: np.ndarray
    neck: np.ndarray


def _places(shape: tuple[int, int], face: np.ndarray) -> _Places:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    chin, top = face[152, :2], face[10, :2]
    height = float(np.linalg.norm(chin - top))
    down = (chin - top) / height
    along = ((columns - top[0]) * down[0] + (rows - top[1]) * down[1]) / height
    across = np.abs((columns - top[0]) * down[1] - (rows - top[1]) * down[0]) / height
    half_width = float(np.linalg.norm(face[234, :2] - face[454, :2])) / height / 2
    aside, depth = across / half_width, np.maximum(along - 1, 0) / NECK_DEPTH
    neck = NECK_TRUST * (1 - aside**4) - NECK_DOUBT * depth**2
    return _Places(
        above_jaw=along < EAR_LOBE,
        beside_face=(along > 0.15) & (along < EAR_LOBE),
        hair=(across < 0.95 * HAIR_REACH) & (along > 0.4 - 1.35 * HAIR_REACH) & (along < HAIR_END),
        neck=np.where((aside < 1) & (depth < 1) & (along > EAR_LOBE), neck, -np.inf).astype(np.float32),
    )


def _keep_connected(labels: np.ndarray, oval: np.ndarray) -> None:
    """Hair, skin and neck must hang together with the face; islands become torso. Small holes are closed."""
    head = (_IN_HEAD[labels] | oval).astype(np.uint8)
    head = cv2.morphologyEx(head, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, components = cv2.connectedComponents(head | oval.astype(np.uint8))
    middle = components[oval]
    keep = components == (np.bincount(middle[middle > 0]).argmax() if (middle > 0).any() else -1)
    islands = _IN_HEAD[labels] & ~keep
    labels[islands] = INDEX["torso"]
    # Clothes that the head encloses are shadows under the chin or gaps between strands.
    closed = cv2.morphologyEx(keep.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    inside = cv2.drawContours(np.zeros_like(closed), outlines, -1, 1, cv2.FILLED).astype(bool)
    holes = inside & (labels == INDEX["torso"])
    near = cv2.dilate((labels == INDEX["hair"]).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    labels[holes & near] = INDEX["hair"]
    labels[holes & ~near] = INDEX["neck"]
