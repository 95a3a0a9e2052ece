# Element-wise functions of TensorFlow beyond the usual ones: as activations, in eval strings, and as kinds of combine.
extern_data = {"data": {"dim": 3}, "classes": {"dim": 2, "sparse": True}}
network = {"in": {"class": "linear", "activation": "sigmoid", "n_out": 3, "from": "data"},
           "in2": {"class": "linear", "activation": "0.9*sigmoid", "n_out": 3, "from": "data"}}
used = []


def add(name, layer):
    network[name] = layer
    used.append(name)


for name in ("asin acos atan lgamma digamma erfc erfinv erfcinv ndtri bessel_i0 bessel_i0e bessel_i1 bessel_i1e gelu gelu2 "
             "gelu3 rint reciprocal_no_nan safe_exp lin_exp lin_exp_normed l1_normalized conj real angle zeros_like "
             "stop_gradient 2.0*atan").split():
    add("act_%s" % name.replace("*", "_"), {"class": "activation", "activation": name, "from": "in"})
for i, text in enumerate((
        "tf.atan2(source(0), source(1) - 0.5)", "tf.math.xlogy(source(0), source(1))",
        "tf.math.xlogy(tf.nn.relu(source(0) - 0.5), source(1))",
        "tf.math.xlog1py(source(0), source(1))", "tf.math.xdivy(tf.nn.relu(source(0) - 0.5), source(1))",
        "tf.math.divide_no_nan(source(0), tf.nn.relu(source(1) - 0.5))",
        "tf.math.multiply_no_nan(source(0), tf.nn.relu(source(1) - 0.5))",
        "tf.math.zeta(2.5, source(0) + source(1))", "tf.math.polygamma(1.0, source(0) + source(1))",
        "tf.math.polygamma(2.0, source(0) + source(1))", "tf.math.polygamma(tf.round(source(1) * 2), source(0))",
        "tf.stop_gradient(tf.truncatemod(source(0) * 3 - 2, source(1)))", "tf.stop_gradient(tf.truncatediv(source(0) * 3 - 2, source(1)))",
        "gelu(source(0) - source(1))", "tf.nn.gelu(source(0) - source(1))",
        "tf.where(tf.math.is_nan(source(0)), source(1), source(0))", "scaled_gradient(source(0), 0.3) * source(1)",
        "flip_gradient(source(0)) * source(1)", "tf.nn.l2_normalize(source(0) + source(1), axis=-1)",
        "source(0) * tf.math.reduce_std(source(1), axis=-1, keepdims=True)",
        "source(0) * tf.math.reduce_variance(source(1), axis=2, keepdims=True)",
        "source(0) + tf.norm(source(1), axis=-1, keepdims=True)", "tf.cumsum(source(0) * source(1), axis=-1)",
        "tf.cumsum(source(0) * source(1), axis=-1, exclusive=True, reverse=True)",
        "tf.nn.sigmoid_cross_entropy_with_logits(labels=source(0), logits=source(1))",
        "source(0) * tf.expand_dims(tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(source(0)), logits=source(1)), -1)",
        "maximum_with_identity_grad(source(0), 0.6) * source(1)", "source(0) * tf.sinh(source(1))",
        "tf.acosh(1.5 + source(0)) + tf.atanh(source(1) * 0.5)", "tf.math.lgamma(source(0) * 12 - 3.3) * source(1)",
        "tf.math.digamma(source(0) * 12 - 3.3) * source(1)", "tf.math.bessel_i1e(source(0) * 60 - 30) * source(1)",
        "tf.math.erfinv(source(0) * 1.98 - 0.99) * source(1)")):
    add("eval%i" % i, {"class": "eval", "eval": text, "from": ["in", "in2"]})
for kind in ("atan2 xlogy xlog1py xdivy divide_no_nan multiply_no_nan squared_difference floormod"
             .split()):
    add("combine_%s" % kind, {"class": "combine", "kind": kind, "from": ["in", "in2"]})
add("output", {"class": "softmax", "from": list(used), "loss": "ce"})
batch = {"seq_lens": {"data": [4, 3], "classes": [4, 3]}}
seed = 280
