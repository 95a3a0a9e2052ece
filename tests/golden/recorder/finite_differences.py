"""Checks recorded gradients of a case by directional finite differences of its objective, in train mode."""
import numpy as np

STEPS = [3e-2, 1e-2, 3e-3]  # the best counts: large ones suffer from curvature, small ones from float32
SMALL_GRADIENT = 1e-7


def check_gradients(session, start, gradients, recording):
    """Prints a line for each parameter and direction; the worst relative error becomes attribute fd_worst_relerr."""
    start.reset()
    fetched = session.run(gradients.objective, True)
    random = np.random.RandomState(7)
    rows = []
    for name, gradient in sorted(fetched.items()):
        gradient = np.asarray(gradient, dtype="float64")
        norm = np.sqrt((gradient**2).sum())
        if norm < SMALL_GRADIENT:
            rows.append((name, "grad", 0.0, 0.0, 0.0))
        else:
            rows.append((name, "grad", *along(session, start, name, gradient, gradient / norm)))
        direction = random.normal(size=gradient.shape)
        direction /= np.sqrt((direction**2).sum())
        rows.append((name, "rand", *along(session, start, name, gradient, direction)))
    for row in rows:
        print("FD %-40s %-4s analytic %.6g numeric %.6g relerr %.3g" % row)
    worst = max([0.0, *[row[-1] for row in rows]])
    print("FD worst relerr %.3g" % worst)
    recording.attributes["fd_worst_relerr"] = worst
    start.reset()


def along(session, start, name, gradient, direction):
    """(derivative by the gradient, by the best finite difference, relative error) of a parameter in a direction."""
    analytic = float((gradient * direction).sum())
    at = start.values[name].astype("float64")
    floor = max(abs(analytic), 1e-3 * np.sqrt((gradient**2).sum()), 1e-3)

    def objective(shift):
        start.reset(overwrite={name: (at + shift).astype("float32")})
        return float(session.run(session.objective, True))

    numeric = [(objective(step * direction) - objective(-step * direction)) / (2 * step) for step in STEPS]
    best = min(numeric, key=lambda value: abs(value - analytic))
    return analytic, best, abs(best - analytic) / floor
