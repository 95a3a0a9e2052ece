#!/usr/bin/env python3
"""What RETURNN's LmDataset makes of the texts in this folder: tags and labels of two epochs, for the options in CASES.

record_lm.py > lm.json     with a Python that has returnn
"""
import json
import os
import sys

from returnn.datasets.lm import LmDataset
from returnn.log import log

FOLDER = os.path.dirname(os.path.realpath(__file__))
WORDS = '"corpus_file": "DATA/words.txt", "orth_symbols_map_file": "DATA/words.vocab", "word_based": True, "seq_end_symbol": "<sb>"'
CHARACTERS = '"corpus_file": "DATA/words.txt", "orth_symbols_file": "DATA/characters.vocab"'
CASES = ["{" + text + "}" for text in (
    WORDS + ', "unknown_symbol": "<unk>", "auto_replace_unknown_symbol": True, "seq_ordering": "random", "partition_epoch": 2,'
    ' "add_delayed_seq_data": True, "delayed_seq_data_start_symbol": "<sb>", "orth_replace_map_file": ""',
    WORDS + ', "unknown_symbol": "<unk>", "auto_replace_unknown_symbol": True, "orth_replace_map_file": "DATA/replace.json", "seq_ordering": "sorted"',
    WORDS + ', "unknown_symbol": None, "auto_replace_unknown_symbol": True, "seq_ordering": "laplace:.4", "tag_prefix": "seq-"',
    WORDS + ', "error_on_invalid_seq": False, "seq_ordering": "sorted_reverse"',
    WORDS.replace("words.txt", "more.txt.gz") + ', "unknown_symbol": "<unk>", "auto_replace_unknown_symbol": True, "seq_ordering": "sorted",'
    ' "parse_orth_opts": {"upper_case_special": False, "square_brackets_for_specials": False}',
    WORDS.replace('"DATA/words.txt"', 'lambda: ["DATA/words.txt", "DATA/more.txt.gz"]').replace('"DATA/words.vocab"', 'lambda: "DATA/words.dict"') +
    ', "unknown_symbol": "<unk>", "auto_replace_unknown_symbol": True, "seq_list_file": ["DATA/words.tags", "DATA/more.tags.gz"], "seq_ordering": "default"',
    CHARACTERS + ', "unknown_symbol": "?", "auto_replace_unknown_symbol": True, "word_end_symbol": "|", "seq_end_symbol": "$", "seq_ordering": "random"',
    CHARACTERS + ', "unknown_symbol": "?", "auto_replace_unknown_symbol": True, "seq_end_symbol": None, "skip_empty_lines": False',
)]


def sequences(options, epoch):
    dataset = LmDataset(**eval(options.replace("DATA", FOLDER)))
    dataset.init_seq_order(epoch=epoch)
    found, index = [], 0
    while sequence := dataset._collect_single_seq(index):  # as the public functions, but it knows where the skipped ones end
        found.append([sequence.seq_tag, *([int(label) for label in sequence.features[key]] for key in dataset.get_data_keys())])
        index += 1
    return found


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    log.initialize(verbosity=[1])
    cases = [{"options": options, "epochs": [sequences(options, epoch) for epoch in (1, 2)]} for options in CASES]
    out.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
