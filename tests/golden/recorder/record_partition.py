#!/usr/bin/env python3
"""Which layers RETURNN itself moves out of its loops: record_partition.py CONFIG... > partition.json

A CONFIG is a Python file as for record_case.py, or a golden case, which holds one. Networks are constructed with the
train flag on, without search. {case: {rec layer: {"before": [...], "inside": [...], "after": [...]}}}, in RETURNN's order.
"""
import json
import os
import subprocess
import sys
import tempfile

import case_config


def construct(path):
    """Constructs the network of one config in this process and returns what its loops' cells decided."""
    from returnn.config import Config, set_global_config
    from returnn.tf.layers import rec
    from returnn.tf.network import TFNetwork
    from returnn.tf.util import basic as tf_util
    from returnn.util.basic import BehaviorVersion

    _, options = case_config.load_config(path)
    found = {}
    decide = rec._SubnetworkRecCell._move_outside_loop

    def remember(cell, *args, **kwargs):
        decide(cell, *args, **kwargs)
        name = cell.parent_rec_layer.get_absolute_name() if cell.parent_rec_layer else cell.parent_rec_name
        found[name] = {
            "before": list(cell.input_layers_moved_out),
            "inside": list(cell.layers_in_loop),
            "after": list(cell.output_layers_moved_out),
        }

    rec._SubnetworkRecCell._move_outside_loop = remember
    returnn_options = {k: v for k, v in options.items() if k not in case_config.ORACLE_OPTS}
    returnn_options.setdefault("device", "cpu")  # else RETURNN compiles its own ops for CUDA
    config = Config(returnn_options)
    set_global_config(config)
    if options.get("behavior_version") is not None:
        BehaviorVersion.set(options["behavior_version"])
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    with tf.Graph().as_default(), tf.compat.v1.Session():
        tf_util.setup_tf_thread_pools(num_threads=1)
        net = TFNetwork(config=config, rnd_seed=1, train_flag=True, eval_flag=True, search_flag=False)
        net.construct_from_dict(options["network"])
    return found


def config_file(path, folder):
    """The path of a config; that of a golden case is written out."""
    if not path.endswith(".h5"):
        return path
    import h5py

    out = os.path.join(folder, os.path.basename(path).replace(".golden.h5", ".py"))
    with h5py.File(path) as file, open(out, "w") as target:
        target.write(file["config"][()].decode())
    return out


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        found = construct(sys.argv[2])
        print("\nPARTITION " + json.dumps(found))
        return 0
    partitions = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in sys.argv[1:]:
            config = config_file(path, folder)
            run = subprocess.run([sys.executable, __file__, "--one", config], capture_output=True, text=True, timeout=300)
            lines = [line for line in run.stdout.splitlines() if line.startswith("PARTITION ")]
            name = os.path.basename(config).replace(".py", "")
            if not lines:
                print(f"{name}: {run.stderr[-300:]}", file=sys.stderr)
            elif json.loads(lines[0][10:]):
                partitions[name] = json.loads(lines[0][10:])
    json.dump(partitions, sys.stdout, indent=1, sort_keys=True)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
