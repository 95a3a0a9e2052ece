# Layer classes that the config registers itself, as papers' configs do: a template and TensorFlow code, with parameters.
import tensorflow as tf
from returnn.tf.layers.basic import LayerBase, _ConcatInputLayer, get_concat_sources_data_template, register_layer_class


class GaussWeightingLayer(_ConcatInputLayer):
    layer_class = "gauss_weighting"

    def __init__(self, width=1.0, **kwargs):
        super(GaussWeightingLayer, self).__init__(**kwargs)
        x = self.input_data.get_placeholder_as_batch_major()
        with self.var_creation_scope():
            center = self.add_param(tf.compat.v1.get_variable(
                name="center", shape=(self.input_data.dim,),
                initializer=tf.compat.v1.random_normal_initializer(mean=0.0, stddev=0.3)))
        self.output.placeholder = x * tf.exp(-tf.square((x - center) / width))

    @classmethod
    def get_out_data_from_opts(cls, name, sources, **kwargs):
        return get_concat_sources_data_template(sources, name="%s_output" % name).copy_as_batch_major()


class AddOneHotLayer(LayerBase):
    layer_class = "addonehot"

    def __init__(self, scale, **kwargs):
        super(AddOneHotLayer, self).__init__(**kwargs)
        a = self.sources[0].output.get_placeholder_as_batch_major()
        labels = self.sources[1].output.get_placeholder_as_batch_major()
        self.output.placeholder = a + scale * tf.one_hot(labels, depth=self.sources[1].output.dim)

    @classmethod
    def get_out_data_from_opts(cls, name, sources, **kwargs):
        return sources[0].output.copy_as_batch_major()


class HalvesLayer(_ConcatInputLayer):
    layer_class = "halves"
    recurrent = False

    def __init__(self, **kwargs):
        super(HalvesLayer, self).__init__(**kwargs)
        a, b = tf.split(self.input_data.placeholder, 2, axis=self.input_data.feature_dim_axis)
        self.output.placeholder = a * tf.sigmoid(b)

    @classmethod
    def get_out_data_from_opts(cls, name, sources, n_out=None, **kwargs):
        data = get_concat_sources_data_template(sources, name="%s_output" % name)
        return data.copy_template_replace_dim(axis=data.feature_dim_axis, new_dim=data.dim // 2)


for own in (GaussWeightingLayer, AddOneHotLayer, HalvesLayer):
    try:
        register_layer_class(own)
    except AssertionError:  # this file is read more than once in a process
        pass

extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "in": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "gauss": {"class": "gauss_weighting", "width": 0.7, "from": ["in", "data"], "L2": 0.1},
    "halves": {"class": "halves", "from": "gauss"},
    "small": {"class": "linear", "activation": None, "n_out": 3, "from": "halves"},
    "hot": {"class": "addonehot", "scale": 0.3, "from": ["small", "data:classes"]},
    "output": {"class": "softmax", "from": "hot", "loss": "ce"},
}
batch = {"seq_lens": {"data": [5, 3], "classes": [5, 3]}}
seed = 283
