"""`make mutants`: change the update rules one constant, sign, operator, name or order at a time; the tests must notice.

Each mutant of a file of `steepest/methods` or `steepest/schedules` is compiled, put in the place of the module, and met
by the same checks as `pytest tests/x64` runs (methods/checks.py, schedules/checks.py). A mutant that passes them all
survives. Prints a table and every survivor; exits 1 if there is one that EQUIVALENT does not name with its reason.

    python tests/mutants/run.py                 all files
    python tests/mutants/run.py adam nesterov   some of them
"""

from __future__ import annotations

import ast
import copy
import importlib
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
jax.config.update("jax_enable_x64", True)

import pytest  # noqa: E402
from tests.x64.methods import checks  # noqa: E402
from tests.x64.methods.cases import CASES, DEFAULTS  # noqa: E402
from tests.x64.schedules.checks import CHECKS as SCHEDULE_CHECKS  # noqa: E402

METHODS = [*dict.fromkeys(case.module for case in CASES), "averaging", "clipping"]
SCHEDULES = ["decay", "cycle", "switch", "plateau", "combine", "contract"]

# "file class.function: change" → why no test could tell it from the original
SIGN_ALONE = "δ̄ acts by its sign alone, and one factor on every gradient in it changes no sign"
NO_GRADIENT = "the unit of a gradient that is all zeros: 0 divided by it is 0"
BAR = "bar = (1 - self.averaging) * g + self.averaging * m.bar"
UNIT = "unit = jnp.where(largest > 0, largest, 1)"
SCALE = "scale = jnp.where(norm > self.limit, self.limit / norm, 1)"
UP = "up = _mix(first, peak, k / jnp.maximum(top, 1))"
EQUIVALENT: dict[str, str] = {
    f"delta_bar_delta DeltaBarDelta.step_leaf: operator: 1 - self.averaging → 1 + self.averaging in {BAR}": SIGN_ALONE,
    f"delta_bar_delta DeltaBarDelta.step_leaf: constant: 1 → 2 in {BAR}": SIGN_ALONE,
    f"delta_bar_delta DeltaBarDelta.step_leaf: constant: 1 → 0.9 in {BAR}": SIGN_ALONE,
    f"clipping global_norm: constant: 1 → 2 in {UNIT}": NO_GRADIENT,
    f"clipping global_norm: constant: 1 → 0.9 in {UNIT}": NO_GRADIENT,
    f"clipping ClipNorm.__call__: comparison: norm > self.limit → norm >= self.limit in {SCALE}": "limit/‖g‖ = 1 there",
    f"cycle OneCycle._between: constant: 1 → 0.9 in {UP}": "where top < 1 only k = 0 rises, and 0/0.9 is 0/1",
}


class Mutant(NamedTuple):
    """One change of one file."""

    where: str  # file:line function
    change: str
    tree: ast.Module


SWAPS: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Mult],
    ast.Gt: [ast.Lt, ast.GtE],
    ast.Lt: [ast.Gt, ast.LtE],
    ast.LtE: [ast.GtE, ast.Lt],
    ast.GtE: [ast.LtE, ast.Gt],
}
NAMES = {
    "decay1": "decay2", "decay2": "decay1", "sqrt": "square", "maximum": "minimum", "minimum": "maximum",
    "s": "r", "r": "s", "u": "r", "first": "second", "second": "first", "max": "min", "abs": "square",
    "floor": "ceil", "round": "ceil",
    "cos": "sin", "shrink": "growth", "growth": "shrink", "rate": "delta", "rates": "bar", "top": "r", "wait": "scale",
}  # fmt: skip


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every small change of one node: what it says, and the node in its place."""
    if isinstance(node, ast.BinOp):
        for other in SWAPS.get(type(node.op), []):
            yield from _with(node, "operator", op=other())
        if isinstance(node.op, ast.Sub | ast.Div | ast.Pow):
            yield from _with(node, "order", left=node.right, right=node.left)
    elif isinstance(node, ast.Compare):
        for other in SWAPS.get(type(node.ops[0]), []):
            yield from _with(node, "comparison", ops=[other()])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node, ast.IfExp):
        yield from _with(node, "branches", body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from _with(node, "constant", value=node.value + 1)
        if node.value:
            yield from _with(node, "constant", value=node.value * 0.9)
    elif isinstance(node, ast.Attribute) and node.attr in NAMES and _of_method(node):
        yield from _with(node, "name", attr=NAMES[node.attr])
    elif isinstance(node, ast.Call) and len(node.args) == 3 and getattr(node.func, "attr", "") == "where":
        yield from _with(node, "order", args=[node.args[0], node.args[2], node.args[1]])


def _of_method(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "m", "memory", "jnp")


def _with(node: ast.AST, kind: str, **fields: Any) -> Iterator[tuple[str, ast.AST]]:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    yield kind, new


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of a file: expressions in its functions, the defaults of its fields, the order of its statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for owner, function in _functions(tree):
        name = f"{owner}.{function.name}" if owner else function.name
        for statement in function.body:
            if isinstance(statement, ast.Expr) or _refuses(statement):
                continue  # docstrings and errors
            for node in ast.walk(statement):
                for kind, new in changes(node):
                    yield _mutant(tree, path, name, kind, node, new, inside=ast.unparse(statement))
        yield from _orders(tree, path, name, function)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _defaults(tree, path, node)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield "", node
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    yield node.name, item


def _refuses(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and isinstance(statement.body[0], ast.Raise)


def _orders(tree: ast.Module, path: Path, name: str, function: ast.FunctionDef) -> Iterator[Mutant]:
    for i, (a, b) in enumerate(zip(function.body, function.body[1:])):
        if isinstance(a, ast.Assign) and isinstance(b, ast.Assign) and _writes(a) & (_reads(b) | _writes(b)):
            new = copy.copy(function)
            new.body = [*function.body[:i], b, a, *function.body[i + 2 :]]
            yield _mutant(
                tree, path, name, "statements", function, new, f"{ast.unparse(b)}; {ast.unparse(a)}", a.lineno
            )


def _writes(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _reads(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _defaults(tree: ast.Module, path: Path, cls: ast.ClassDef) -> Iterator[Mutant]:
    """Another default of a hyperparameter, another default form: what a user gets who names none."""
    for item in cls.body:
        if not isinstance(item, ast.AnnAssign) or "ClassVar" in ast.unparse(item.annotation) or item.value is None:
            continue
        default = next((k.value for k in getattr(item.value, "keywords", []) if k.arg == "default"), item.value)
        if isinstance(default, ast.Constant) and isinstance(default.value, bool):
            yield _mutant(
                tree, path, cls.name, "default", default, ast.Constant(not default.value), str(item.target.id)
            )
        elif isinstance(default, ast.Constant) and isinstance(default.value, int | float):
            other = default.value * 0.9 if default.value else 0.1
            yield _mutant(tree, path, cls.name, "default", default, ast.Constant(other), str(item.target.id))


def _mutant(
    tree: ast.Module,
    path: Path,
    name: str,
    kind: str,
    old: ast.AST,
    new: ast.AST,
    said: str = "",
    line: int = 0,
    inside: str = "",
) -> Mutant:
    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else self.generic_visit(node)

    # NodeTransformer changes lists in place, so it works on a tree whose `old` is found again by its place in the walk
    place = next(i for i, node in enumerate(ast.walk(tree)) if node is old)
    copied = copy.deepcopy(tree)
    old_said = said or ast.unparse(old)
    old = next(node for i, node in enumerate(ast.walk(copied)) if i == place)
    new = copy.deepcopy(new)
    mutated = ast.fix_missing_locations(Put().visit(copied))
    line = line or getattr(new, "lineno", 0) or getattr(old, "lineno", 0)
    change = f"{kind}: {old_said}" + ("" if kind == "statements" else f" → {ast.unparse(new)}")
    change += f" in {inside}" if inside else ""
    return Mutant(f"{path.stem}:{line} {name}", change, mutated)


def checks_of(room: str, stem: str, owner: str = "") -> list[Callable[[], None]]:
    """The checks that look at one class of a file (at all of it, where the class has none), fastest to fail first."""
    if room == "schedules":
        classes = SCHEDULE_CHECKS[stem]
        return classes.get(owner) or [check for of_one in classes.values() for check in of_one]
    cases = [case for case in CASES if case.module == stem]
    cases = [case for case in cases if case.cls == owner] or cases
    found: list[Callable[[], None]] = [
        lambda key=key: checks.check_defaults(*key) for key in DEFAULTS if key[0] == stem
    ]
    found += [lambda case=case: checks.check_by_hand(case) for case in cases]
    found += [lambda case=case: checks.check_look(case) for case in cases if "Nesterov" in case.cls]
    found += [
        lambda case=case: checks.check_stride(case) for case in cases if checks.look_up(stem, case.cls).has_stride
    ]
    own = {
        "delta_bar_delta": [checks.check_delta_bar_delta_tiny],
        "adam": [checks.check_adamw_leaves],
        "averaging": [checks.check_averaging],
        "clipping": [checks.check_clipping],
    }
    return found + own.get(stem, [])


def caught(room: str, stem: str, mutant: Mutant) -> str:
    """How the checks noticed the mutant; empty where they did not. Whatever it raises, it was noticed."""
    name = f"steepest.{room}.{stem}"
    importlib.import_module(name)
    # a mutated contract reaches its subclasses only if their modules are made anew
    stems = {stem, *(SCHEDULES if stem == "contract" else ())}
    originals = {key: sys.modules.pop(key) for s in stems if (key := f"steepest.{room}.{s}") in sys.modules}
    module = types.ModuleType(name)
    module.__file__ = originals[name].__file__
    sys.modules[name] = module
    try:
        exec(compile(mutant.tree, str(module.__file__), "exec"), module.__dict__)
        for check in checks_of(room, stem, mutant.where.partition(" ")[2].partition(".")[0]):
            check()
    except (Exception, pytest.fail.Exception) as error:
        return type(error).__name__
    finally:
        for s in stems:
            sys.modules.pop(f"steepest.{room}.{s}", None)
        sys.modules.update(originals)
    return ""


def main(chosen: list[str]) -> int:
    """Run the mutants of the chosen files, print a table, return the exit code."""
    survivors, total, known, crashed, began = [], 0, 0, 0, time.monotonic()
    print(f"{'file':32} {'mutants':>8} {'caught':>8} {'survive':>8} {'equal':>6} {'seconds':>8}")
    for room, stem in [("methods", s) for s in METHODS] + [("schedules", s) for s in SCHEDULES]:
        if chosen and stem not in chosen:
            continue
        for check in checks_of(room, stem):
            check()  # the original must pass
        found = list(mutants(ROOT / "src" / "steepest" / room / f"{stem}.py"))
        how = {m: caught(room, stem, m) for m in found}
        alive = [m for m in found if not how[m]]
        crashed += sum(h not in ("", "AssertionError", "Failed") for h in how.values())
        jax.clear_caches()
        equal = [m for m in alive if _key(m) in EQUIVALENT]
        rest = [m for m in alive if m not in equal]
        total, known, survivors = total + len(found), known + len(equal), survivors + rest
        seconds, began = time.monotonic() - began, time.monotonic()
        counts = f"{len(found):8} {len(found) - len(alive):8} {len(rest):8} {len(equal):6}"
        print(f"{room + '/' + stem + '.py':32} {counts} {seconds:8.1f}", flush=True)
    noticed = total - known - len(survivors)
    print(f"{total} mutants: {noticed} caught ({crashed} crash), {known} equivalent by name, {len(survivors)} survive")
    for mutant in survivors:
        print(f"SURVIVES  {mutant.where}  {mutant.change}")
    return 1 if survivors else 0


def _key(mutant: Mutant) -> str:
    place, _, function = mutant.where.partition(" ")
    return f"{place.partition(':')[0]} {function}: {mutant.change}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
