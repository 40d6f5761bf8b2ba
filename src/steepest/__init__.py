"""steepest: which optimization method and which regularization train best on your data, by how much, or undetermined.

Everything here is imported on first use, so `import steepest` is quick and needs no JAX.

>>> import steepest as st
>>> recipe = st.Recipe(method=st.Adam(rate=1e-2), penalty=st.L2(strength=1e-3))
>>> data = st.open("iris")
>>> st.sweep(recipe, data, replicates=2, standardize=True).accuracy.shape
(2, 1)
"""

from __future__ import annotations

import importlib
from typing import Any

from steepest.core.version import __version__

_WHERE = {
    "core.errors": ("DataError", "SettingError", "SteepestError", "StoreError"),
    "core.spec": ("spec",),
    "data": ("Dataset", "from_arrays", "open"),
    "inits": ("INITS",),
    "inits.given": ("Given",),
    "inits.plain": ("Normal", "Ones", "Uniform", "Zeros"),
    "inits.scaled": ("He", "HeUniform", "LeCun", "TorchLinear", "Xavier", "XavierUniform"),
    "losses": ("LOSSES",),
    "losses.margin": ("Hinge",),
    "losses.multitask": ("MultiTask",),
    "losses.reconstruction": ("Reconstruction",),
    "losses.sigmoid": ("OneVsRest", "SquaredSigmoid"),
    "losses.softmax": ("CrossEntropy",),
    "losses.squared": ("Squared",),
    "methods": ("METHODS",),
    "methods.adadelta": ("Adadelta",),
    "methods.adagrad": ("AdaGrad",),
    "methods.adam": ("Adam", "AdamW"),
    "methods.amsgrad": ("AMSGrad",),
    "methods.averaging": ("EMA", "UniformTail"),
    "methods.clipping": ("ClipNorm", "ClipValue"),
    "methods.coordinate": ("Coordinate",),
    "methods.delta_bar_delta": ("DeltaBarDelta",),
    "methods.momentum": ("Momentum",),
    "methods.nesterov": ("Nesterov",),
    "methods.optax_bridge": ("Optax", "as_optax"),
    "methods.rmsprop": ("RMSProp", "RMSPropMomentum", "RMSPropNesterov"),
    "methods.sgd": ("GD", "SGD"),
    "models": ("MODELS",),
    "models.cnn": ("CNN",),
    "models.contract": ("Model",),
    "models.equinox_model": ("EquinoxModel",),
    "models.flax_model": ("FlaxModel",),
    "models.autoencoder": ("TiedAutoencoder",),
    "models.linear": ("Linear",),
    "models.mlp": ("MLP",),
    "models.shared": ("SharedMLP",),
    "models.own": ("Functions",),
    "models.resnet": ("ResNet",),
    "penalties": ("PENALTIES",),
    "penalties.decay": ("WeightDecay",),
    "penalties.norms": ("L1", "L2", "ElasticNet", "NoPenalty"),
    "schedules": ("SCHEDULES",),
    "schedules.combine": ("Chain", "Sequence", "WarmUp"),
    "schedules.cycle": ("OneCycle",),
    "schedules.decay": ("Constant", "Cosine", "Exponential", "InverseTime", "LinearDecay", "Step"),
    "schedules.plateau": ("Plateau",),
    "schedules.switch": ("MomentumSwitch",),
    "stops": ("STOPS",),
    "stops.rules": ("NoGain", "Reached"),
    "study.attack": ("accuracy_under",),
    "study.compare": ("Comparison", "compare"),
    "study.ensemble": ("ensemble",),
    "study.estimator": ("Classifier",),
    "study.manifold": ("ManifoldTangentClassifier",),
    "study.multitask": ("MultiTaskClassifier",),
    "study.pretrain": ("pretrain",),
    "study.settings": ("Settings",),
    "study.store": ("Store",),
    "study.tangent_distance": ("TangentDistance", "tangent_distance"),
    "study.sweep": ("Sweep", "sweep"),
    "techniques": ("TECHNIQUES",),
    "techniques.augment": ("Augment",),
    "techniques.adversarial": ("Adversarial", "Attack"),
    "techniques.bagging": ("Bagging",),
    "techniques.dropout": ("Dropout", "InputDropout"),
    "techniques.further": ("FurtherTasks",),
    "techniques.maxnorm": ("MaxNorm",),
    "techniques.noise": ("HiddenNoise", "InputNoise", "LabelNoise", "WeightNoise"),
    "techniques.smoothing": ("Smoothing",),
    "techniques.sparse": ("Sparse",),
    "techniques.tangent": ("TangentProp", "tangents"),
    "train.recipe": ("Recipe",),
}
_MODULE_OF = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted([*_MODULE_OF, "__version__"])  # pyright: ignore


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'steepest' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"steepest.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
