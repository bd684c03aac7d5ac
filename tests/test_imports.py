"""What imports what: the engine no screens, the parts nothing of ours, and a start nothing that is heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "wizard").rglob("*.py")
    if path.name != "__main__.py"
)
PARTS = sorted(path for part in ("material", "formats") for path in (ROOT / "wizard" / part).rglob("*.py"))
LEAVES = ("wizard.inert", "wizard.secret")
"""What a part may use besides: modules that stand on the standard library alone."""
HEAVY = ("textual", "rich", "cryptography", "tree_sitter", "tree_sitter_bash", "psutil", "tomlkit")


def loaded(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has imported after running this code."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_the_engine_never_imports_the_screens() -> None:
    packages = loaded("import importlib\n" + "\n".join(f"importlib.import_module({m!r})" for m in MODULES))
    assert "wizard" in packages
    assert not packages & {"textual", "rich", "screens"}


@pytest.mark.parametrize("module", ["wizard.cli", "wizard.targets", "wizard.targets.hub_rest", "wizard.host"])
def test_what_the_first_frame_needs_is_light(module: str) -> None:
    assert not loaded(f"import {module}") & set(HEAVY)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_a_word_about_itself_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"from wizard.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass"
    assert not loaded(code) & {*HEAVY, "screens"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--version"], False),
        (["plan", "--help"], False),
        (["plan"], False),
        (["plan", "nano", "--help"], True),
    ],
)
def test_targets_are_imported_when_one_is_named(words: list[str], named: bool) -> None:
    code = f"""\
import sys
from wizard.cli import main
try: main({words!r})
except SystemExit: pass
sys.exit(40 + ("wizard.targets" in sys.modules))"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 40 + named, done.stderr


def test_the_screens_open_without_cryptography_or_a_look_at_the_processes() -> None:
    packages = loaded("import screens.start")
    assert "textual" in packages
    assert not packages & {"cryptography", "tree_sitter", "psutil"}


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", PARTS, ids=lambda path: str(path.relative_to(ROOT / "wizard")))
def test_a_part_knows_nothing_of_ours_but_its_own_package(path: Path) -> None:
    own = f"wizard.{path.relative_to(ROOT / 'wizard').parts[0]}"
    ours = [name for name in imported(path) if name.partition(".")[0] in ("wizard", "screens", "tests")]
    assert [name for name in ours if not f"{name}.".startswith((f"{own}.", *LEAVES))] == []


@pytest.mark.parametrize("module", LEAVES)
def test_a_leaf_stands_on_the_standard_library_alone(module: str) -> None:
    names = imported(ROOT / f"{module.replace('.', '/')}.py")
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "path", sorted((ROOT / "wizard").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_only_the_command_line_opens_the_screens(path: Path) -> None:
    screens = [name for name in imported(path) if name.partition(".")[0] in ("screens", "textual", "tests")]
    assert screens == (["screens.start.open_wizard"] if path.name == "cli.py" else [])
