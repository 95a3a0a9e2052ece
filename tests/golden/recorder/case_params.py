"""The state that every run of a case starts from: parameters with recorded values, everything else as RETURNN begins."""
import dataclasses
import typing

import numpy as np
import returnn.tf.compat as tf_compat
import tensorflow as tf
from returnn.tf.util.basic import get_global_random_generator

from case_config import name_seed

MOST_ENTRIES_FOR_ORTHOGONALITY = 1e6


@dataclasses.dataclass
class StartState:
    """Values of the parameters, and the operations that put the session into its state before the first run."""

    session: typing.Any
    values: dict  # name -> array
    attributes: dict  # name -> attributes of /params/<name>
    initialize: tf.Operation
    placeholders: dict  # name -> placeholder
    assign: tf.Operation

    def reset(self, overwrite=None):
        """All variables as at the start: accumulators, optimizer slots, step; parameters as recorded, or as `overwrite` has them.

        Not the state of the random generator: that it runs on shows what is random.
        """
        tf_session = self.session.tf_session
        tf_session.run(self.initialize)
        values = dict(self.values, **(overwrite or {}))
        tf_session.run(self.assign, feed_dict={self.placeholders[name]: value for name, value in values.items()})
        if self.session.updater is not None:
            self.session.updater.set_learning_rate(self.session.learning_rate, session=tf_session)


def param_name(variable):
    """RETURNN's name of a variable without ":0"."""
    return variable.name[:-2]


def make_start_state(session):
    """Values for all parameters. Everything that adds variables to the graph must be done by now."""
    session.draw_initial_values()
    generator = get_global_random_generator(create=False)
    resettable = [variable for variable in session.variables() if generator is None or variable is not generator.state]
    initialize = tf_compat.v1.variables_initializer(resettable)
    trainable = {variable.name for variable in session.net.get_trainable_params()}
    values, attributes = {}, {}
    for variable in session.params:
        name = param_name(variable)
        assert name not in values, "dup param %s" % name
        initial = session.tf_session.run(variable)
        values[name], formula = start_value(session.case, name, np.asarray(initial))
        facts = initial_facts(np.asarray(initial)) if isinstance(initial, (np.ndarray, np.floating)) else {}
        attributes[name] = {"trainable": int(variable.name in trainable), **facts, "gen": formula}
    placeholders, assign = assignment(session.params)
    return StartState(session, values, attributes, initialize, placeholders, assign)


def assignment(params):
    """{name: placeholder} and the operation that assigns them; it does nothing if there are no parameters."""
    with tf_compat.v1.name_scope("oracle"):
        placeholders = {param_name(var): tf_compat.v1.placeholder(var.dtype.base_dtype, var.shape) for var in params}
        assigns = [tf_compat.v1.assign(var, placeholders[param_name(var)], use_locking=True) for var in params]
        return placeholders, tf.group(tf.no_op(), *assigns)


def initial_facts(initial):
    """Attributes init_*: what RETURNN's own initial value is like; orth_err: largest entry of W^T W - I for the smaller side."""
    if initial.dtype.kind != "f" or not initial.size:
        return {}
    exact = initial.astype("float64")
    facts = {
        "init_mean": float(exact.mean()),
        "init_std": float(exact.std()),
        "init_min": float(exact.min()),
        "init_max": float(exact.max()),
        "init_const": int(exact.min() == exact.max()),
    }
    if exact.ndim == 2 and min(exact.shape) > 1 and exact.size < MOST_ENTRIES_FOR_ORTHOGONALITY:
        tall = exact if exact.shape[0] >= exact.shape[1] else exact.T
        facts["init_orth_err"] = float(np.abs(tall.T @ tall - np.eye(tall.shape[1])).max())
    return facts


def start_value(case, name, initial):
    """The value of a parameter and the formula of it. Random, so that zeros and ones of an initializer hide nothing."""
    if case.options.get("params_init", "random") != "random" or initial.dtype.kind != "f":
        return initial, "returnn initial value"
    scale = float(case.options.get("param_scale", 1.0))
    noise = np.random.RandomState(name_seed(case.seed, "param:" + name)).normal(size=initial.shape)
    base = name.rsplit("/", 1)[-1].lower()
    if "variance" in base or base.endswith("_var") or base == "var":
        value, formula = 1.0 + 0.3 * np.abs(noise), "1+0.3*abs(N)"
    elif "gamma" in base or base == "scale" or "sample_frame_count" in base:
        value, formula = 1.0 + 0.2 * noise, "1+0.2*N"
    elif initial.ndim >= 2:
        value = noise * (scale / np.sqrt(max(1.0, float(np.prod(initial.shape[:-1])))))
        formula = "N*scale/sqrt(prod(shape[:-1]))"
    else:
        value, formula = noise * (0.2 * scale), "0.2*scale*N"
    return np.asarray(value, dtype=initial.dtype), formula
