"""One case in RETURNN: its network and updater in a graph of their own, and runs of them."""
import contextlib
import dataclasses
import traceback
import typing

import returnn.tf.compat as tf_compat
import tensorflow as tf
from returnn.config import Config, set_global_config
from returnn.tf.network import TFNetwork
from returnn.tf.updater import Updater
from returnn.tf.util.basic import get_global_train_flag_placeholder
from returnn.util.basic import BehaviorVersion

import returnn_patches
from case_config import EXIT_CONFIG, EXIT_CONSTRUCT, CaseConfig, CaseError, one_line


@dataclasses.dataclass
class UpdaterCalls:
    """What RETURNN's updater computed while it built its step: the first call is the objective, others are meta losses."""

    gradients: list = dataclasses.field(default_factory=list)  # per call: [(gradient or None, variable)]
    applied: list = dataclasses.field(default_factory=list)  # per call: the same after clipping etc.


@dataclasses.dataclass
class ReturnnSession:
    """The constructed network with all its variables. `feed` and `n_batch` are set by case_inputs."""

    case: CaseConfig
    learning_rate: float
    behavior_version: int
    tf_session: tf.compat.v1.Session
    net: TFNetwork
    train_flag: typing.Any  # a placeholder, or False in search
    objective: typing.Any
    updater: typing.Optional[Updater] = None
    updater_error: str = ""
    calls: UpdaterCalls = dataclasses.field(default_factory=UpdaterCalls)
    params: list = dataclasses.field(default_factory=list)
    feed: dict = dataclasses.field(default_factory=dict)
    n_batch: int = 0

    @property
    def has_objective(self):
        return isinstance(self.objective, tf.Tensor)

    def run(self, fetches, train):
        """Fetches with the case's inputs; `train` is the train flag."""
        feed = dict(self.feed)
        if self.train_flag is not False:
            feed[self.train_flag] = train
        return self.tf_session.run(fetches, feed_dict=feed)

    def variables(self):
        """All variables that exist by now. Some, e.g. the global step, are not in TensorFlow's collection."""
        found = list(tf_compat.v1.global_variables())
        known = {id(variable) for variable in found}
        for variable in list(self.net.get_auxiliary_params()) + self.params:
            if id(variable) not in known:
                known.add(id(variable))
                found.append(variable)
        return found

    def draw_initial_values(self):
        """RETURNN's own initial values for all variables."""
        self.tf_session.run(tf_compat.v1.variables_initializer(self.variables()))


def open_session(case, recording, args):
    """Constructs a case in the default graph (see new_graph) as RETURNN's engine does.

    CaseError where RETURNN cannot. A fault of the updater is only noted: outputs and losses can be recorded without.
    """
    options = case.returnn_options()
    behavior_version = options.pop("behavior_version", None)
    if args.behavior_version is not None:
        behavior_version = args.behavior_version
    if behavior_version is not None:
        BehaviorVersion.set(int(behavior_version))
    config = Config(options)
    set_global_config(config)
    # One thread: sums in the same order in every run.
    tf_options = tf_compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    tf_session = tf_compat.v1.Session(config=tf_options)
    if case.options.get("tf1_image_summary"):
        returnn_patches.use_tf1_image_summary()
    net = construct_network(case, config, options["network"], args.verbose)
    session = ReturnnSession(
        case=case,
        learning_rate=float(options.get("learning_rate", 0.01)),
        behavior_version=BehaviorVersion.get(),
        tf_session=tf_session,
        net=net,
        train_flag=net.train_flag,
        objective=construct_objective(net, args.verbose),
    )
    net.set_run_opts(epoch=1, dataset_name="train")
    trainable = net.get_trainable_params()
    if session.has_objective and trainable and not args.no_train and session.train_flag is not False:
        construct_updater(session, config, trainable, recording, args.verbose)
    session.params = list(net.get_params_list())
    session.draw_initial_values()
    return session


@contextlib.contextmanager
def new_graph():
    """A graph that is the default one throughout a case: RETURNN adds to it in runs, too."""
    tf_compat.v1.reset_default_graph()
    with tf.Graph().as_default():
        tf_compat.v1.set_random_seed(42)
        yield


def construct_network(case, config, net_dict, verbose):
    if callable(net_dict):
        raise CaseError(EXIT_CONFIG, "network is a function")
    try:
        train_flag = False if case.searches else get_global_train_flag_placeholder()
        search = bool(case.options.get("search_flag"))
        net = TFNetwork(name="", config=config, rnd_seed=1, train_flag=train_flag, eval_flag=True, search_flag=search)
        net.construct_from_dict(net_dict)
        return net
    except Exception as error:
        if verbose:
            traceback.print_exc()
        raise CaseError(EXIT_CONSTRUCT, "construct: %s" % one_line(error))


def construct_objective(net, verbose):
    """The objective, before the updater, as in RETURNN's engine; a number if no layer has a loss."""
    try:
        return net.get_objective()
    except Exception as error:
        if verbose:
            traceback.print_exc()
        raise CaseError(EXIT_CONSTRUCT, "construct objective: %s" % one_line(error))


def construct_updater(session, config, trainable, recording, verbose):
    """Sets session.updater and session.calls; without an updater the rest of the case can still be recorded."""
    try:
        updater = Updater(config=config, network=session.net, initial_learning_rate=session.learning_rate)
        updater.set_trainable_vars(trainable)
        remember_calls(updater, session.calls)
        updater.get_optim_op()
        session.updater = updater
    except Exception as error:
        if verbose:
            traceback.print_exc()
        if "no single variable to train" in str(error):
            recording.notes.append("no gradient for any param: objective does not depend on trainable params")
        else:
            session.updater_error = one_line(error)


def remember_calls(updater, calls):
    """Keeps the gradients that RETURNN's updater computes, and what it makes of them."""
    compute_gradients, apply_gradients = updater._compute_gradients, updater._apply_gradients

    def compute(*args, **kwargs):
        gradients = list(compute_gradients(*args, **kwargs))
        calls.gradients.append(gradients)
        return gradients

    def apply(gradients, *args, **kwargs):
        gradients = list(gradients)
        calls.applied.append(gradients)
        return apply_gradients(gradients, *args, **kwargs)

    updater._compute_gradients, updater._apply_gradients = compute, apply
