"""Every adapter against the package itself: worlds that it made, both ways, and its own answers on ours."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse

from tabular_inversion import MDP, Goals, Supported, solve
from tabular_inversion.environments import chain, graph, random_mdp
from tabular_inversion.errors import GoalsError, InputError, KernelError, ShapeError
from tabular_inversion.interop import (
    enumerate_environment,
    from_dataframe,
    from_dict,
    from_gymnasium,
    from_mdpsolver,
    from_mdptoolbox,
    from_networkx,
    from_quantecon,
    from_stormpy,
    from_transitions,
    to_dataframe,
    to_dict,
    to_gymnasium,
    to_mdpsolver,
    to_mdptoolbox,
    to_quantecon,
    to_stormpy,
    to_transitions,
)


def masked(seed, *, named=False):
    """Draw a sparse world in which the last action is missing in every second state."""
    world = random_mdp(7, 3, branching=3, seed=seed, discount=0.9)
    available = np.ones((7, 3), bool)
    available[::2, 2] = False
    kernel = np.where(available[:, :, None], world.dense().kernel, 0.0)
    names = tuple(f"({i}, {i % 2})" for i in range(7)) if named else None
    return MDP(csr_matrix(kernel.reshape(-1, 7)), 0.9, available, names)


def continuing(n, seed):
    return Goals(np.random.default_rng(seed).normal(size=(2, n)))


def same_kernel(first, second):
    np.testing.assert_array_equal(first.dense().kernel, second.dense().kernel)
    np.testing.assert_array_equal(first.available, second.available)


class TestQuantEcon:
    quantecon = pytest.importorskip("quantecon")

    def test_a_program_of_its_own_comes_back_and_has_its_own_values(self):
        from quantecon.markov import DiscreteDP, random_discrete_dp

        program = random_discrete_dp(6, 3, beta=0.9, k=3, random_state=0)
        found = from_quantecon(program)
        value = program.solve(method="policy_iteration").v
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).v[0], value, atol=1e-10)
        again = to_quantecon(found.mdp.dense(), found.native_goals)
        np.testing.assert_allclose(again.Q, program.Q, atol=1e-15)
        np.testing.assert_array_equal(again.R, program.R)
        assert isinstance(again, DiscreteDP)

    @pytest.mark.parametrize("dense", [True, False])
    @pytest.mark.parametrize("seed", range(5))
    def test_worlds_come_back_with_their_missing_actions(self, dense, seed):
        world = masked(seed)
        goals = continuing(7, seed)
        program = to_quantecon(world.dense() if dense else world, goals, 1)
        assert issparse(program.Q) != dense
        found = from_quantecon(program)
        same_kernel(found.mdp, world)
        expected = solve(world, goals.select(1)).v
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).v, expected, atol=1e-10)

    def test_rows_that_sum_to_two_are_refused_as_quantecon_does_not(self):
        from quantecon.markov import DiscreteDP

        with pytest.raises(KernelError, match="state 0, action 0 sums to 2"):
            from_quantecon(DiscreteDP([[0.0], [0.0]], [[[1.0, 1.0]], [[0.0, 1.0]]], 0.9))

    def test_goals_that_end_are_refused_and_so_is_what_is_no_program(self):
        with pytest.raises(GoalsError, match="ends at state 6"):
            to_quantecon(masked(0), Goals.indicator(7, [6]))
        with pytest.raises(InputError, match="DiscreteDP"):
            from_quantecon(masked(0))


class TestMdptoolbox:
    toolbox = pytest.importorskip("mdptoolbox")

    @pytest.mark.parametrize("form", ["dense", "sparse", "list"])
    def test_its_own_examples_come_back_with_its_own_values(self, form):
        import mdptoolbox.example
        import mdptoolbox.mdp

        transitions, reward = mdptoolbox.example.forest(S=6, is_sparse=form == "sparse")
        if form == "list":
            transitions = list(transitions)
        found = from_mdptoolbox(transitions, reward, discount=0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solver = mdptoolbox.mdp.PolicyIteration(transitions, reward, 0.9)
            solver.run()
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).v[0], solver.V, atol=1e-10)
        back, paid = to_mdptoolbox(found.mdp.dense(), found.native_goals)
        np.testing.assert_array_equal(back, np.array([m.toarray() if issparse(m) else m for m in transitions]))
        np.testing.assert_allclose(paid, reward.toarray() if issparse(reward) else reward)

    def test_rewards_of_transitions_become_their_means(self):
        import mdptoolbox.example

        np.random.seed(0)  # noqa: NPY002  # the package draws from numpy's global state
        transitions, reward = mdptoolbox.example.rand(5, 2)
        found = from_mdptoolbox(transitions, reward, discount=0.5)
        expected = (transitions * reward).sum(axis=2).T
        np.testing.assert_allclose(found.native_goals.action_rewards[0], expected, atol=1e-14)

    def test_a_kernel_with_states_first_is_refused(self):
        with pytest.raises(ShapeError, match=r"one for each action"):
            from_mdptoolbox(random_mdp(5, 2, branching=2, seed=0, discount=0.9).dense().kernel, discount=0.9)

    def test_missing_actions_are_refused(self):
        with pytest.raises(InputError, match="action 2 is unavailable in state 0"):
            to_mdptoolbox(masked(0))


class TestMdpsolver:
    mdpsolver = pytest.importorskip("mdpsolver")

    @pytest.mark.parametrize("seed", range(3))
    def test_it_solves_our_worlds_as_we_do_and_they_come_back(self, seed):
        import mdpsolver

        world, goals = random_mdp(6, 2, branching=3, seed=seed, discount=0.9), continuing(6, seed)
        lists = to_mdpsolver(world, goals)
        model = mdpsolver.model()
        model.mdp(**lists)
        model.solve(tolerance=1e-10)
        np.testing.assert_allclose(model.getValueVector(), solve(world, goals.select(0)).v[0], atol=1e-7)
        names = {"rewards": "rewards", "tran_mat_probs": "tranMatProbs", "tran_mat_columns": "tranMatColumns"}
        found = from_mdpsolver(discount=0.9, **{ours: lists[theirs] for ours, theirs in names.items()})
        same_kernel(found.mdp, world)

    def test_both_forms_at_once_and_neither_are_refused(self):
        with pytest.raises(InputError, match="either"):
            from_mdpsolver(discount=0.9)
        with pytest.raises(KernelError, match="state 0, action 0 has 1 probabilities for 2"):
            from_mdpsolver(discount=0.9, tran_mat_probs=[[[1.0]]], tran_mat_columns=[[[0, 0]]])


class TestStormpy:
    stormpy = pytest.importorskip("stormpy", minversion="2.0")

    @pytest.mark.parametrize("seed", range(3))
    def test_worlds_and_rewards_come_back(self, seed):
        world, goals = masked(seed), continuing(7, seed)
        model = to_stormpy(world, goals, 1)
        assert (model.nr_states, model.nr_choices) == (7, int(world.available.sum()))
        found = from_stormpy(model, discount=0.9, reward_model="goal")
        same_kernel(found.mdp, world)
        expected = solve(world, goals.select(1)).v
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).v, expected, atol=1e-10)

    def test_an_unknown_reward_model_is_refused(self):
        with pytest.raises(InputError, match="no reward model 'x'; it has none"):
            from_stormpy(to_stormpy(masked(0)), discount=0.9, reward_model="x")


class TestNetworkx:
    @pytest.mark.parametrize("named", [True, False])
    def test_the_graph_that_we_write_comes_back_equal(self, named):
        world = masked(3, named=named)
        assert from_networkx(world.to_networkx(), discount=0.9).mdp == world

    def test_coordinates_come_back(self):
        import networkx as nx

        world = graph(nx.set_node_attributes(g := nx.path_graph(3), {i: (i, 0.5) for i in g}, "pos") or g)
        found = from_networkx(world.to_networkx(), discount=world.discount).mdp
        np.testing.assert_array_equal(found.coordinates, world.coordinates)

    def test_graphs_without_actions_or_probabilities_are_refused(self):
        import networkx as nx

        with pytest.raises(KernelError, match="MultiDiGraph"):
            from_networkx(nx.path_graph(3), discount=0.9)
        with pytest.raises(KernelError, match="has no probability"):
            from_networkx(nx.MultiDiGraph([(0, 0)]), discount=0.9)


class TestColumnsAndTables:
    @pytest.mark.parametrize("named", [True, False])
    def test_columns_come_back(self, named):
        world = masked(2, named=named)
        states = world.state_names or range(7)
        found = from_transitions(*to_transitions(world).values(), discount=0.9, states=states, actions=range(3))
        assert found.mdp == world

    def test_a_data_frame_comes_back(self):
        pytest.importorskip("pandas")
        world, goals = chain(5), Goals.indicator(5, [4])
        frame = to_dataframe(world, goals)
        assert list(frame.columns) == ["state", "action", "next_state", "probability", "reward", "terminated"]
        found = from_dataframe(frame, discount=world.discount)
        same_kernel(found.mdp, world)
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).q, solve(world, goals).q, atol=1e-12)

    def test_columns_of_other_names_or_lengths_are_refused(self):
        with pytest.raises(InputError, match="next_state expected"):
            from_dataframe({"state": [0], "action": [0], "to": [0], "probability": [1.0]}, discount=0.9)
        with pytest.raises(ShapeError, match="probability 2"):
            from_transitions([0], [0], [0], [0.5, 0.5], discount=0.9)
        with pytest.raises(KernelError, match=r"outcome 1 \(state 0, action 0\) has probability 2"):
            from_transitions([0, 0], [0, 0], [0, 0], [-0.0, 2.0], discount=0.9)

    @pytest.mark.parametrize(
        "table",
        [
            {0: {0: {0: 0.5, 1: 0.5}}, 1: {0: {1: 1.0}}},
            {0: {0: [(0.5, 0), (0.5, 1)]}, 1: {0: [(1.0, 1)]}},
            {0: {0: [(0.5, 0, 0.0), (0.5, 1, 0.0)]}, 1: {0: [(1.0, 1, 0.0)]}},
            {0: {0: [(0.5, 0, 0.0, False), (0.5, 1, 0.0, False)]}, 1: {0: [(1.0, 1, 0.0, False)]}},
            {(0, 0): {0: 0.5, 1: 0.5}, (1, 0): {1: 1.0}},
            {(0, 0): [(0.5, 0), (0.5, 1)], (1, 0): [(1.0, 1)]},
            [[[(0.5, 0), (0.5, 1)]], [[(1.0, 1)]]],
        ],
    )
    def test_every_spelling_of_a_table_is_the_same_world(self, table):
        assert from_dict(table, discount=0.9).mdp == MDP([[[0.5, 0.5]], [[0.0, 1.0]]], discount=0.9)

    def test_tables_come_back_with_tuples_for_states(self):
        table = {(0, 0): {"east": [(1.0, (0, 1))]}, (0, 1): {"west": [(0.25, (0, 0)), (0.75, (0, 1))]}}
        world = from_dict(table, discount=0.9).mdp
        assert world.state_names == ("(0, 0)", "(0, 1)")
        again = from_dict(to_dict(world), discount=0.9).mdp
        assert again == world

    def test_what_is_no_table_is_refused_with_its_place(self):
        with pytest.raises(KernelError, match="state 1 is entered"):
            from_dict({0: {0: {1: 1.0}}}, discount=0.9)
        with pytest.raises(KernelError, match="state 0, action 0 has 3"):
            from_dict({0: {0: 3}}, discount=0.9)
        with pytest.raises(KernelError, match="terminated is 7"):
            from_dict({0: {0: [(1.0, 0, 0.0, 7)]}}, discount=0.9)


class TestCounts:
    def test_frequencies_are_those_of_the_counts_and_rows_sum_to_one(self):
        counts = np.random.default_rng(0).integers(0, 9, size=(6, 2, 6))
        world = MDP.from_counts(counts, discount=0.9)
        np.testing.assert_allclose(world.dense().kernel, counts / counts.sum(axis=2, keepdims=True), atol=1e-15)
        assert (Supported.from_counts(counts).support.toarray() == (counts > 0).reshape(12, 6)).all()

    def test_rows_that_were_never_seen_are_refused_unless_told(self):
        counts = np.array([[[1, 0], [0, 0]], [[0, 1], [1, 1]]])
        with pytest.raises(InputError, match="state 0, action 1 was never seen"):
            MDP.from_counts(counts, discount=0.9)
        assert not MDP.from_counts(counts, discount=0.9, unvisited="unavailable").available[0, 1]
        with pytest.raises(InputError, match="at least 0"):
            MDP.from_counts(-counts, discount=0.9)
        with pytest.raises(ShapeError, match="expected"):
            MDP.from_counts(counts[0], discount=0.9)


class TestGymnasiumEnv:
    gymnasium = pytest.importorskip("gymnasium")

    def test_gymnasium_accepts_the_environment(self):
        from gymnasium.utils.env_checker import check_env

        world = chain(5)
        environment = to_gymnasium(world, Goals.indicator(5, [4]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check_env(environment, skip_render_check=True)
        found = from_gymnasium(to_gymnasium(world), discount=world.discount, terminal="continue")
        same_kernel(found.mdp, world)

    def test_steps_have_the_frequencies_of_the_kernel(self):
        world = MDP([[[0.25, 0.75]], [[1.0, 0.0]]], discount=0.9)
        environment = to_gymnasium(world, start=[1.0, 0.0])
        arrivals = []
        environment.reset(seed=0)
        for _ in range(4000):
            environment.s = 0
            arrivals.append(environment.step(0)[0])
        assert abs(np.mean(arrivals) - 0.75) < 5 * np.sqrt(0.25 * 0.75 / 4000)

    def test_unavailable_actions_raise_and_are_named(self):
        environment = to_gymnasium(masked(0), start=np.eye(7)[0])
        _, info = environment.reset(seed=0)
        assert info["action_mask"].tolist() == [1, 1, 0]
        with pytest.raises(InputError, match="action 2 is unavailable in state 0"):
            environment.step(2)

    @pytest.mark.parametrize("name", ["FrozenLake-v1", "CliffWalking-v1"])
    def test_stepping_finds_what_the_table_says(self, name):
        import gymnasium

        options = {"is_slippery": False}
        environment = gymnasium.make(name, **options)
        found, counts = enumerate_environment(environment, discount=0.9)
        table = from_gymnasium(environment, discount=0.9)
        assert MDP.enumerate(environment, discount=0.9) == found.mdp
        names = found.mdp.state_names or tuple(map(str, range(found.mdp.n_states)))
        order = [int(label) for label in names]
        there = table.mdp.dense().kernel[np.ix_(order, range(4), order)]
        np.testing.assert_array_equal(found.mdp.dense().kernel, there)
        assert counts.sum() == 4 * (found.mdp.n_states - (found.native_goals.continuation == 0).sum())
        values = solve(table.mdp, table.native_goals).v[0][order]
        np.testing.assert_allclose(solve(found.mdp, found.native_goals).v[0], values, atol=1e-12)

    def test_stochastic_steps_are_counted_with_independent_draws(self):
        import gymnasium

        lake = gymnasium.make("FrozenLake-v1", map_name=None, desc=["SF", "FG"])
        found, _ = enumerate_environment(lake, discount=0.9, samples=600, seed=1)
        table = from_gymnasium(lake, discount=0.9)
        order = [int(label) for label in found.mdp.state_names or range(4)]
        there = table.mdp.dense().kernel[np.ix_(order, range(4), order)]
        assert np.abs(found.mdp.dense().kernel - there).max() < 5 * np.sqrt(0.25 / 600)

    def test_too_many_states_are_refused(self):
        import gymnasium

        with pytest.raises(InputError, match="more than 5 states"):
            enumerate_environment(gymnasium.make("FrozenLake-v1", is_slippery=False), discount=0.9, max_states=5)
