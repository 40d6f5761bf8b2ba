"""docs/models.md: its files are models, and its commands run with them."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys

import pytest
from docs.refresh_readme import LOOK, ROOT

TEXT = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
FILES = {code.splitlines()[0].removeprefix("# "): code for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)}
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]
NEEDS = {"equinox_net.py": "equinox", "flax_net.py": "flax"}
QUICK = {"STEEPEST_COMPARE_TRIALS": "1", "STEEPEST_COMPARE_REPLICATES": "2", "STEEPEST_COMPARE_EPOCHS": "1"}
QUICK |= {"STEEPEST_FIT_EPOCHS": "4"}


def steepest(folder, command):
    environment = {**os.environ, **LOOK, **QUICK, "STEEPEST_HOME": str(folder / "runs")}
    return subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip


def test_each_way_has_its_example():
    assert list(FILES) == ["pair.py", "equinox_net.py", "flax_net.py"]
    assert all(any(name in command for command in COMMANDS) for name in FILES)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(command, tmp_path):
    [name] = [name for name in FILES if name in command]
    package = NEEDS.get(name)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f'{package} is not installed: pip install "steepest[{package}]"')
    (tmp_path / name).write_text(FILES[name])
    done = steepest(tmp_path, f"{command} --json")
    assert done.returncode == 0, done.stderr
    if " fit " in command:
        scored = re.search(r'"test": \{[^}]*"accuracy": ([\d.]+)', done.stdout)
        assert scored, done.stdout
        assert float(scored[1]) > 0.5


def test_a_saved_model_predicts_with_its_file(tmp_path):
    (tmp_path / "pair.py").write_text(FILES["pair.py"])
    assert steepest(tmp_path, "steepest fit iris --model pair.py:net --epochs 2 -q").returncode == 0
    (tmp_path / "new.csv").write_text(
        "sepal length (cm),sepal width (cm),petal length (cm),petal width (cm)\n5,3.5,1.5,0.2\n"
    )
    [quoted] = re.findall(r"`(steepest predict [^`]*)`", TEXT)
    done = steepest(tmp_path, quoted)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2), done.stderr
    refused = steepest(tmp_path, quoted.partition(" --model")[0])
    assert refused.returncode == 1
    assert "name it again if you trust that file: --model pair.py:net" in refused.stderr
