"""A clip's tracks as VHAP exports them, for GaussianAvatars and its kin: vhap/transforms.json and what it names.

Reads a FLAME head, `Subject` (its adaptation part is the training division), `Tracks` and the clip's crop and alpha; writes the
folder of `out`. See `emotag.tracking.vhap_export`.
"""

from pathlib import Path

from emotag import stage
from emotag.artifacts import Subject, Tracks
from emotag.head.flame_data import FlameHeadData
from emotag.head.flame_head import FlameHead
from emotag.io.video import check_length, read_frames, read_gray
from emotag.tracking.vhap_export import write


def run(*, head: Path, subject: Path, tracks: Path, crop: Path, alpha: Path, clip: str, out: Path) -> None:
    """Export; `out` is the folder's transforms.json.

    Raises:
        ArtifactMismatch: the head is not FLAME, or the tracks are of another head.
    """
    model = FlameHead(FlameHeadData.load(head))
    tracked, person = Tracks.load(tracks), Subject.load(subject)
    count = len(tracked.expression)
    check_length(crop, count, tracks)
    training = person.part[1] if person.clip == clip else 0
    write(out.parent, model, tracked, zip(read_frames(crop), read_gray(alpha), strict=True), training)


if __name__ == "__main__":
    stage.main(run)
