"""Runs of a case without updates: outputs and losses in both modes, statistics, summaries and files that the net writes."""
import glob
import tempfile
import traceback

import numpy as np
import returnn.tf.compat as tf_compat
import tensorflow as tf

from case_config import EXIT_EVAL, EXIT_TRAIN, CaseError, one_line
from case_file import put_written_file
from case_outputs import prepared_output

RUNS = 3  # what is not equal in all of them is random
TRAIN_FLAG = {"eval": False, "train": True}


def same(one, other):
    """Whether two fetched values are equal bit for bit (any NaN equals any other)."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "SO":
        return bool(np.all(one == other))
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def close(one, other):
    """Whether two runs gave the same but for the order of summation (with one thread they are even bit-exact)."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape == other.shape and one.dtype.kind in "fc":
        return bool(np.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True))
    return same(one, other)


def run_modes(session, start, fetches, recording, verbose):
    """{"eval": results, "train": results}, RUNS each. CaseError if eval fails; if only train does it is left out."""
    results = {}
    for mode, train in TRAIN_FLAG.items():
        runs = []
        try:
            for _ in range(RUNS):
                start.reset()
                runs.append(session.run(fetches, train))
        except Exception as error:
            if verbose:
                traceback.print_exc()
            message = "%s run: %s" % (mode, one_line(error))
            if mode == "eval":
                raise CaseError(EXIT_EVAL, message)
            recording.fail(EXIT_TRAIN, message)
            break
        results[mode] = runs
    return results


def put_outputs(session, outputs, results, recording):
    """Records /outputs, /losses and /total but for what is random, which is listed in random_eval and random_train."""
    random = {mode: [] for mode in TRAIN_FLAG}
    for mode, (first, *others) in results.items():
        for name, output in outputs.items():
            fetched = first["layers"][name]
            if not all(close(fetched["values"], run["layers"][name]["values"]) for run in others):
                random[mode].append(name)
                continue
            values, attributes = prepared_output(name, output, fetched, session.n_batch, recording.notes)
            recording.put("/outputs/%s/%s" % (mode, name), values, **attributes)
        for path, value in first["losses"].items():
            if all(close(value, run["losses"][path]) for run in others):
                recording.put(path % mode, value)
            else:
                random[mode].append(path % mode)
    for mode, names in random.items():
        recording.attributes["random_" + mode] = "\n".join(names)


def put_stats(session, start, stats, recording):
    """Records /stats after one and after two runs from zero: they accumulate, so they are fetched on their own."""
    if not stats:
        return
    for mode, train in TRAIN_FLAG.items():
        start.reset()
        try:
            for suffix in ("", "__step2"):
                for path, value in session.run(stats, train).items():
                    recording.put((path % mode) + suffix, value)
        except Exception as error:
            recording.fail(EXIT_TRAIN, "stats: %s" % one_line(error))


def wants_summaries(case):
    return bool(case.options.get("tf1_image_summary")) or "image_summary" in (case.options.get("feature_tags") or ())


def put_summaries(session, start, merged, recording):
    """Records /summaries: images as PNG and as pixels [H,W,C], scalars; and the summary as TensorFlow writes it."""
    start.reset()
    serialized = session.run(merged, False)
    summary = tf_compat.v1.Summary()
    summary.ParseFromString(serialized)
    for value in summary.value:
        if value.HasField("image"):
            image = value.image
            size = {"height": image.height, "width": image.width, "colorspace": image.colorspace}
            recording.put("/summaries/%s/png" % value.tag, np.frombuffer(image.encoded_image_string, dtype="uint8"), **size)
            pixels = session.tf_session.run(tf.image.decode_png(image.encoded_image_string))
            recording.put("/summaries/%s/pixels" % value.tag, pixels)
        elif value.HasField("simple_value"):
            recording.put("/summaries/%s/value" % value.tag, np.float32(value.simple_value))
    recording.attributes["summary_tags"] = "\n".join(value.tag for value in summary.value)
    recording.put("/files/summary.pb", np.frombuffer(serialized, dtype="uint8"))
    recording.put("/files/events.out.tfevents", events_file(serialized))


def events_file(serialized):
    """[bytes]: the file that TensorFlow's writer makes of a summary."""
    with tempfile.TemporaryDirectory() as folder:
        writer = tf_compat.v1.summary.FileWriter(folder)
        writer.add_summary(serialized, global_step=0)
        writer.close()
        return np.fromfile(glob.glob(folder + "/*")[0], dtype="uint8")


def put_written_files(session, start, post, recording):
    """Runs what RETURNN runs after each step (e.g. hdf_dump) once in eval mode, and records the files of option `files`."""
    if not post:
        return
    start.reset()
    try:
        session.run(post, False)
        session.net.call_graph_reset_callbacks()
        session.net.set_run_finished()
    except Exception as error:
        recording.fail(EXIT_TRAIN, "post_control_dependencies: %s" % one_line(error))
    for name in session.case.options.get("files") or []:
        put_written_file(recording, name)
