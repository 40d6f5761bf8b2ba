import pytest

from steepest.core.errors import SettingError
from steepest.models import MODELS
from steepest.models.linear import Linear
from steepest.models.mlp import MLP
from steepest.models.text import describe, model_from_text, model_text, parameters

READ = {
    "linear": Linear(),
    "linear:no-bias": Linear(bias=False),
    "mlp": MLP(),
    "mlp:64": MLP(widths=(64,)),
    " MLP:128, 64 ": MLP(widths=(128, 64)),
    "mlp:32:leaky-relu": MLP(widths=(32,), activation="leaky-relu"),
}


@pytest.mark.parametrize("text", READ)
def test_texts_are_read_and_written_back(text):
    assert model_from_text(text) == READ[text]
    assert model_from_text(model_text(READ[text])) == READ[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mpl:64", "unknown model 'mpl'; did you mean 'mlp'?"),
        ("mlp:64;32", "model 'mlp:64;32' cannot be read; write linear, linear:no-bias, mlp:64"),
        ("mlp:", "model 'mlp:' cannot be read"),
        ("mlp:64:relu:3", "model 'mlp:64:relu:3' cannot be read"),
        ("linear:64", "model 'linear:64' cannot be read"),
        ("mlp:0", "MLP: widths = (0,)"),
        ("mlp:8:swish", "unknown activation 'swish'"),
    ],
)
def test_what_cannot_be_read_says_what_can(text, message):
    with pytest.raises(SettingError) as error:
        model_from_text(text)
    assert str(error.value).startswith(message)


def test_parameters_are_counted():
    assert parameters(Linear(bias=False), (3072,), 3) == 9216
    assert parameters(MLP(widths=(128,)), (64,), 10) == 64 * 128 + 128 + 128 * 10 + 10
    assert describe(Linear(), (8, 8), 10) == "linear: 64 → 10, 650 parameters"


def test_registry_names_go_with_classes():
    assert [MODELS.name_of(m) for m in (Linear(), MLP())] == MODELS.names() == ["linear", "mlp"]
