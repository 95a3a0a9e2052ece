"""What is replaced in RETURNN because TensorFlow 2.15 has it otherwise than RETURNN's code expects, and nothing else.

These are the only places where the recorded numbers are not those of plain RETURNN ("Shims" in tests/golden/README.md).
"""
import types

import returnn.tf.compat as tf_compat
import returnn.tf.layers.basic as basic_layers
import returnn.tf.updater as returnn_updater
import tensorflow as tf
from returnn.tf.layers.base import LayerBase

legacy_optimizers = tf.keras.optimizers.legacy


def apply_patches():
    """Those which every case needs."""
    patch_optimizers()
    patch_darc1()


def patch_darc1():
    """RETURNN's darc1 uses tf.where(mask [N], x [N,F], ..) with the meaning of TF1; under TF2 that fails at run time."""

    def get_darc1(layer):
        """max_F sum_N |x|, the mask [N,1] broadcast explicitly."""
        with tf.name_scope("darc1"):
            before = layer.output_before_activation
            values = before.x if before else layer.output.placeholder
            mask = layer.output.get_sequence_mask()
            frames = tf.size(mask)
            mask = tf.reshape(mask, (frames, 1))
            values = tf.reshape(values, (frames,) + layer.output.shape[1:])
            values = tf.where(mask, tf.abs(values), tf.zeros_like(values))
            return tf.reduce_max(tf.reduce_sum(values, axis=0))

    LayerBase.get_darc1 = get_darc1


class _LegacyV2:
    """`tf_compat.v2` with the optimizers of the Keras for which RETURNN was written."""

    keras = types.SimpleNamespace(optimizers=legacy_optimizers)
    optimizers = legacy_optimizers

    def __getattr__(self, name):
        return getattr(tf_compat.v2, name)


class _LegacyCompat:
    """`returnn.tf.compat` as RETURNN's updater shall see it."""

    v2 = _LegacyV2()

    def __getattr__(self, name):
        return getattr(tf_compat, name)


class AdamW(tf_compat.v1.train.AdamOptimizer):
    """Keras AdamW, which is missing among the legacy ones: var -= var * weight_decay * lr for all variables; then Adam."""

    def __init__(self, weight_decay=0.004, **kwargs):
        super().__init__(**kwargs)
        self._weight_decay = weight_decay

    def _resource_apply_dense(self, grad, var):
        with tf.control_dependencies([grad]):
            decay = var * (self._weight_decay * tf.cast(self._lr_t, var.dtype))
            decayed = var.assign_sub(decay, read_value=False)
        with tf.control_dependencies([decayed]):
            return super()._resource_apply_dense(tf.identity(grad), var)


def patch_optimizers():
    """
    RETURNN's Keras wrapper works with the optimizers of TF up to 2.10 only: with 2.15 "sgd", "adamax", "nadamkeras" raise
    AttributeError ('SGD' object has no attribute '_name'). RETURNN gets the legacy classes, which mean what it expects.
    """
    returnn_updater.KerasOptimizer = legacy_optimizers.Optimizer
    returnn_updater.tf_compat = _LegacyCompat()
    returnn_updater._init_optimizer_classes_dict()
    if "adamw" not in returnn_updater._OptimizerClassesDict:
        returnn_updater.register_optimizer_class(AdamW, name="AdamW")


def use_tf1_image_summary():
    """image_summary calls the TF2 tf.summary.image, which does nothing in graph mode: gives it that of TF1."""

    def image(name, data, step=None, max_outputs=3):
        return tf_compat.v1.summary.image(name, data, max_outputs=max_outputs)

    basic_layers.tf.summary.image = image
