"""Regularizing techniques beside the penalties. Importing this needs no JAX."""

from steepest.core.registry import Registry

TECHNIQUES = Registry(
    "technique",
    {
        "dropout": "steepest.techniques.dropout:Dropout",
        "input-dropout": "steepest.techniques.dropout:InputDropout",
        "augment": "steepest.techniques.augment:Augment",
        "input-noise": "steepest.techniques.noise:InputNoise",
        "hidden-noise": "steepest.techniques.noise:HiddenNoise",
        "weight-noise": "steepest.techniques.noise:WeightNoise",
        "label-noise": "steepest.techniques.noise:LabelNoise",
        "smoothing": "steepest.techniques.smoothing:Smoothing",
        "max-norm": "steepest.techniques.maxnorm:MaxNorm",
        "bagging": "steepest.techniques.bagging:Bagging",
        "sparse": "steepest.techniques.sparse:Sparse",
        "adversarial": "steepest.techniques.adversarial:Adversarial",
        "tangent-prop": "steepest.techniques.tangent:TangentProp",
        "multi-task": "steepest.techniques.further:FurtherTasks",  # a loss: `study/tasks.py` puts it in its place
        "early-stopping": "steepest.stops.rules:NoGain",  # a stopping rule: `train/techniques.py` puts it in its place
    },
    group="steepest.techniques",
)

__all__ = ["TECHNIQUES"]
