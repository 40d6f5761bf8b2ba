"""What the README claims about speed, measured: `python -m benchmarks [name …]`; results lie in benchmarks/results."""
