"""Six sentences about values and worlds: three are theorems, three look like it."""

from itertools import combinations

from proofs_checks import Conjecture
from proofs_checks.digraphs import no_repeats
from tabular_inversion import Stochastic, exact, identify
from tabular_inversion.sufficiency import linkage


def is_identified(instance):
    return identify(instance.agent, Stochastic(), scope="uniform").status.name == "IDENTIFIED"


def rank(instance):
    return exact.rank(instance.agent.test_matrix).rank


def one_policy(instance):
    return instance.policy is not None and instance.policy.ndim == 2


def goes_on(instance):
    return bool((instance.goals.continuation == 1).all())


def pays_once(instance):
    """Each goal pays in one state of its own, and goes on everywhere else."""
    paid = instance.goals.rewards != 0
    return bool((paid.sum(axis=1) == 1).all() and (paid.sum(axis=0) <= 1).all()) and bool(
        (instance.goals.continuation[~paid] == 1).all()
    )


def is_sure(instance):
    return bool(((instance.world.kernel == 0) | (instance.world.kernel == 1)).all())


def paths_give_rank(instance):
    """For any two states: the rank of their columns of M is the number of disjoint paths to goals."""
    world, goals = instance.world.to_float(), instance.goals.to_float()
    for pair in combinations(range(world.n_states), 2):
        found = len(linkage(world, goals, sources=pair, policy=instance.policy > 0))
        if exact.rank(instance.agent.test_matrix[:, pair]).rank != found:
            return False
    return True


def entered(instance):
    """Some action that the policy takes leads to every goal."""
    taken = (instance.world.kernel > 0) & (instance.policy > 0)[:, :, None]
    return bool(taken.any(axis=(0, 1))[(instance.goals.rewards != 0).any(axis=0)].all())


def two_ways(instance):
    """The moves on a connected graph: every edge can be gone back."""
    edges = (instance.world.kernel > 0).any(axis=1)
    reach = edges | (edges @ edges)
    for _ in edges:
        reach = reach | (reach @ edges)
    return bool((edges == edges.T).all() and not edges.diagonal().any() and reach.all())


UNIFORM = Conjecture(
    "uniform-rank",
    "All stochastic rows are identified if and only if [M;1] has rank n.",
    conclude=lambda i: is_identified(i) == (exact.rank(i.system).rank == i.world.n_states),
)

REWARDS = Conjecture(
    "rank-of-rewards",
    "Under one policy for goals that never end, M has the rank of the rewards.",
    hypotheses={"one policy for all goals": one_policy, "no goal ends the episode": goes_on},
    conclude=lambda i: rank(i) == exact.rank(i.goals.rewards).rank,
)

TERMINATING = Conjecture(
    "ending-indicators",
    "If every state is an indicator goal that ends on arrival, one policy identifies every world.",
    hypotheses={
        "one policy for all goals": one_policy,
        "every state is a goal": lambda i: i.goals.n_goals == i.world.n_states and pays_once(i),
        "goals end on arrival": lambda i: bool((i.goals.continuation[i.goals.rewards != 0] == 0).all()),
    },
    conclude=is_identified,
)

PATHS = Conjecture(
    "paths-give-rank",
    "For generic probabilities, two columns of M have as high a rank as there are disjoint paths to goals from "
    "the two states, whatever the policy.",
    hypotheses={
        "each goal pays in one state": pays_once,
        "one policy for all goals": one_policy,
        "every goal is entered": lambda i: one_policy(i) and entered(i),
        "a discount above 0": lambda i: i.world.discount > 0,
        "generic probabilities": lambda i: no_repeats(i.world.kernel),
    },
    conclude=paths_give_rank,
)

NEVER = Conjecture(
    "no-unlucky-discount",
    "In a deterministic world one fixed policy has no exceptional discount: what differs at 0 differs always.",
    hypotheses={
        "deterministic": is_sure,
        "one policy for all goals": one_policy,
        "one goal": lambda i: i.goals.n_goals == 1,
        "rewards differ": lambda i: len(set(i.goals.rewards[0])) == i.world.n_states,
    },
    conclude=lambda i: len(set(i.agent.test_matrix[0])) == i.world.n_states,
)

MOVES = Conjecture(
    "all-goals-suffice",
    "On a connected graph whose moves are sure, all nodes as goals that end on arrival identify every world.",
    hypotheses={
        "moves on a connected graph": lambda i: is_sure(i) and two_ways(i),
        "an optimal agent": lambda i: i.policy is None,
        "every state is a goal": lambda i: i.goals.n_goals == i.world.n_states and pays_once(i),
        "goals end on arrival": lambda i: bool((i.goals.continuation[i.goals.rewards != 0] == 0).all()),
        "a discount above 0": lambda i: i.world.discount > 0,
    },
    conclude=is_identified,
)
