"""Drawing starts fast: no engine, no pyplot, and matplotlib only for a picture."""

import subprocess
import sys

HEAVY = ("jax", "matplotlib", "matplotlib.pyplot", "steepest.train")
LIST = f"import sys; print(' '.join(name for name in {HEAVY} if name in sys.modules))"


def modules_after(code):
    done = subprocess.run([sys.executable, "-c", f"{code}\n{LIST}"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_pictures_imports_nothing_heavy():
    assert modules_after("import steepest.draw.curves, steepest.draw.scatter") == []


def test_drawing_needs_neither_pyplot_nor_the_engine(tmp_path):
    call = f"loss_curve({{'train_loss': [1.0, 0.5]}}, {str(tmp_path / 'x.png')!r})"
    assert modules_after(f"from steepest.draw.curves import loss_curve; {call}") == ["matplotlib"]
