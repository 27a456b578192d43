import importlib

import pytest


@pytest.mark.parametrize("package", ["shokubai.sli", "shokubai.slo"])
def test_what_a_package_exports_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert all(hasattr(module, name) for name in module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


def test_silences_are_the_same_contract_in_both_packages() -> None:
    assert importlib.import_module("shokubai.slo.model").SILENCES is importlib.import_module("shokubai.sli").SILENCES
