"""Which arm a conversation is in: drawn from its root alone, so that every proxy draws the same.

A share is a part of the numbers that a hash of salt and root may be. The holdout is drawn from
another hash of the same salt, so that who is held out does not depend on the shares.
"""

from llmproxy_core.experiments.experiment import CONTROL, Experiment
from llmproxy_core.hashing import Hash, content_hash

ALL = 2.0**64
STICKY = frozenset({"won", "futile", "stopped", "promoted"})
"""After which a conversation keeps the arm that it began with: a change that goes away in the
middle of one costs its prompt cache. What has harmed goes away at once."""


def drawn(salt: str, root: Hash) -> float:
    """Uniform in [0, 1), the same for the same salt and root."""
    digest = content_hash(salt.encode("utf-8", "surrogatepass") + b"\0" + root)
    return int.from_bytes(digest[:8]) / ALL


def arm(experiment: Experiment, root: Hash, begun: float) -> str | None:
    """The arm of the conversation with a root that began at a time (seconds since 1970).

    None: it is in none, and nothing is changed. Conversations that began before the experiment
    are in none, so that nothing changes in their middle.
    """
    status = experiment.status
    if begun >= experiment.since("promoted"):
        found = experiment.promoted if status == "promoted" else None
        found = None if held_out(experiment, root) else found
    elif status == "running" or status in STICKY:
        found = _arm_at(experiment, root, begun)
    else:
        found = None
    return None if found in experiment.dropped else found


def held_out(experiment: Experiment, root: Hash) -> bool:
    """Is a conversation never changed, whatever wins?"""
    return drawn(_salt(experiment) + "\0holdout", root) < experiment.holdout


def _arm_at(experiment: Experiment, root: Hash, begun: float) -> str | None:
    if not experiment.since("running") <= begun < _ended(experiment):
        return None
    if held_out(experiment, root):
        return None
    place = drawn(_salt(experiment), root)
    for name in (CONTROL, *(one.name for one in experiment.variants)):
        place -= experiment.shares[name]
        if place < 0:
            return name
    return None


def _ended(experiment: Experiment) -> float:
    """Conversations that begin later are in no arm. One that has won goes on until it is
    promoted, so that nothing changes before somebody has decided."""
    return min(experiment.since("futile"), experiment.since("stopped"))


def _salt(experiment: Experiment) -> str:
    return experiment.salt or experiment.id
