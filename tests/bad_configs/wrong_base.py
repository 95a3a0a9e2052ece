train = {"class": "Task12AXDataset", "num_seqs": 10}
extern_data = {"data": {"dim": 9}, "classes": {"dim": 2, "sparse": True}}
batch_size = 1000
network = {
    "output": {
        "class": "softmax", "loss": "ce", "from": "data",
        "dropot": 0.1}}
changed = lambda: network["nothing"]
