"""Settings of the paper's tables as data: on what an avatar is adapted, on what it is tested, whose speech it speaks.

A setting and the declared identities give cases: one avatar and one drive each. What a clip is too short for is no case, and
what departs from the setting's letter is said in the case's note.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from emotag.config import Settings
from emotag.people import ClipLabel, TestPart
from emotag.project import clip_owners
from emotag.workflow.derived import derived_name
from emotag.workflow.identities import AUDIO, SELF, Plan

NEUTRAL = "neutral"
SAME_CLIP = "later part of the same clip"


class Setting(Settings):
    """One entry of `settings` in data/tables.yaml."""

    title: str
    emotion: Literal["neutral", "emotional", "any"] = Field("any", description="which clips, by their labels")
    adapt_s: float = Field(5.0, ge=1)
    test_s: float = Field(10.0, ge=1, description="longest test part; shorter ones than `least_s` are said")
    least_s: float = Field(3.0, ge=1)
    adapt_level: int | None = Field(None, ge=1, le=3)
    test_level: int | None = Field(None, ge=1, le=3)
    speech: Literal["own", "other_person", "other_language"] = "own"
    speeches: int = Field(3, ge=1, description="driving audio per avatar, where it is not the person's own")
    amounts_s: list[float] = Field(
        default_factory=list, description="tested behind the longest of these that the clip has"
    )


@dataclass(frozen=True)
class Case:
    """One avatar, one drive, of whom, and what is to be said of it."""

    identity: str
    drive: str
    person: str
    note: str = ""


def cases(plan: Plan, setting: Setting, seconds_of: Callable[[str], float | None]) -> list[Case]:
    """All cases of a setting, in the order of the identities. `seconds_of` a clip is None where it is not made yet."""
    chosen = plan.config.paper.identities or with_footage(plan)
    found: dict[tuple[str, str], Case] = {}
    for identity in chosen:
        for case in _of_identity(plan, setting, identity, seconds_of):
            found.setdefault((case.identity, case.drive), case)
    return list(found.values())


def with_footage(plan: Plan) -> list[str]:
    """Identities somebody declared; where there are none, the embedded one."""
    declared = [name for name in plan.config.identities if not plan.is_embedded(name)]
    return declared or list(plan.config.identities)


def _of_identity(plan: Plan, setting: Setting, identity: str, seconds_of) -> list[Case]:
    found = []
    for adapted, tested in _pairs(plan, setting, identity):
        start_s = plan.identity(identity).adapt_on.start_s if adapted == plan.adapt_clip(identity) else 0.0
        length = seconds_of(adapted)
        avatar = _avatar(plan, identity, adapted, setting.adapt_s)
        if setting.speech != "own":
            found += [
                Case(avatar, AUDIO + name, plan.person(identity), f"speech {name}")
                for name in _speeches(plan, setting, identity)
            ]
            continue
        if setting.amounts_s:
            part, note = _behind_all(setting, tested, start_s, length)
        else:
            part, note = _test_part(setting, tested, adapted == tested, start_s, seconds_of(tested))
        if part is not None:
            found.append(Case(avatar, SELF + part.name, plan.person(identity), note))
    return found


def _pairs(plan: Plan, setting: Setting, identity: str) -> list[tuple[str, str]]:
    """(clip adapted on, clip tested on): another clip of the same emotion and level, else the same clip."""
    clips = {clip: label_of(plan, identity, clip) for clip in plan.clips_of(identity)}
    clips = {clip: label for clip, label in clips.items() if _wanted(setting, label)}
    if setting.adapt_level is not None:
        return [
            (one, other)
            for one, label in clips.items()
            for other, tested in clips.items()
            if label.level == setting.adapt_level
            and (tested.emotion, tested.level) == (label.emotion, setting.test_level)
        ]
    own = plan.adapt_clip(identity)
    groups: dict[tuple, list[str]] = {}
    for clip, label in clips.items():
        groups.setdefault((label.emotion, label.level), []).append(clip)
    pairs = []
    for members in groups.values():
        adapted = own if own in members else members[0]
        others = [clip for clip in members if clip != adapted]
        pairs.append((adapted, others[0] if others and not setting.amounts_s else adapted))
    return pairs[:1] if setting.speech != "own" or setting.amounts_s else pairs


def label_of(plan: Plan, identity: str, clip: str) -> ClipLabel:
    """What is acted in a clip."""
    return plan.identity(identity).labels.get(clip, ClipLabel())


def _wanted(setting: Setting, label: ClipLabel) -> bool:
    return setting.emotion == "any" or (label.emotion == NEUTRAL) == (setting.emotion == NEUTRAL)


def _avatar(plan: Plan, identity: str, clip: str, seconds: float) -> str:
    """The declared identity where it is adapted on just that, else one derived of it."""
    usual = plan.identity(identity).adapt_on.seconds == seconds and plan.adapt_clip(identity) == clip
    return identity if usual else derived_name(identity, clip, seconds)


def _test_part(
    setting: Setting, clip: str, same: bool, start_s: float, length: float | None
) -> tuple[TestPart | None, str]:
    """The part tested on, or None where there is not a second of it."""
    notes = [SAME_CLIP] if same else []
    if length is None:
        return TestPart(clip=clip), "; ".join(notes)
    # Where less than a second would stay, stage adapt holds out the last third (`emotag.parts.adaptation_part`).
    left = length - start_s - setting.adapt_s if same else length
    if same and left < 1:
        left = length / 3
        notes.append(f"adapted on the first {2 * length / 3:.1f} s")
    if left < 1:
        return None, ""
    if left < setting.least_s:
        notes.append(f"only {left:.1f} s")
    return TestPart(clip=clip, seconds=setting.test_s if left > setting.test_s else None), "; ".join(notes)


def _behind_all(setting: Setting, clip: str, start_s: float, length: float | None) -> tuple[TestPart | None, str]:
    """The same seconds for every amount: behind the longest amount that leaves enough of the clip."""
    fitting = [amount for amount in setting.amounts_s if length and start_s + amount + setting.least_s <= length]
    if not fitting or setting.adapt_s > max(fitting):
        return None, ""
    begin = start_s + max(fitting)
    return TestPart(clip=clip, start_s=begin, seconds=min(setting.test_s, length - begin)), SAME_CLIP


def _speeches(plan: Plan, setting: Setting, identity: str) -> Sequence[str]:
    """Driving audio of other people, or in other languages: that of paper.speech, then other people's clips."""
    config, own = plan.config, plan.identity(identity).language
    spoken = {name: (None, speech.language) for name, speech in config.paper.speech.items()}
    for clip, (_, owner) in clip_owners(config.identities).items():
        if not plan.is_embedded(owner):
            spoken.setdefault(clip, (plan.person(owner), config.identities[owner].language))
    of_others = {name: language for name, (person, language) in spoken.items() if person != plan.person(identity)}
    if setting.speech == "other_language":
        of_others = {name: language for name, language in of_others.items() if language and own and language != own}
    else:
        of_others = {
            name: language for name, language in of_others.items() if not (language and own) or language == own
        }
    return list(of_others)[: setting.speeches]
