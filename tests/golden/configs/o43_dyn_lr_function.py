feature_tags = ["optimizer", "dyn_lr_function"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "L2": 0.01},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}

def rate(network, global_train_step, learning_rate, **kwargs):
    import tensorflow as tf

    step = tf.cast(global_train_step, tf.float32)
    return tf.where(tf.less(global_train_step, 1), learning_rate * 0.5, learning_rate * tf.pow(step, -0.5) * tf.cos(step))

updater = {"optimizer": {"class": "gradientdescent"}, "dynamic_learning_rate": rate, "learning_rate": 0.05}
train_steps = 3
seed = 243
