"""Types and style: what checkers say of the package, and that its stubs are of the module that they describe."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def check(*command, at=HERE):
    done = subprocess.run([sys.executable, "-m", *command], cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_is_typed_and_a_script_sees_it():
    config = HERE.parent / "pyproject.toml"
    said = check("mypy", "--config-file", str(config), "--cache-dir", "/dev/null", "typed.py")
    assert "no issues found in 1 source file" in said
    check("mypy", "--config-file", str(config), "--cache-dir", "/dev/null", "-p", "firelane")


def test_the_stubs_are_those_of_the_module():
    assert "no issues found in 1 module" in check("mypy.stubtest", "firelane._firelane")


def test_the_style_is_the_houses():
    check("ruff", "check", "--quiet", ".", at=HERE.parent)
    check("ruff", "format", "--quiet", "--check", ".", at=HERE.parent)
