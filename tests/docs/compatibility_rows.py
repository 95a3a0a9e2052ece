"""The rows of docs/compatibility.md: what each argument of the seed documents is, and how a case shows it. A test name stands where no recording can."""
import re

from seed_cases import ROOT, texts

SENT = object()


def with_option(name, test=lambda value: value is not None and value is not False, klass=None, in_loop=None):
    def holds(layer):
        value = layer.options.get(name, SENT)
        return value is not SENT and test(value) and klass in (None, layer.klass) and in_loop in (None, layer.in_loop)

    return lambda cases: cases.with_layer(holds)


def setting(name, test=lambda value: value is not None):
    """Of the config or `updater`, or of any layer's updater_opts."""
    def holds(settings):
        return name in settings and test(settings[name])

    def of_layer(layer):
        options = layer.get("updater_opts")
        return isinstance(options, dict) and name in options and test(options[name])

    return lambda cases: sorted(set(cases.with_setting(holds)) | set(cases.with_layer(of_layer)))


def is_kind(*kinds):
    return lambda value: isinstance(value, kinds)


def equal(*values):
    return lambda value: any(type(value) is type(other) and value == other for other in values)


def has_key(*keys):
    return lambda value: isinstance(value, dict) and any(key in value for key in keys)


def mapped(holds):
    """reuse_params whose map has such an entry."""
    return lambda value: isinstance(value, dict) and any(holds(entry) for entry in value.get("map", {}).values())


def is_relative(value):
    return isinstance(value, str) and value and not value.startswith("/")


def named_source(pattern):
    """An input or any other option that names layers fits the pattern."""
    compiled = re.compile(pattern)
    return lambda cases: cases.with_layer(
        lambda layer: any(compiled.fullmatch(text) for key, value in layer.options.items() if key not in ("unit", "subnetwork", "class") for text in texts(value)))


def batch_norm_option(option):
    def holds(layer):
        own = layer.get("batch_norm")
        return isinstance(own, dict) and option in own or layer.klass == "batch_norm" and option in layer.options

    return lambda cases: cases.with_layer(holds)


def with_version(holds, klass="batch_norm"):
    def fits(case_settings):
        return lambda layer: (layer.klass == klass or layer.get(klass)) and holds(case_settings[layer.case].get("behavior_version", 0))

    return lambda cases: cases.with_layer(fits(cases.settings))


def in_test(path, *needles):
    """The test, if its source has all of these texts: so a row is not filled by a name that is written here alone."""
    source = (ROOT / path).read_text() if (ROOT / path).exists() else ""
    return [f"`{path}`"] if source and all(needle in source for needle in needles) else []


def test(path, *needles):
    return lambda cases: in_test(path, *needles)


def both(*evidence):
    return lambda cases: [name for part in evidence for name in part(cases)]


# Options whose plain use is not what is to be shown, and those with several forms.
GENERAL = {
    "n_out": [("int", with_option("n_out", is_kind(int))), ("left out, from the target", lambda cases: cases.with_layer(
        lambda layer: layer.klass in ("linear", "softmax") and layer.get("loss") and not {"n_out", "out_dim", "out_type"} & set(layer.options)))],
    "out_type": [("dict with `dim`", with_option("out_type", has_key("dim"))), ("dict with `shape`", with_option("out_type", has_key("shape"))),
                 ("dict with `dtype`", with_option("out_type", has_key("dtype"))), ("function", with_option("out_type", callable))],
    "target": [("data key", with_option("target", equal("classes"))), ("`layer:NAME`", with_option("target", lambda value: "layer:" in str(value))),
               ("list", with_option("target", is_kind(list))), ("left out, the config's", setting("target"))],
    "loss_opts": [("`scale`", with_option("loss_opts", has_key("scale"))), ("others", with_option("loss_opts"))],
    "loss_scale": [("factor", with_option("loss_scale")), ("0", with_option("loss_scale", equal(0, 0.0))), ("negative", with_option("loss_scale", lambda value: value and value < 0))],
    "trainable": [("False", with_option("trainable", equal(False))), ("False of a parent, True inside", lambda cases: cases.with_layer(
        lambda layer: layer.get("trainable") is True and layer.depth > 0))],
    "dropout": [("outside of loops", with_option("dropout", in_loop=False)), ("in a loop", with_option("dropout", in_loop=True)),
                ("its distribution", test("tests/network/random_options_test.cpp", "DropoutMask"))],
    "dropout_noise_shape": [("None", with_option("dropout_noise_shape", lambda value: value is None)), ("dict", with_option("dropout_noise_shape", is_kind(dict))),
                            ('`{"*": None}`', with_option("dropout_noise_shape", equal({"*": None}))), ("list", with_option("dropout_noise_shape", is_kind(list))),
                            ("tuple", with_option("dropout_noise_shape", is_kind(tuple))), ("in a loop", with_option("dropout_noise_shape", in_loop=True)),
                            ("what the masks look like", test("tests/network/random_options_test.cpp", "DropoutInLoop"))],
    "reuse_params": [("layer", with_option("reuse_params", is_kind(str))), ("`reuse_layer`", with_option("reuse_params", has_key("reuse_layer"))),
                     ("`auto_create_missing`", with_option("reuse_params", has_key("auto_create_missing"))), ("`map` to None", with_option("reuse_params", mapped(lambda entry: entry is None))),
                     ("`map` to a layer's name", with_option("reuse_params", mapped(is_kind(str)))), ("`map` to `reuse_layer`", with_option("reuse_params", mapped(has_key("reuse_layer")))),
                     ("`map` to `layer_output`", with_option("reuse_params", mapped(has_key("layer_output")))), ("`map` to `custom`", with_option("reuse_params", mapped(has_key("custom")))),
                     ("`shape`", with_option("reuse_params", mapped(has_key("shape"))))],
    "name_scope": [("relative", with_option("name_scope", is_relative)), ("absolute", with_option("name_scope", lambda value: str(value).startswith("/"))),
                   ("empty", with_option("name_scope", equal("")))],
    "param_variational_noise": [("", with_option("param_variational_noise")), ("its distribution", test("tests/network/random_options_test.cpp", "'param_variational_noise'"))],
    "param_dropout": [("", with_option("param_dropout")), ("its distribution", test("tests/network/random_options_test.cpp", "'param_dropout'"))],
    "param_dropout_min_ndim": [("", with_option("param_dropout_min_ndim")), ("which parameters", test("tests/network/random_options_test.cpp", "'param_dropout_min_ndim'"))],
    "updater_opts": [(f"`{key}`", with_option("updater_opts", has_key(key))) for key in (
        "optimizer", "gradient_clip", "gradient_clip_norm", "gradient_clip_avg_norm", "gradient_clip_global_norm", "gradient_nan_inf_filter", "grad_norm_to_clip_to_zero")],
    "batch_norm": [("True", with_option("batch_norm", equal(True))), ("dict", with_option("batch_norm", is_kind(dict)))]
    + [(f"`{key}`", batch_norm_option(key)) for key in ("momentum", "epsilon", "use_shift", "use_std", "use_sample", "force_sample", "update_sample_only_in_training",
                                                        "delay_sample_update", "param_version", "gamma_init", "beta_init", "masked_time")]
    + [("`behavior_version` below 12", with_version(lambda version: version < 12)), ("`behavior_version` from 12 on", with_version(lambda version: version >= 12))],
    "initial_output": [("None", with_option("initial_output", lambda value: value is None)), ("number", with_option("initial_output", lambda value: type(value) in (int, float)))]
    + [(f"`{word}`", with_option("initial_output", equal(word))) for word in ("zeros", "ones", "var", "apply(0)")] + [("layer", with_option("initial_output", lambda value: "base:" in str(value)))],
    "state": [("layer", with_option("state", is_kind(str))), ("list", with_option("state", is_kind(list))), ("dict", with_option("state", is_kind(dict)))],
    "initial_state": [("number", with_option("initial_state", lambda value: type(value) in (int, float))), ("`keep_over_epoch`", with_option("initial_state", lambda value: "keep_over_epoch" in str(value))), ("`var`", with_option("initial_state", equal("var"))),
                      ("dict of layers", with_option("initial_state", is_kind(dict)))],
    "encapsulate": [("False", with_option("encapsulate", equal(False))), ("True", with_option("encapsulate", equal(True)))],
    "custom_param_importer": [("", with_option("custom_param_importer")), ("what it does", test("tests/engine/param_import_test.cpp", "custom_param_importer"))],
    "rec_previous_layer": [("internal in RETURNN: refused", test("tests/network/misuse_test.cpp", "general_options"))],
    "debug_print_layer_output": [("", with_option("debug_print_layer_output")), ("what it prints", test("tests/e2e/debugging_test.py", "debug_print_layer_output"))],
    "param_device": [("", with_option("param_device"))],
}
UTILITY = ["framewise_statistics", "hdf_dump", "image_summary", "scaled_grad", "synthetic_gradient"]
# Further forms of the options of the utility layers.
UTILITY_FORMS = {
    ("hdf_dump", "filename"): [("string", with_option("filename", is_kind(str), "hdf_dump")), ("function", with_option("filename", callable, "hdf_dump")),
                               ("with `{epoch}` and `{dataset_name}`", with_option("filename", lambda value: "{epoch}" in str(value), "hdf_dump"))],
    ("hdf_dump", "extend_existing_file"): [("", test("tests/e2e/utility_layers_test.py", "extend_existing_file"))],
    ("scaled_grad", "scale"): [("number", with_option("scale", is_kind(int, float), "scaled_grad")), ("0 without shift", lambda cases: cases.with_layer(
        lambda layer: layer.klass == "scaled_grad" and layer.get("scale") in (0, 0.0) and "shift" not in layer.options)), ("layer", with_option("scale", is_kind(str), "scaled_grad"))],
    ("scaled_grad", "shift"): [("number", with_option("shift", is_kind(int, float), "scaled_grad")), ("layer", with_option("shift", is_kind(str), "scaled_grad"))],
}
CONNECTIONS = {
    "`data`": named_source("data"), "`data:KEY`": named_source("data:(?!source).*"), "`data:source`": named_source("data:source"), "`base:`": named_source("base:.*"),
    "`prev:`": named_source("prev:.*"), "`LAYER/SUB`": named_source(r"[^/:]+/.+"), "several sources, concatenated": with_option("from", lambda value: isinstance(value, (list, tuple)) and len(value) > 1),
    "`from` left out": lambda cases: cases.with_layer(lambda layer: "from" not in layer.options and layer.klass in ("linear", "softmax", "rec", "copy")),
}
INIT_OPTIONS = ["forward_weights_init", "recurrent_weights_init", "bias_init", "init"]
INIT_FORMS = {
    "number": lambda value: type(value) in (int, float), "name": lambda value: isinstance(value, str) and "(" not in value and not value.endswith("_initializer"),
    "name with `_initializer`": lambda value: isinstance(value, str) and value.endswith("_initializer"), "dict with `class`": is_kind(dict), "expression": lambda value: isinstance(value, str) and "(" in value,
}
# Each takes any letter case; the pattern is matched with what configs write.
AXES = {
    "`*`": r"\*", "`B`": "b", "`batch`": "batch", "`T`": "t", "`time`": "time", "`F`": "f", "`feature`": "feature", "`spatial`": "spatial", "`S:<int>`": r"s:\d+", "`spatial:<int>`": r"spatial:\d+",
    "`S:<negative>`": r"(s|spatial):-\d+", "`dyn`": "dyn", "`dynamic`": "dynamic", "`D:<int>`": r"d:\d+", "`dyn:<int>`": r"dyn:\d+", "`dynamic:<int>`": r"dynamic:-?\d+", "`static`": "static",
    "`static:<int>`": r"static:-?\d+", "`T?`": r"t\?", "`spatial_except_time`": "spatial_except_time", "`except_time`": "except_time", "`except_batch`": "except_batch", "`dim:<int>`": r"dim:\d+",
}
AXIS_OPTIONS = ["axis", "axes", "axis1", "axis2", "red1", "red2", "var1", "var2", "dropout_axis", "dropout_noise_shape", "clip_max_axis", "scale_shift_by_sum_over_axis"]
LEARNING_RATE = """learning_rate_control=constant learning_rate_control=newbob learning_rate_control=newbob_rel learning_rate_control=newbob_abs learning_rate_control=newbob_multi_epoch learning_rates
learning_rate_decay newbob_learning_rate_decay learning_rate_growth newbob_learning_rate_growth min_learning_rate newbob_relative_error_threshold newbob_relative_error_div_by_old
newbob_relative_error_grow_threshold newbob_error_threshold newbob_multi_num_epochs newbob_multi_update_interval learning_rate_control_error_measure
learning_rate_control_relative_error_relative_lr learning_rate_control_min_num_epochs_per_new_lr""".split()
# How a loss is computed or shown, without another number; those of fixed_unigram are in the sampler's row.
LOSS_OPTIONS_APART = {"debug_dump", "debug_print", "num_shards", "shard", "vocab_file", "seed", "unigrams", "num_reserved_ids", "distortion"}

