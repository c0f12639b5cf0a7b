"""The page beside the shipped prior, written from its card."""

from typing import Any

PAGE = """# The shipped prior

`{file}` ({megabytes:.1f} MB): how speech moves a face, learnt from synthetic talkers alone. An avatar begins with it where its
settings mean the same (`prior.source: auto`); see [docs/corpus.md](../../docs/corpus.md). This page and `synthetic.json` are
written with the file by

    snakemake --cores 2 shipped_prior

| | |
| --- | --- |
| what | motion network of {parameters} numbers for {channels} channels of head `{head_model}`, {phases} |
| sha256 | `{sha256}` |
| trained on | {people} talkers{actors} who do not exist, with synthetic voices ({voices}): no recording of anybody |
| code | commit `{commit}` |
| seeds | corpus {corpus_seed}, training {seed} |
| precision | float16; vectors, input statistics and the ridge float32 |
| lips on left-out talkers | correlation in motion space {ridge:.3f} (ridge), {network} (network); {used} |
| emotion on left-out actors | {emotion} |
| licence | Apache-2.0 as the project; its material is CC0 (head, texts, synthetic voices) |

Intended use: the start of an avatar's adaptation to a person who agreed to it. Not a speech recogniser, no judge of emotion
or identity. Known limits: it has heard no real voice; what it does for real people is in
[docs/results.md](../../docs/results.md). Emotions were acted by prototypes of action units.

Settings that shaped it: `settings` in `synthetic.json`; a test says when the code would train another.
"""


def page(card: dict[str, Any]) -> str:
    """Markdown."""
    scores, settings = card["scores"], card["settings"]
    rendered = scores.get("rendered_people")
    network, felt = scores.get("network"), scores.get("emotion")
    spoken = ["data/voices", *(["data/takes"] if rendered or felt else []), *(["data/moods"] if felt else [])]
    return PAGE.format(
        **{name: card[name] for name in ("file", "sha256", "parameters", "channels", "head_model", "commit")},
        megabytes=card["bytes"] / 1e6,
        voices=", ".join(spoken),
        actors=" and actors" if felt else "",
        emotion=emotion_of(felt) if felt else "not trained: residual and gate are shut",
        phases=f"then trained on pictures of {len(rendered)} of them" if rendered else "in motion space alone",
        people=len(card["people"]),
        corpus_seed=settings["talkers"]["seed"],
        seed=settings["pretrain"]["seed"],
        ridge=scores["ridge"],
        network="not trained" if network is None else f"{network:.3f}",
        used="the base branch is in use"
        if scores["network_used"]
        else "the base branch is shut, the ridge articulates",
    )


def emotion_of(felt: dict[str, Any]) -> str:
    """How far the latent agrees with the teacher, by the face's cues and by sound alone."""
    ways = (("seen in the cues", "seen"), ("heard alone", "heard"))
    return "; ".join(
        f"{words}: KL {felt[name]['kl']:.2f} nats, most likely class right in {felt[name]['top1']:.2f} of clips, gate's "
        f"correlation with 1 - p(neutral) {felt[name]['gate']:.2f}"
        for words, name in ways
    )
