"""Which files and jobs belong to an identity."""

from emotag.project import resolve
from emotag.workflow.identities import Plan

TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}


def plan(corpus=(), **identities) -> Plan:
    settings = {name: {**TERMS, **identity} for name, identity in identities.items()}
    return Plan(resolve({"identities": settings, "corpus": {"clips": list(corpus)}}, cuda=False))


def test_shared_work_is_that_of_the_prior_in_use():
    assert plan().shared_jobs("demo") == [
        "head/shared", "demo/shared", "lips/shared", "corpus/shared", "pretrain/synthetic@all@shared"
    ]  # fmt: skip
    mine = plan(["me", "you"], me={"video": "me.mp4"}, you={"video": "you.mp4"})
    assert mine.shared_jobs("me") == [
        "head/shared", "lips/shared", "corpus_clips/without-me@shared", "pretrain/clips@without-me@shared"
    ]  # fmt: skip
    assert mine.prior_of("me") == "results/prior/clips/without-me/prior.safetensors"
    assert mine.shared_jobs("demo")[-1] == "pretrain/clips@all@shared"
