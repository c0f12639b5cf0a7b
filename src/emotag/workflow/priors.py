"""Which prior an avatar begins with, and what its rendered phase reads: asked by the rules through `Plan.priors`."""

from dataclasses import dataclass
from typing import Any, Protocol

from emotag.project import Config, check_corpus
from emotag.workflow.derived import base_of
from emotag.workflow.shipped import Shipped, choose

SYNTHETIC = "synthetic"
OF_CLIPS = "clips"
FIRST_FILE, RENDERED_FILE = "prior.safetensors", "rendered.safetensors"
# Files of an identity that belong to no clip.
OF_PEOPLE = ("subject.safetensors", "identity.safetensors", "geometry.safetensors")


class People(Protocol):
    """What has to be known of the people: `emotag.workflow.identities.Plan`."""

    config: Config

    def corpus(self) -> str: ...  # noqa: D102
    def person(self, identity: str) -> str: ...  # noqa: D102
    def left_out(self, identity: str) -> str: ...  # noqa: D102
    def adapt_clip(self, identity: str) -> str: ...  # noqa: D102
    def corpus_identity(self, clip: str) -> str: ...  # noqa: D102
    def corpus_without(self, left_out: str) -> dict[str, str]: ...  # noqa: D102
    def clip_file(self, identity: str, clip: str, file: str) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Priors:
    """The priors of a `plan`. Methods with `wildcards` are given to rules as they are."""

    plan: People
    shipped: Shipped | None = None

    def of(self, identity: str) -> str:
        """The prior that an identity starts from: the shipped one where it may, else one that is trained."""
        shipped, _ = self.choice(identity)
        return str(shipped.file) if shipped else self.trained(identity)

    def choice(self, identity: str) -> tuple[Shipped | None, str]:
        """The shipped prior, or None where an identity starts from a trained one; and why."""
        return choose(self.plan.config, self.shipped, self.plan.person(identity))

    def trained(self, identity: str) -> str:
        """The prior that would be trained for an identity, after its last phase."""
        base = f"results/prior/{self.plan.corpus()}"
        if not self.renders:
            return f"{base}/{self.plan.left_out(identity)}/{FIRST_FILE}"
        return f"{base}/{self.unseen(identity)}/{RENDERED_FILE}"

    def corpora(self, corpus: str, left_out: str) -> list[str]:
        """The corpora that a prior is trained on together."""
        check_corpus(self.plan.config)
        own = f"results/corpus/{corpus}/{left_out}.safetensors"
        beside = corpus == OF_CLIPS and self.plan.config.corpus.synthetic
        return [own, f"results/corpus/{SYNTHETIC}/all.safetensors"] if beside else [own]

    def to_ship(self) -> str:
        """The prior of synthetic people alone, after its last phase."""
        return f"results/prior/{SYNTHETIC}/all/{RENDERED_FILE if self.renders else FIRST_FILE}"

    @property
    def renders(self) -> bool:
        """Whether there is a rendered phase."""
        return self.plan.config.pretrain.rendered.iterations > 0

    def people(self, wildcards: Any) -> list[str]:
        """The identities whose pictures a rendered phase sees: those of the corpus' clips, or the synthetic corpus'."""
        if wildcards.corpus == OF_CLIPS:
            clips = self.plan.corpus_without(wildcards.left_out)
            return list(dict.fromkeys(self.plan.corpus_identity(clip) for clip in clips))
        talkers = self.plan.config.synthetic_corpus.people()
        return [name for name in talkers if wildcards.left_out != f"without-{name}"]

    def clips(self, wildcards: Any) -> list[str]:
        """The clip of each person of a rendered phase: the one they are adapted on."""
        return [self.plan.adapt_clip(name) for name in self.people(wildcards)]

    def unseen(self, identity: str) -> str:
        """As `Plan.left_out`, of the people in the pictures."""
        name = base_of(identity)
        of_talkers = self.plan.corpus() == SYNTHETIC and name in self.plan.config.synthetic_corpus.people()
        return f"without-{name}" if of_talkers else self.plan.left_out(identity)

    def first_phase(self, wildcards: Any) -> str:
        """The prior that a rendered phase begins with. The talkers of its corpus are nobody whom pictures show."""
        left_out = wildcards.left_out if wildcards.corpus == OF_CLIPS else "all"
        return f"results/prior/{wildcards.corpus}/{left_out}/{FIRST_FILE}"

    def rendered_file(self, wildcards: Any, file: str) -> list[str]:
        """A file of each person of a rendered phase: of the clip they are adapted on, or of themselves."""
        people = self.people(wildcards)
        if file in OF_PEOPLE:
            return [f"results/identities/{name}/{file}" for name in people]
        return [self.plan.clip_file(name, self.plan.adapt_clip(name), file) for name in people]
