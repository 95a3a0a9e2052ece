# The option batch_norm of layers with a loss: values and errors of some losses are those of the scores, or of the activation, before it.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}, "dense": {"dim": 5}}
network = {"in": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}}
for _name, _loss, _target, _activation in [("ce", "ce", "classes", "softmax"), ("soft", "ce", "dense", "softmax"), ("mse", "mse", "dense", "softmax"), ("generic", "generic_ce", "classes", "sigmoid"), ("log", "mse", "dense", "log_softmax")]:
    for _version in [0, 2]:
        network["%s%i" % (_name, _version)] = {"class": "linear", "activation": _activation, "n_out": 5, "from": "in", "loss": _loss, "target": _target, "loss_scale": 0.3,
                                               "batch_norm": {"param_version": _version, "masked_time": _version == 0, "momentum": 0.2}}
batch = {"seq_lens": {"data": [6, 5, 3, 1], "classes": [6, 5, 3, 1], "dense": [6, 5, 3, 1]}, "values": {"dense": {"dist": "softmax"}}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 300
