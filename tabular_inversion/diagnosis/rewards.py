"""Rewards and ends of episodes that were learnt in another way than they are told."""

from __future__ import annotations

import numpy as np

from tabular_inversion.diagnosis.case import Case
from tabular_inversion.diagnosis.trials import Trial
from tabular_inversion.goals import Goals


def goal_states_untrained(case: Case) -> list[Trial]:
    """Leave out the rows of states whose arrival ends the episode, each under its own goal."""
    agent = case.agent
    ends = agent.goals.continuation == 0
    if not ends.any():
        return []
    known = np.broadcast_to(~ends[:, :, None], agent.q.shape)
    text = "only the rows of goal states are off: under its own goal nobody acts there, so they were never learnt"
    return [case.trial(text, "AgentValues.episodic(q, goals, discount)", known=known)]


def reward_on_leaving(case: Case) -> list[Trial]:
    """Read rewards as paid for leaving a state, the episode ending on arrival, or on leaving too."""
    agent = case.agent
    goals = agent.goals
    paid = np.repeat(goals.rewards[:, :, None], agent.n_actions, axis=2)
    if goals.action_rewards is not None:
        paid = paid + goals.action_rewards
    nothing = np.zeros_like(goals.rewards)
    change = "Goals(0 * rewards, {}action_rewards=np.repeat(rewards[:, :, None], n_actions, axis=2))"
    text = "the reward of a state is paid on leaving it, not on arrival"
    on_arrival = Goals(nothing, goals.continuation, paid, goals.names)
    trials = [case.trial(text, change.format("continuation, "), goals=on_arrival)]
    ends = goals.continuation == 0
    if ends.any():
        known = np.broadcast_to(~ends[:, :, None], agent.q.shape)
        later = Goals(nothing, np.where(ends, 1.0, goals.continuation), paid, goals.names)
        text += ", and the episode ends on leaving a goal"
        change = change.format("") + ", without the rows of goal states"
        trials.append(case.trial(text, change, goals=later, known=known, v=agent.v))
    return trials


def other_continuation(case: Case) -> list[Trial]:
    """Read episodes as going on at goals, or as ending where they are said to go on."""
    goals = case.agent.goals
    rewards, given = goals.rewards, goals.continuation
    best, worst = rewards.max(axis=1, keepdims=True), rewards.min(axis=1, keepdims=True)
    readings = [
        (np.ones_like(given), "episodes go on at goals: their end was forgotten", "Goals(rewards)"),
        (
            np.where((rewards == best) & (best > worst), 0.0, given),
            "arriving where a goal pays most was learnt as the end of the episode (truncation taken for termination)",
            "Goals(rewards, rewards < rewards.max(axis=1, keepdims=True))",
        ),
        (
            np.where(rewards != 0, 0.0, 1.0),
            "arriving where a goal pays anything was learnt as the end of the episode",
            "Goals(rewards, rewards == 0)",
        ),
    ]
    trials: list[Trial] = []
    for continuation, text, change in readings:
        if any(np.array_equal(continuation, t.agent.goals.continuation) for t in trials):
            continue
        if not np.array_equal(continuation, given):
            read = Goals(rewards, continuation, goals.action_rewards, goals.names)
            trials.append(case.trial(text, change, goals=read))
    return trials
