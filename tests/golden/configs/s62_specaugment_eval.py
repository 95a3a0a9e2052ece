# Eval mode only is deterministic: the transform must leave evaluation unchanged.
extern_data = {"data": {"dim": 8}, "classes": {"dim": 4, "sparse": True}}
def _mask(x, batch_axis, axis, pos, max_amount):
    import tensorflow as tf
    ndim = x.get_shape().ndims
    n_batch = tf.shape(x)[batch_axis]
    dim = tf.shape(x)[axis]
    amount = tf.random.uniform(shape=(n_batch,), minval=1, maxval=max_amount + 1, dtype=tf.int32)
    pos2 = tf.minimum(pos + amount, dim)
    idxs = tf.expand_dims(tf.range(0, dim), 0)
    cond = tf.logical_and(tf.greater_equal(idxs, tf.expand_dims(pos, 1)), tf.less(idxs, tf.expand_dims(pos2, 1)))
    if batch_axis > axis:
        cond = tf.transpose(cond)
    cond = tf.reshape(cond, [tf.shape(x)[i] if i in (batch_axis, axis) else 1 for i in range(ndim)])
    from returnn.tf.util.basic import where_bc
    return where_bc(cond, 0.0, x)
def transform(data, network):
    import tensorflow as tf
    x = data
    from returnn.tf.compat import v1 as tf1
    def masked():
        n_batch = tf.shape(x)[0]
        pos = tf.random.uniform((n_batch,), minval=0, maxval=tf.shape(x)[1], dtype=tf.int32)
        return _mask(x, 0, 1, pos, 2)
    return network.cond_on_train(masked, lambda: x)
network = {
    "aug": {"class": "eval", "from": "data", "eval": "self.network.get_config().typed_value('transform')(source(0, as_data=False), network=self.network)"},
    "l": {"class": "linear", "activation": "relu", "n_out": 6, "from": "aug"},
    "output": {"class": "softmax", "from": "l", "loss": "ce"},
}
batch = {"seq_lens": {"data": [5, 3], "classes": [5, 3]}}
seed = 104
