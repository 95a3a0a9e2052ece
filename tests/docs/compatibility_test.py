#!/usr/bin/env python3
"""docs/compatibility.md: which golden cases prove each argument. It is made from the cases' own configs, and no row may be empty.

compatibility_test.py WENDE [--write]
"""
import re
import subprocess
import sys

from compatibility_rows import (AXES, AXIS_OPTIONS, CONNECTIONS, GENERAL, INIT_FORMS, INIT_OPTIONS, LEARNING_RATE, LOSS_OPTIONS_APART, UTILITY,
                                UTILITY_FORMS, both, in_test, is_kind, setting, with_option)
from seed_cases import ROOT, Cases, texts

PAGE = ROOT / "docs/compatibility.md"
MOST = 8  # names in a row
HEAD = """# What proves each argument

Written by `tests/docs/compatibility_test.py`, which reads the configs inside of the golden cases that must pass (`tests/golden/passing.txt`): a case stands in a
row because its config uses the argument and RETURNN's numbers for it come out. Where no recording can show it (distributions, refusals, learning rates over epochs),
the test that does is named. Cases are in `tests/golden/seed`.
"""


def general_options(page):
    """From `wende layers --markdown`: names by layer class, the general ones under ""."""
    options, current = {}, None
    for line in page.splitlines():
        if line.startswith("## "):
            current = "" if line == "## General options" else line[3:]
        elif match := re.match(r"\| `(\w+)` \|", line):
            options.setdefault(current, []).append(match[1])
    return options


def general_rows(schema):
    for name in schema[""]:
        if name in ("class", "from"):
            continue
        for form, evidence in GENERAL.get(name, [("", with_option(name))]):
            yield f"`{name}`" + (f": {form}" if form else ""), evidence


def utility_rows(schema):
    for klass in UTILITY:
        for name in schema.get(klass, []):
            for form, evidence in UTILITY_FORMS.get((klass, name), [("", with_option(name, lambda value: True, klass))]):
                yield f"`{klass}`: `{name}`" + (f", {form}" if form else ""), evidence


def initializer_rows():
    own = "tests/golden/initial_values_test.py"
    for option in INIT_OPTIONS:
        for form, holds in INIT_FORMS.items():
            if option == "init" and form == "expression":
                continue
            yield f"`{option}`: {form}", with_option(option, holds)
    source = (ROOT / "tests/layers/initializer_stats_test.cpp").read_text()
    for name in sorted({name for name in re.findall(r"\{\"'(\w+)'\"", source)} | {name for name in re.findall(r"\{'class': '(\w+)'", source)}):
        def uses(layer, name=name):
            return any(re.search(rf"\b{name}\b", text) for option in INIT_OPTIONS for text in texts(layer.get(option)))

        yield f"`{name}`", both(lambda cases, uses=uses: cases.with_layer(uses), lambda _: in_test("tests/layers/initializer_stats_test.cpp"))
    yield "the initial value of every parameter in every case", lambda _: in_test(own)


def axis_rows():
    for name, pattern in AXES.items():
        def uses(layer, pattern=pattern):
            return any(re.fullmatch(pattern, text.lower()) for option in AXIS_OPTIONS for text in texts(layer.get(option)))

        yield name, lambda cases, uses=uses: cases.with_layer(uses)
    yield "list", with_option("axes", is_kind(list))
    yield "tuple", with_option("axes", is_kind(tuple))
    yield "a Dim", with_option("axis", lambda value: type(value).__name__ == "MagicMock")
    yield "a description that fits no axis", lambda _: in_test("tests/network/axis_error_test.cpp", "ShowsTheTemplate")


def loss_rows():
    names, options = set(), {}
    for path in sorted((ROOT / "src/layers").glob("loss_*.cpp")):
        source = path.read_text()
        if "not supported" in source and path.name == "loss_not_here.cpp":
            continue
        names |= set(re.findall(r"RegisterLoss<\w+, \w+> \w+\{\s*\"(\w+)\"", source))
        for option in re.findall(r'v\.field\("(\w+)"', source):
            options.setdefault(option, path.stem.removeprefix("loss_"))
    for name in sorted(names | {"sse_sigmoid"}):
        yield f"loss `{name}`", with_option("loss", lambda value, name=name: value == name)
    for option, owner in sorted(options.items(), key=lambda item: (item[1], item[0])):
        if option in LOSS_OPTIONS_APART:
            continue

        def uses(layer, option=option):
            return isinstance(layer.get("loss_opts"), dict) and option in set(texts(layer.get("loss_opts")))

        yield f"`loss_opts` of {owner}: `{option}`", both(lambda cases, uses=uses: cases.with_layer(uses), lambda _, option=option: in_test("tests/network/sampling_loss_test.cpp", f'"{option}') + in_test("tests/network/ctc_decode_test.cpp", f'"{option}"'))
    for option in ("scale", "use_normalized_loss", "custom_norm_factor", "custom_inv_norm_factor"):
        yield f"`loss_opts`: `{option}`", with_option("loss_opts", lambda value, option=option: isinstance(value, dict) and option in value)
    yield "several losses in a network", lambda cases: sorted(case for case in cases.settings if sum(layer.case == case and bool(layer.get("loss")) for layer in cases.layers) > 1)
    yield "log lines with several losses", lambda _: in_test("tests/e2e/returnn_runs_test.py")


def optimizer_rows():
    names, options = set(), set()
    for path in sorted((ROOT / "src/optim").glob("*.cpp")):
        source = path.read_text()
        names |= set(re.findall(r'OptimizerRegistration \w+[({]\s*"(\w+)"', source))
        if "OptimizerRegistration k" in source:
            options |= {"epsilon"} | set(re.findall(r'v\.field\("(\w+)"', source))

    def classes(value):
        text = value if isinstance(value, str) else value.get("class", "") if isinstance(value, dict) else ""
        return text.lower().removesuffix("optimizer")

    for name in sorted(names):
        yield f"`optimizer`: class `{name}`", setting("optimizer", lambda value, name=name: classes(value) == name)
    for option in sorted(options - {"var_list"} | {"learning_rate_multiplier"}):
        yield f"`optimizer`: option `{option}`", both(setting("optimizer", lambda value, option=option: isinstance(value, dict) and option in value),
                                                     lambda _, option=option: in_test("tests/optim/optimizer_test.cpp", f"'{option}'"))
    for name in "adam nadam adadelta adagrad rmsprop momentum".split():
        yield f"config option `{name}`", setting(name)
    for name in """optimizer_epsilon gradient_clip gradient_clip_norm gradient_clip_avg_norm gradient_clip_global_norm gradient_clip_global_norm_tag grad_norm_to_clip_to_zero
                gradient_nan_inf_filter accum_grad_multiple_step decouple_constraints""".split():
        yield f"`{name}`", setting(name)
    yield "`gradient_noise`", lambda _: in_test("tests/optim/updater_test.cpp", "GradientNoise")
    yield "`dynamic_learning_rate`: dict", setting("dynamic_learning_rate", is_kind(dict))
    yield "`dynamic_learning_rate`: function", setting("dynamic_learning_rate", callable)


def learning_rate_rows():
    for name in LEARNING_RATE:
        needle = name.replace("=", " = '") + "'" if "=" in name else name
        yield f"`{name}`", lambda _, needle=needle: in_test("tests/optim/learning_rate_rules_test.cpp", needle)
    yield "`learning_rate`", setting("learning_rate")
    yield "`learning_rate_file`", lambda _: in_test("tests/e2e/returnn_runs_test.py", "learning_rate_file")


def rows_of(schema):
    yield "General layer arguments", general_rows(schema)
    yield "Connecting layers", CONNECTIONS.items()
    yield "Utility layers", utility_rows(schema)
    yield "Initialisers", initializer_rows()
    yield "Axes", axis_rows()
    yield "Losses", loss_rows()
    yield "Optimisers and gradients", optimizer_rows()
    yield "Learning rates", learning_rate_rows()


def main():
    schema = general_options(subprocess.run([sys.argv[1], "layers", "--markdown"], capture_output=True, text=True, check=True).stdout)
    cases = Cases()
    page, empty = [HEAD], []
    for title, rows in rows_of(schema):
        page.append(f"## {title}\n\n| argument | shown by |\n| --- | --- |")
        for label, evidence in rows:
            names = evidence(cases)
            if not names:
                empty.append(f"{title}: {label}")
            more = " and more" if len(names) > MOST else ""
            page.append(f"| {label} | {', '.join(names[:MOST])}{more} |")
        page.append("")
    text = "\n".join(page)
    if empty:
        sys.exit("nothing shows:\n" + "\n".join(empty))
    if "--write" in sys.argv:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit(f"{PAGE} is stale. Write it again: {' '.join(sys.argv)} --write")
    print(f"{text.count(chr(10) + '| ') - 2 * text.count('| --- |')} arguments, each shown by a case or a test")


if __name__ == "__main__":
    main()
