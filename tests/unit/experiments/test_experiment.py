import json
import subprocess
import sys
from dataclasses import replace

import pytest

from llmproxy_core.errors import ConfigError
from llmproxy_core.experiments.experiment import Experiment, Guard, Variant
from llmproxy_core.experiments.life import started, stopped


def test_an_experiment_is_the_same_after_it_was_json(draft):
    one = stopped(started(draft, 5.0, "ann"), 9.0, "ann", "enough")
    one = replace(one, guards=(Guard("failed", 0.1),), counting=("refusal",), dropped=("short",))

    assert Experiment.of(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": ""}, "its id is ''"),
        ({"id": "a b"}, "its id is 'a b'"),
        ({"when": "modell == 1"}, "modell"),
        ({"variants": ()}, "needs a variant"),
        ({"variants": (Variant("control"),)}, "cannot be called 'control'"),
        ({"variants": (Variant("short"), Variant("short"))}, "a name of its own"),
        ({"shares": {"control": 0.5}}, "shares must name control, short"),
        ({"shares": {"control": 0.9, "short": 0.5}}, "add up to 1.4"),
        ({"shares": {"control": 0.5, "short": 0.0}}, "the share of short is 0.0"),
        ({"shares": {"control": 0.5, "short": float("nan")}}, "the share of short is nan"),
        ({"holdout": 0.9}, "the holdout is 0.9"),
        ({"min_effect": 5}, "min_effect is 5"),
        ({"alpha": 0.9}, "alpha is 0.9"),
        ({"most": 1}, "most is 1"),
        ({"guards": (Guard("smell", 0.1),)}, "no guard 'smell'"),  # type: ignore[arg-type]
        ({"guards": (Guard("failed", -1),)}, "worse_by of the guard failed is -1"),
        ({"status": "lost"}, "no status 'lost'"),
        ({"promoted": "long"}, "no variant 'long' to promote"),
    ],
)
def test_what_is_wrong_is_told_with_the_name_of_the_experiment(draft, change, told):
    with pytest.raises(ConfigError, match="shorter answers") as error:
        replace(draft, **change).check()

    assert told in str(error.value)


@pytest.mark.parametrize(
    "value", [None, 7, [], {}, {"id": "e"}, {"variants": [{}], "shares": {}}, {"variants": 3}]
)
def test_what_is_no_experiment_is_refused_as_one(value):
    with pytest.raises(ConfigError, match="cannot be read"):
        Experiment.of(value)


def test_unknown_fields_are_named(draft):
    with pytest.raises(ConfigError, match="colour"):
        Experiment.of(draft.to_json() | {"colour": "red"})


@pytest.mark.parametrize("change", [{"holdout": "much"}, {"guards": [{"metric": "failed"}]}])
def test_fields_of_another_kind_are_refused(draft, change):
    with pytest.raises(ConfigError, match="cannot be read"):
        Experiment.of(draft.to_json() | change)


def test_what_the_proxy_asks_needs_no_numpy():
    modules = ("experiment", "roots", "begun", "assignment")
    said = "; ".join(f"import llmproxy_core.experiments.{name}" for name in modules)
    told = "import sys; assert not {'numpy', 'pydantic'} & sys.modules.keys(), sys.modules"

    subprocess.run([sys.executable, "-c", f"{said}; {told}"], check=True)
