#!/usr/bin/env python3
"""Cuts the sample of the spoken digits that the quickstart and the tests use out of the full data sets.

Usage: make_sample.py FOLDER    (the folder with spoken-digits.train.hdf and spoken-digits.dev.hdf from make_spoken_digits.py)
"""

import os
import sys

import h5py

SEQUENCES = {"train": 100, "dev": 20}


def cut(source, target, num_seqs):
    with h5py.File(source, "r") as full, h5py.File(target, "w") as sample:
        lengths = full["seqLengths"][:num_seqs]  # columns: data, then the targets by name
        keys = sorted(full["targets/data"])
        sample.attrs.update(full.attrs)
        sample.attrs["numSeqs"] = num_seqs
        sample.attrs["numTimesteps"] = int(lengths[:, 0].sum())
        sample["seqLengths"] = lengths
        sample.create_dataset("seqTags", data=full["seqTags"][:num_seqs], dtype=full["seqTags"].dtype)
        sample["labels"] = full["labels"][...]
        write_numbers(sample, "inputs", full["inputs"][: lengths[:, 0].sum()])
        for column, key in enumerate(keys, start=1):
            write_numbers(sample, f"targets/data/{key}", full[f"targets/data/{key}"][: lengths[:, column].sum()])
            sample[f"targets/labels/{key}"] = full[f"targets/labels/{key}"][...]
        sizes = sample.create_group("targets/size")
        sizes.attrs.update(full["targets/size"].attrs)


def write_numbers(file, name, values):
    chunks = (min(1024, len(values)),) + values.shape[1:]
    file.create_dataset(name, data=values, chunks=chunks, compression="gzip", compression_opts=9, shuffle=True)


if __name__ == "__main__":
    for part, count in SEQUENCES.items():
        here = os.path.dirname(os.path.abspath(__file__))
        cut(os.path.join(sys.argv[1], f"spoken-digits.{part}.hdf"), os.path.join(here, f"spoken-digits.sample.{part}.hdf"), count)
