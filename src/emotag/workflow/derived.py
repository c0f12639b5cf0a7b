"""Identities and drives that tables need and nobody declares: what they are stands in their names.

`anna--angry-5000ms` is anna adapted on the first 5 s of her clip `angry`; `self-angry-2000-9000ms` is a drive by seconds
2 to 9 of that clip. Every process understands them without being told, since jobs read the configuration anew.
"""

import re
from collections.abc import Iterable

from emotag.people import AdaptPart, Identity, TestPart

MARK = "--"
_ADAPTED = re.compile(r"(?P<clip>.+)-(?P<ms>\d+)ms")
_SPAN = re.compile(r"(?P<clip>.+?)-(?:first-(?P<first>\d+)|from-(?P<start>\d+)|(?P<a>\d+)-(?P<b>\d+))ms")


def derived_name(identity: str, clip: str, seconds: float) -> str:
    """Name of `identity` adapted on the first `seconds` of `clip`."""
    return f"{identity}{MARK}{clip}-{round(seconds * 1000)}ms"


def base_of(name: str) -> str:
    """The declared identity behind a name."""
    return name.partition(MARK)[0]


def derive(name: str, base: Identity) -> Identity:
    """The identity a derived `name` stands for, from the declared one.

    Raises:
        KeyError: the name is not one of its.
    """
    stem, _, adapted = name.partition(MARK)
    clips = base.clips or {stem: base.video or ""}
    match = _ADAPTED.fullmatch(adapted)
    if not match or match["clip"] not in clips:
        raise KeyError(f"{name!r}: no identity and none adapted on a clip of one ({', '.join(clips)})")
    own = base.adapt_on.clip or next(iter(clips))
    start_s = base.adapt_on.start_s if match["clip"] == own else 0.0
    part = AdaptPart(clip=match["clip"], start_s=start_s, seconds=int(match["ms"]) / 1000)
    changed = {"person": base.person or stem, "video": None, "clips": clips, "adapt_on": part, "test_on": []}
    return base.model_copy(update=changed)


def part_named(name: str, clips: Iterable[str]) -> TestPart:
    """The inverse of `TestPart.name`.

    Raises:
        KeyError: the name is that of no part of `clips`.
    """
    known = set(clips)
    if name in known:
        return TestPart(clip=name)
    match = _SPAN.fullmatch(name)
    if not match or match["clip"] not in known:
        raise KeyError(f"{name!r}: no part of a clip ({', '.join(sorted(known))})")
    first, start, a, b = (
        None if value is None else int(value) / 1000 for value in match.group("first", "start", "a", "b")
    )
    begin = start if a is None else a
    return TestPart(clip=match["clip"], start_s=begin, seconds=first if a is None or b is None else b - a)
