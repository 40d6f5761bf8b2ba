import pytest

from steepest.core.errors import SettingError
from steepest.models import MODELS
from steepest.models.cnn import CNN
from steepest.models.linear import Linear
from steepest.models.mlp import MLP
from steepest.models.resnet import ResNet
from steepest.models.text import describe, model_from_text, model_text, parameters

READ = {
    "linear": Linear(),
    "linear:no-bias": Linear(bias=False),
    "mlp": MLP(),
    "mlp:64": MLP(widths=(64,)),
    " MLP:128, 64 ": MLP(widths=(128, 64)),
    "mlp:32:leaky-relu": MLP(widths=(32,), activation="leaky-relu"),
    "mlp:32:norm:tanh": MLP(widths=(32,), activation="tanh", norm=True),
    "mlp:norm": MLP(norm=True),
    "cnn": CNN(),
    "cnn:16, 32": CNN(channels=(16, 32)),
    "cnn:8:dense=64:kernel=5:tanh": CNN(channels=(8,), dense=64, kernel=5, activation="tanh"),
    "cnn:dense = 64": CNN(dense=64),
    "resnet": ResNet(),
    "resnet:16": ResNet(width=16),
    "resnet:16:depth=2": ResNet(width=16, depth=2),
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
        ("linear:bias", "model 'linear:bias' cannot be read"),
        ("mlp:64:relu:tanh", "model 'mlp:64:relu:tanh': activation is given twice"),
        ("mlp:8:swish", "model 'mlp:8:swish': unknown activation 'swish'"),
        ("resnet:16,32", "model 'resnet:16,32' cannot be read"),
        ("resnet:tanh", "model 'resnet:tanh' cannot be read"),
        ("cnn:kernl=3", "model 'cnn:kernl=3' cannot be read"),
        ("cnn:kernel=", "model 'cnn:kernel=' cannot be read"),
        ("cnn:kernel=4", "CNN: kernel = 4; it must be odd"),
        ("linear:norm", "model 'linear:norm' cannot be read"),
        ("mlp:norm=1", "model 'mlp:norm=1' cannot be read"),
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
    assert parameters(MLP(widths=(8,), norm=True), (4,), 3) == 4 * 8 + 2 * 8 + 8 * 3 + 3, "running statistics are none"
    stages = "32×32×3 → 16×16×32 → 8×8×64 → 4×4×128 → 256 → 10"
    assert describe(CNN(), (32, 32, 3), 10) == f"cnn: {stages}, 620,362 parameters"  # source: J5
    assert describe(ResNet(width=4), (28, 28), 10).startswith("resnet:4: 28×28×1 → 28×28×4 → 14×14×8 → 7×7×16 → 3×3×32")


def test_registry_names_go_with_classes():
    names = ["linear", "mlp", "cnn", "resnet"]
    assert [MODELS.name_of(m) for m in (Linear(), MLP(), CNN(), ResNet())] == names
    assert [MODELS.name_of(MODELS[name]) for name in MODELS] == list(MODELS)


def test_tangent_distance_is_said_to_be_for_python():
    with pytest.raises(SettingError, match=r"no weights to train; use it from Python: steepest\.TangentDistance"):
        model_from_text("tangent-distance")
