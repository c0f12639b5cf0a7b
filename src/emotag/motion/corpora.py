"""Several corpora as one: synthetic talkers beside the clips of real people.

With few real people the joint prior is better than that of either part: on left-out people three real talkers alone give
0.60 of lip aperture correlation, with 16 synthetic ones beside them 0.68 (16 real talkers: 0.66 and 0.69).
"""

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import replace

from emotag.artifacts import Corpus
from emotag.errors import ArtifactMismatch

SYNTHETIC = "synthetic"
ARRAYS = ("motion", "action_units", "emotion", "identity", "features", "prosody")


def is_synthetic(corpus: Corpus) -> bool:
    """Whether its people are talkers made by code."""
    return corpus.provider.split("/")[0] == SYNTHETIC


def join(corpora: Sequence[Corpus]) -> Corpus:
    """All clips of all corpora, which must speak the same motion and hear the same features.

    Raises:
        ArtifactMismatch: they do not, or two of them have a clip or a person of the same name.
    """
    first = corpora[0]
    for other in corpora[1:]:
        ours, theirs = described(first), described(other)
        if ours != theirs:
            raise ArtifactMismatch(f"corpora: found {theirs} beside {ours}, expected the same in all; make both again")
    for names_of in (lambda corpus: set(corpus.motion), lambda corpus: set(corpus.people.values())):
        names = [name for corpus in corpora for name in names_of(corpus)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ArtifactMismatch(
                f"corpora: found {', '.join(twice)} in more than one, expected different names; rename the identity or clip"
            )
    # Views, of which the last map comes first: nothing is read or copied.
    columns = {name: ChainMap(*(getattr(corpus, name) for corpus in reversed(corpora))) for name in ARRAYS}
    return replace(
        first,
        **columns,
        people={clip: person for corpus in corpora for clip, person in corpus.people.items()},
        offset_frames={clip: frames for corpus in corpora for clip, frames in corpus.offset_frames.items()},
        provider="+".join(corpus.provider for corpus in corpora),
    )


def described(corpus: Corpus) -> str:
    """What has to agree, for messages."""
    clip = min(corpus.motion)
    return (
        f"{corpus.head_model}, {len(corpus.motion_names)} channels ({corpus.motion_names[0]}, …), "
        f"{corpus.features[clip].shape[1]} features, identity of {len(corpus.identity[clip])}"
    )
