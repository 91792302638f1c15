"""What a test judges by is looked at: functions of the libraries must be their own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from grader.engine.control import Turned, replaced
from grader.engine.launch import Template, running_template, start_kernel, stop_kernel
from grader.engine.limits import Limits
from grader.engine.protocol import Client, connected, run_cell

TEST = "np.testing.assert_allclose(mean([1.0]), 1.0)"


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with running_template(["numpy", "math"], sandboxed=False) as template:
        yield template


@contextmanager
def after(template: Template, code: str) -> Iterator[Client]:
    kernel = start_kernel(template, Limits())
    try:
        with connected(kernel, Limits(), time.monotonic() + 30, lambda: "") as client:
            assert run_cell(client, code).status == "ok"
            yield client
    finally:
        stop_kernel(template, kernel)


def test_honest_code_replaces_nothing(template: Template) -> None:
    code = "import numpy as np\nfrom math import isclose\nround = 3\n%precision 3\nnp.sum([1])"
    with after(template, code) as client:
        replaced(client)
        replaced(client, [TEST])


@pytest.mark.parametrize(
    ("sources", "code", "name"),
    [
        ([TEST], "np.testing.assert_allclose = print", "numpy.testing.assert_allclose"),
        (
            [TEST],
            "np.testing.assert_allclose.__code__ = (lambda *a: None).__code__",
            "assert_allclose",
        ),
        ([TEST], "import builtins\nbuiltins.all = any", "builtins.all"),
        ([TEST], "import sys\ndel sys.modules['numpy.testing']", "numpy.testing"),
        ([], "np.isclose = lambda *a, **k: np.True_", "numpy.isclose"),
        ([], "np.isclose._implementation.__code__ = (lambda *a: True).__code__", "numpy.isclose"),
        ([], "np.subtract = np.add", "numpy.subtract"),
    ],
)
def test_what_a_test_names_or_is_built_in_is_looked_at_and_in_the_end_all(
    template: Template, sources: list[str], code: str, name: str
) -> None:
    turned = after(template, f"import numpy as np\n{code}")
    with turned as client, pytest.raises(Turned, match=name):
        replaced(client, sources)
