"""Initial weights. Biases always start at zero. Importing this needs no JAX."""

from steepest.core.registry import Registry

INITS = Registry(
    "init",
    {
        "zeros": "steepest.inits.plain:Zeros",
        "ones": "steepest.inits.plain:Ones",
        "normal": "steepest.inits.plain:Normal",
        "uniform": "steepest.inits.plain:Uniform",
        "xavier": "steepest.inits.scaled:Xavier",
        "xavier-uniform": "steepest.inits.scaled:XavierUniform",
        "he": "steepest.inits.scaled:He",
        "he-uniform": "steepest.inits.scaled:HeUniform",
        "lecun": "steepest.inits.scaled:LeCun",
        "torch": "steepest.inits.scaled:TorchLinear",
        "given": "steepest.inits.given:Given",
    },
    group="steepest.inits",
)

__all__ = ["INITS"]
