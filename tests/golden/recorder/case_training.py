"""Gradients and train steps of a case."""
import dataclasses
import traceback

import numpy as np
import tensorflow as tf

from case_config import EXIT_TRAIN, EXIT_UPDATE, one_line
from case_params import param_name
from case_runs import RUNS, close, same

DEFAULT_STEPS = 3


@dataclasses.dataclass
class Gradients:
    """{parameter: tensor} each, as RETURNN's updater computed them."""

    objective: dict
    meta: dict  # of the meta losses: a second update of the same step
    processed: dict  # what goes into the optimizer after clipping etc.; empty with meta losses, where it is not told apart

    def fetches(self):
        return {"objective": self.objective, "meta": self.meta, "processed": self.processed}


def gradients_of(calls):
    """The Gradients in what the updater was seen to compute (UpdaterCalls); None if it computed nothing."""
    if not calls.gradients:
        return None
    first, *others = [{param_name(var): dense(grad) for grad, var in call if grad is not None} for call in calls.gradients]
    meta = {name: gradient for call in others for name, gradient in call.items()}
    processed = {}
    if not others:
        processed = {param_name(variable): dense(gradient) for call in calls.applied for gradient, variable in call}
    return Gradients(first, meta, processed)


def dense(gradient):
    """A tensor of the variable's shape also where only some rows have a gradient."""
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def put_gradients(session, start, gradients, recording, verbose):
    """Records /grads and its kin. True if the gradients of training are random: then there is only /grads_eval."""
    is_random = False
    try:
        runs = []
        for _ in range(RUNS):
            start.reset()
            runs.append(session.run(gradients.fetches(), True))
        first, *others = runs
        is_random = any(
            not close(first[kind][name], run[kind][name]) for run in others for kind in ("objective", "meta") for name in first[kind]
        )
        start.reset()
        in_eval = session.run(gradients.objective, False)
        if is_random:
            recording.notes.append("train gradients are random; see /grads_eval")
        else:
            put_train_gradients(first, recording)
        start.reset()
        again = session.run(gradients.objective, False)
        differs = is_random or not all(close(value, first["objective"][name]) for name, value in in_eval.items())
        if differs and all(close(value, again[name]) for name, value in in_eval.items()):
            put_all(recording, "/grads_eval/", in_eval)
    except Exception as error:
        if verbose:
            traceback.print_exc()
        recording.fail(EXIT_TRAIN, "grads: %s" % one_line(error))
    return is_random


def put_train_gradients(fetched, recording):
    """Records /grads, /grads_meta, and /grads_processed if it differs."""
    put_all(recording, "/grads/", fetched["objective"])
    put_all(recording, "/grads_meta/", fetched["meta"])
    if any(not same(value, fetched["objective"].get(name)) for name, value in fetched["processed"].items()):
        put_all(recording, "/grads_processed/", fetched["processed"])


def put_all(recording, prefix, values):
    for name, value in values.items():
        recording.put(prefix + name, value)


def put_train_steps(session, start, recording, verbose):
    """Records /after: updates with always the same batch, the optimizer's state from zero."""
    steps = int(session.case.options.get("train_steps", DEFAULT_STEPS))
    updater = session.updater
    if updater is None or steps <= 0:
        return
    try:
        start.reset()
        params = {param_name(variable): variable for variable in session.params}
        # The same fetches as in RETURNN's engine: objective and meta losses are those before the update.
        fetches = {"op": updater.optim_op, "loss": session.objective, "meta": dict(updater.optim_meta_losses_dict or {})}
        for step in range(1, steps + 1):
            fetched = session.run(fetches, True)
            recording.put("/after/%i/objective" % step, fetched["loss"])
            put_all(recording, "/after/%i/meta/" % step, fetched["meta"])
            if step in (1, steps):
                values = session.tf_session.run(params)
                put_all(recording, "/after/%i/params/" % step, {name: np.asarray(value) for name, value in values.items()})
        recording.attributes["lr_effective"] = float(session.run(updater.learning_rate, True))
    except Exception as error:
        if verbose:
            traceback.print_exc()
        recording.fail(EXIT_UPDATE, "train steps: %s" % one_line(error))
