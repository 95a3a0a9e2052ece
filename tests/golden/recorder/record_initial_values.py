#!/usr/bin/env python3
"""What RETURNN gives the parameters of a config before training: shapes, sums and some values, as JSON.

record_initial_values.py CONFIG OUT.json     with a Python that has returnn and tensorflow
"""
import json
import os
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from returnn import __main__ as rnn


def described(values):
    flat = values.astype(np.float64).ravel()
    some = flat[:: max(1, len(flat) // 4)][:5]
    return {"shape": list(values.shape), "sum": float(flat.sum()), "squares": float((flat * flat).sum()), "some": some.tolist()}


def main():
    config_file, out = sys.argv[1:3]
    rnn.init_config(config_file, [])
    rnn.init_log()
    rnn.init_backend_engine()
    from returnn.tf.engine import Engine

    engine = Engine(config=rnn.config)
    engine.init_train_from_config(rnn.config, None, None, None)
    params = {param.name[:-2]: engine.tf_session.run(param) for param in engine.network.get_params_list()}
    lines = [f" {json.dumps(name)}: {json.dumps(described(params[name]))}" for name in sorted(params)]
    with open(out, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
