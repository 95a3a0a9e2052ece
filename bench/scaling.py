#!/usr/bin/env python3
"""How long a step takes on N ranks: measured over links of known speed, and by a cost model that is fitted to that.

scaling.py measure WENDE [--out FILE]    up to 16 ranks on hosts of their own or shared (network namespaces, limited bandwidth, latency)
scaling.py fit FILE                      three numbers, and how far the model is off; runs on 16 ranks, those that compute, those with
                                         latency and those where ranks share hosts are not fitted
scaling.py predict                       8, 64, 512 GPUs with the figures in GPUS below

The ranks compute nothing to speak of: they sleep in the forward pass and at every gradient (WENDE_FAULT), as a host
waits for its GPU, so that 16 of them fit on two cores. What they send is real.
"""
import argparse
import itertools
import json
import math
import random
import re
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/fault"))
from fault_runs import Run
from hosts import Hosts

WIDTH = 512
CONFIG = """
task = "train"
train = {{"class": "Task12AXDataset", "num_seqs": {seqs}}}
num_inputs = 9
num_outputs = 2
network = {{"h0": {{"class": "linear", "activation": "tanh", "n_out": {width}, "from": "data"}},
{layers}
"output": {{"class": "softmax", "loss": "ce", "from": "h{last}", "target": "classes"}}}}
batch_size = 200
learning_rate = 0.001
num_epochs = 1
log_verbosity = 5
rank_check_interval = 0
"""
STEPS = 6
BUCKET_BYTES = 4 << 20  # src/collective/gradient_buckets.h


def parameter_bytes(layers):
    return 4 * (10 * WIDTH + layers * (WIDTH * WIDTH + WIDTH) + 2 * WIDTH + 2)


def step_seconds(wende, ranks, megabits, layers, forward_ms=0, backward_ms=0, latency=None, hosts=None, host_sums=1):
    """Median of the steps after the first; a batch has 200 frames, two sequences or so. latency in ms."""
    rows = "".join(f'"h{i + 1}": {{"class": "linear", "activation": "tanh", "n_out": {WIDTH}, "from": "h{i}"}},\n'
                   for i in range(layers))
    faults = [f"slow={ms}ms@rank{rank}:{phase}" for rank in range(ranks)
              for phase, ms in [("forward", forward_ms), ("backward", backward_ms)] if ms > 0]
    with tempfile.TemporaryDirectory() as folder, Hosts(hosts or ranks, megabits, latency) as network:
        config = Path(folder) / "scaling.config"
        config.write_text(CONFIG.format(seqs=4 * STEPS * ranks, width=WIDTH, layers=rows, last=layers))
        options = ["--mca", "mpi_yield_when_idle", "1", "-x", f"WENDE_HOST_SUMS={host_sums}"]
        if faults:
            options += ["-x", "WENDE_FAULT", "-x", "WENDE_ALLOW_FAULTS"]
        run = Run(wende, config, fault=",".join(faults), launcher=network.mpirun(ranks, wende, config, options=options))
        assert run.end(400) == 0, run.text
        steps = [float(x) for x in re.findall(r"loss \S+, ([0-9.]+) sec/step", run.text)]
        assert len(steps) >= STEPS, run.text
        return statistics.median(steps[1:STEPS])


def start_seconds(wende, ranks):
    """From the launch to the line of the first step, ranks sharing this machine."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "start.config"
        config.write_text(CONFIG.format(seqs=3 * ranks, width=WIDTH, layers="", last=0))
        run = Run(wende, config, ranks)
        seconds = run.wait_for("train epoch 1, step 0,", limit=120) - run.start
        assert run.end(120) == 0, run.text
        return seconds


def measure(options):
    grid = [dict(ranks=ranks, megabits=megabits, layers=layers)
            for ranks in (2, 4, 8) for megabits, layers in ((50, 2), (50, 8), (200, 8))]
    grid += [dict(ranks=16, megabits=50, layers=8), dict(ranks=16, megabits=200, layers=8)]
    # with computing to hide behind: 60 ms forward, 40 ms for each gradient (two per layer)
    grid += [dict(ranks=ranks, megabits=100, layers=8, forward_ms=60, backward_ms=40) for ranks in (1, 2, 4, 8)]
    grid += [dict(ranks=ranks, megabits=100, layers=layers, latency=latency)
             for ranks in (2, 4, 8) for layers, latency in ((2, 2), (2, 20), (8, 20))]
    grid += [dict(ranks=16, megabits=100, layers=2, latency=10),
             dict(ranks=4, megabits=100, layers=8, latency=20, forward_ms=60, backward_ms=40)]
    grid += [dict(ranks=ranks, megabits=100, layers=8, hosts=hosts, host_sums=host_sums)
             for ranks, hosts in ((4, 2), (8, 2), (8, 4), (16, 4)) for host_sums in (1, 0)]
    with open(options.out, "w") as out:

        def put(**row):
            print(json.dumps(row), file=out, flush=True)
            print(json.dumps(row), flush=True)

        for ranks in (1, 2, 4, 8, 16):
            put(start=statistics.median(start_seconds(options.wende, ranks) for _ in range(3)), ranks=ranks)
        for row in grid:
            layers, forward_ms, backward_ms = row["layers"], row.get("forward_ms", 0), row.get("backward_ms", 0)
            put(ranks=row["ranks"], hosts=row.get("hosts", row["ranks"]), host_sums=row.get("host_sums", 1),
                megabits=row["megabits"], latency=row.get("latency", 0) / 1000, bytes=parameter_bytes(layers),
                forward=forward_ms / 1000, backward=backward_ms / 1000 * 2 * (layers + 2),
                seconds=step_seconds(options.wende, **row))


def bucket_sizes(size):
    full = [BUCKET_BYTES] * (size // BUCKET_BYTES)
    return full + [size - sum(full)] if size > sum(full) else full


def step_model(row, share, alpha, cpu):
    """Each bucket is summed over the hosts (reduce-scatter, allgather) when backward has made it and the link is free; it
    is there when its rounds are over, in which the next one already travels. Messages of this size are announced and
    asked for before they come: three times the latency. Then the step's losses are summed over the ranks. On one machine
    all hosts share the cores that copy and add: `cpu` seconds per byte sent by anybody."""
    hosts, ready, free, through = row["hosts"], 0.0, 0.0, 0.0
    rounds = math.ceil(math.log2(hosts))
    for size in bucket_sizes(row["bytes"]):
        ready += row["backward"] * size / row["bytes"]
        if hosts > 1:
            free = max(ready, free) + 2 * (hosts - 1) / hosts * size * (8 / (row["megabits"] * 1e6 * share) + hosts * cpu)
            through = free + (alpha + 3 * row["latency"]) * 2 * rounds
    return row["forward"] + max(row["backward"], through) + (alpha + row["latency"]) * rounds


def fit(rows):
    """Share of the link's speed that is reached, seconds per round, cpu: least squares of the logarithms."""
    grid = itertools.product([0.5 + 0.02 * i for i in range(26)], [0.0001 * 1.5 ** i for i in range(16)],
                             [0.0] + [2e-10 * 1.3 ** i for i in range(20)])
    return min(grid, key=lambda p: sum(math.log(step_model(row, *p) / row["seconds"]) ** 2 for row in rows))


def show_fit(options):
    rows = [json.loads(line) for line in open(options.file)]
    starts = [row for row in rows if "start" in row]
    rows = [row for row in rows if "seconds" in row]
    plain = [row for row in rows if row["hosts"] == row["ranks"]]
    fitted = [row for row in plain if row["ranks"] in (2, 4, 8) and row["backward"] == 0 and row["latency"] == 0]
    share, alpha, cpu = fit(fitted)
    print(f"{100 * share:.0f} % of the link's speed, {alpha * 1e3:.2f} ms per round, {cpu * 1e9:.1f} ns per byte and host\n")
    print("| ranks | Mbit/s | latency ms | MB | computing s | measured s | model s | off by | |\n|" + " --- |" * 9)
    for row in plain:
        model = step_model(row, share, alpha, cpu)
        word = "fitted" if row in fitted else "predicted"
        computing = row["forward"] + row["backward"]
        print(f"| {row['ranks']} | {row['megabits']} | {row['latency'] * 1000:.0f} | {row['bytes'] / 1e6:.1f} | "
              f"{computing:.2f} | {row['seconds']:.2f} | {model:.2f} | {100 * (model / row['seconds'] - 1):+.0f} % | {word} |")
    print("\n| ranks | hosts | Mbit/s | MB | all by MPI s | over hosts s | model s | off by |\n|" + " --- |" * 8)
    for row in rows:
        if row["hosts"] < row["ranks"] and row["host_sums"]:
            flat = next(other for other in rows if other == {**row, "host_sums": 0, "seconds": other.get("seconds")})
            model = step_model(row, share, alpha, cpu)
            print(f"| {row['ranks']} | {row['hosts']} | {row['megabits']} | {row['bytes'] / 1e6:.1f} | {flat['seconds']:.2f} | "
                  f"{row['seconds']:.2f} | {model:.2f} | {100 * (model / row['seconds'] - 1):+.0f} % |")
    print("\nstart to first step: " + ", ".join(f"{row['start']:.2f} s on {row['ranks']}" for row in starts))


# Figures that are not measured here: seconds of a step of one GPU (products at half of the peak of an H200 with TF32; the nets
# of bench/race.sh, 8,000 frames a step) and bytes of its gradients; bytes/s per GPU over NVLink 4 and over one 400 Gb/s
# port; seconds of a small collective inside a node, and more for each doubling of the nodes, there and back.
GPUS = {"step": {"ff": (0.0006, 10e6), "lstm": (0.0013, 21e6), "blstm": (0.0040, 74e6)},
        "inside": (370e9, 20e-6), "between": (45e9, 20e-6), "per_node": 8}


def hierarchical(ranks, size):
    """Reduce-scatter inside a node, the sum between nodes of an eighth by each GPU, allgather inside."""
    per_node, nodes = min(ranks, GPUS["per_node"]), max(1, ranks // GPUS["per_node"])
    bandwidth, latency = GPUS["inside"]
    seconds = latency + 2 * (per_node - 1) / per_node * size / bandwidth
    if nodes > 1:
        bandwidth, latency = GPUS["between"]
        seconds += latency * math.log2(nodes) + 2 * (nodes - 1) / nodes * (size / per_node) / bandwidth
    return seconds


def exposed_seconds(ranks, size, bucket, backward):
    buckets = max(1, math.ceil(size / bucket))
    one = hierarchical(ranks, size / buckets)
    return max(one, one * buckets - backward)


def batches(lengths, most_frames):
    """(steps in time, padded frames) of batches as RETURNN fills them: in order, up to batch_size padded frames."""
    longest = count = 0
    for length in lengths:
        if count and max(longest, length) * (count + 1) > most_frames:
            yield longest, longest * count
            longest = count = 0
        longest, count = max(longest, length), count + 1


def imbalance(ranks, bin_size, dice, most_frames=10000):
    """Mean over steps of largest / mean of N neighbouring batches: of steps in time, of padded frames."""
    lengths = [max(20, round(dice.lognormvariate(math.log(700), 0.5))) for _ in range(ranks * 400)]
    if bin_size > 1:  # "laplace": sorted in bins, up and down in turn
        bins = [sorted(lengths[i : i + bin_size], reverse=i // bin_size % 2 == 1) for i in range(0, len(lengths), bin_size)]
        lengths = [length for part in bins for length in part]
    every = list(batches(lengths, most_frames))
    steps = [every[i : i + ranks] for i in range(0, len(every) - ranks + 1, ranks)]
    return [statistics.mean(max(b[k] for b in step) / statistics.mean(b[k] for b in step) for step in steps) for k in (0, 1)]


def predict(_):
    print("| net | GPUs | allreduce ms | not hidden ms: buckets of 4 MB | of 16 MB | share of N times one GPU |\n|" + " --- |" * 6)
    for net, (step, size) in GPUS["step"].items():
        for ranks in (8, 64, 512):
            exposed = [exposed_seconds(ranks, size, bucket << 20, step * 2 / 3) for bucket in (4, 16)]
            print(f"| {net} | {ranks} | {hierarchical(ranks, size) * 1e3:.2f} | {exposed[0] * 1e3:.2f} | {exposed[1] * 1e3:.2f} | "
                  f"{100 * step / (step + min(exposed)):.0f} % |")
    dice = random.Random(1)
    print("\n| order | GPUs | longest batch / mean, in time | in padded frames |\n| --- | --- | --- | --- |")
    for order, bin_size in [("random", lambda n: 1), ("laplace, bins of 1000", lambda n: 1000),
                            ("laplace, bins of 200 N", lambda n: 200 * n)]:
        for ranks in (8, 64, 512):
            time, frames = imbalance(ranks, bin_size(ranks), dice)
            print(f"| {order} | {ranks} | {time:.2f} | {frames:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("measure")
    command.add_argument("wende")
    command.add_argument("--out", default="scaling.jsonl")
    command.set_defaults(run=measure)
    command = commands.add_parser("fit")
    command.add_argument("file")
    command.set_defaults(run=show_fit)
    commands.add_parser("predict").set_defaults(run=predict)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
