# TensorFlow functions on whole tensors in eval strings: products, orders of elements, shifts of frames.
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {"a": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
           "b": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": "data"}}
used = []
for i, text in enumerate((
        "source(0) * tf.expand_dims(tf.einsum('btf,btf->bt', source(0), source(1)), -1)",
        "tf.einsum('bti,bsi,bsj->btj', source(0), source(1), source(1))",
        "tf.einsum('...i,ij->...j', source(0) + source(1), tf.eye(4) + tf.ones([4, 4]))",
        "tf.einsum('bti,btj->bti', source(0), source(1))", "tf.transpose(tf.einsum('bti,bti->tbi', source(0), source(1)), [1, 0, 2])",
        "tf.tensordot(source(0) + source(1), tf.eye(4) * 2.0 - tf.linspace(0.0, 1.0, 4), 1)",
        "tf.tensordot(source(0) * source(1), tf.eye(4), [[2], [1]])",
        "tf.sort(source(0), axis=-1) * source(1)", "tf.sort(source(0), direction='DESCENDING') + source(1)",
        "tf.reverse(source(0), [2]) * source(1)", "tf.reverse(source(0), axis=[1, 2]) * source(1)",
        "source(0)[:, ::-1] * source(1)", "tf.roll(source(0), 1, axis=2) * source(1)",
        "tf.roll(source(0), [1, -2], axis=[1, 2]) * source(1)",
        "tf.stack(tf.unstack(source(0), axis=-1)[::-1], axis=-1) * source(1)",
        "tf.add_n([source(0), source(1), source(0)])", "source(0) * tf.constant([1.0, 2.0, 0.5, -1.0]) + source(1)",
        "source(1) * [0.1, 0.2, 0.3, 0.4] + source(0)", "tf.clip_by_norm(source(0) + source(1), 0.7, axes=[-1])",
        "tf.concat([tf.zeros_like(source(0)[:, :1]), source(0)[:, :-1]], axis=1) * source(1)",
        "tf.pad(source(0)[:, 1:], [[0, 0], [0, 1], [0, 0]]) - source(1)",
        "tf.broadcast_to(source(0)[:, :1], tf.shape(source(0))) * source(1)",
        "tf.fill(tf.shape(source(0)), 0.5) * source(0) + source(1)",
        "tf.gather(source(0), [3, 0, 0, 2], axis=-1) * source(1)")):
    network["e%i" % i] = {"class": "eval", "eval": text, "from": ["a", "b"]}
    used.append("e%i" % i)
network["output"] = {"class": "softmax", "from": used, "loss": "ce"}
batch = {"seq_lens": {"data": [4, 3], "classes": [4, 3]}}
seed = 285
