"""Scripts for Lava, whose imports alone are changed, give what Lava gave (`lava.json`, which `lava_scripts.py record` made)."""

import json

import pytest

import lava_scripts

RECORDED = json.loads(lava_scripts.RECORDED.read_text())


@pytest.mark.parametrize("name", lava_scripts.SCRIPTS)
def test_a_script_of_lavas_gives_what_lava_gave(name):
    got = lava_scripts.plain(lava_scripts.main_of(name, "firelane.lava")())
    expected = RECORDED["scripts"][name]
    assert set(got) == set(expected)
    for key, values in expected.items():
        assert got[key] == values, key


def test_random_networks_give_what_lava_gave():
    assert len(RECORDED["drawn"]) == lava_scripts.DRAWN
    main = lava_scripts.main_of("drawn", "firelane.lava")
    wrong = [seed for seed, digest in enumerate(RECORDED["drawn"]) if lava_scripts.digest(main(seed)) != digest]
    assert wrong == []
    # They do not all do the same.
    assert len(set(RECORDED["drawn"])) == lava_scripts.DRAWN


def test_only_imports_are_changed():
    for name in [*lava_scripts.SCRIPTS, "drawn"]:
        text = (lava_scripts.HERE / "scripts" / f"{name}.py").read_text()
        imports = [line for line in text.split("\n") if "lava." in line.lower() and "import" in line]
        assert len(imports) >= 4 and all(line.startswith("from lava.") for line in imports)
        assert "firelane" not in text
