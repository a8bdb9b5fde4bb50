"""Draw the picture of README.md and of the landing page: ``python docs/make_pictures.py``."""

from pathlib import Path

from matplotlib.figure import Figure

from tabular_inversion import Goals, Stochastic, invert, solve
from tabular_inversion.environments import four_rooms
from tabular_inversion.plotting import plot_error, plot_kernel, plot_values

PICTURE = Path(__file__).parent / "_static" / "fourrooms.png"
RIGHT = 1


def recovery_picture() -> Figure:
    """Draw windy FourRooms, and what comes back from the values of 68 goals, and of one goal."""
    world = four_rooms("windy")
    many = solve(world, Goals.indicator(world.n_states))
    one = solve(world, Goals.generic(world.n_states, 1, seed=0))
    corner = world.state_names.index("(1,9)")  # type: ignore[union-attr]
    figure = Figure(figsize=(9.6, 7.6), layout="constrained", dpi=100)
    figure.get_layout_engine().set(h_pad=0.1)  # type: ignore[union-attr]
    (truth, from_many, from_one), (values, error_many, error_one) = figure.subplots(2, 3)

    plot_kernel(world, action=RIGHT, ax=truth).set_title("the world: move right, with wind")
    plot_values(many.v[corner], world.coordinates, label="value", ax=values)
    values.set_title("what the agent shows: one goal")
    for inversion, goals, kernel_axes, error_axes in [
        (invert(many, Stochastic()), "68 goals", from_many, error_many),
        (invert(one, Stochastic()), "1 goal", from_one, error_one),
    ]:
        status = inversion.verdict.status.name.replace("_", " ")
        plot_kernel(inversion.kernel, world.coordinates, action=RIGHT, ax=kernel_axes)
        kernel_axes.set_title(f"from {goals}: {status}")
        plot_error(world, inversion, ax=error_axes).set_title(f"error: at most {inversion.max_error(world):.0e}")
    return figure


if __name__ == "__main__":
    recovery_picture().savefig(PICTURE, pil_kwargs={"optimize": True})
