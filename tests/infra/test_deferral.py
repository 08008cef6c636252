"""What bundles import later is there for whoever needs it, and does what it did."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from infra.packaging.deferral import IMPORTS, PASSING_ON, defer_imports, inside_functions, on_demand
from infra.packaging.source import Unfamiliar
from tests.infra.interpreter import printed

PASSED_ON = """
import sys
from aws_lambda_powertools.event_handler import *
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.data_classes import event_source
assert "aws_lambda_powertools.utilities.data_classes.s3_event" not in sys.modules
assert APIGatewayHttpResolver.__module__ == "aws_lambda_powertools.event_handler.api_gateway"
assert event_source.__module__ == "aws_lambda_powertools.utilities.data_classes.event_source"
for name in set(data_classes.__all__) - {"event_source"}:
    assert getattr(data_classes, name).__name__ == name
try:
    data_classes.Nothing
except AttributeError as error:
    print(error)
"""
CERTIFICATES = """
import sys
from azure.identity import CertificateCredential
from azure.identity._internal import AadClientCertificate
assert "cryptography" not in sys.modules
from datetime import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
key, nobody = rsa.generate_private_key(65537, 2048), x509.Name([])
made = x509.CertificateBuilder(nobody, nobody, key.public_key(), 1, datetime(2026, 1, 1), datetime(2036, 1, 1))
pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
CertificateCredential("tenant", "client", certificate_data=pem)
signed = AadClientCertificate(pem).sign_rs256(b"text")
key.public_key().verify(signed, b"text", padding.PKCS1v15(), hashes.SHA256())
print("verified")
"""
COROUTINES = """
import sys
import wrapt
assert "asyncio" not in sys.modules
async def one():
    return "awaited"
print(wrapt.async_to_sync(one)())
"""
DOCUMENTATION = """
import sys
from botocore.session import get_session
sqs = get_session().create_client("sqs", region_name="eu-west-1")
assert not {"botocore.docs.service", "html.parser"} & set(sys.modules)
print("**Response Syntax**" in str(sqs.send_message.__doc__))
"""


@pytest.mark.parametrize(
    ("layer", "program", "says"),
    [
        (".", PASSED_ON, "module 'aws_lambda_powertools.utilities.data_classes' has no attribute 'Nothing'\n"),
        ("azure", CERTIFICATES, "verified\n"),
        (".", COROUTINES, "awaited\n"),
        (".", DOCUMENTATION, "True\n"),
    ],
    ids=["passed-on", "certificates", "coroutines", "documentation"],
)
def test_it_does_what_it_did_and_is_not_imported_before(
    layers: dict[str, Path], layer: str, program: str, says: str
) -> None:
    assert printed(program, layers[layer]) == says


def written(layers: dict[str, Path], module: str) -> str:
    """A module's source as all layers have it that have it at all."""
    (source,) = {(layer / module).read_text() for layer in layers.values() if (layer / module).exists()}
    return source


@pytest.mark.parametrize("module", IMPORTS)
def test_a_module_imports_nothing_at_once_that_is_to_be_imported_later(layers: dict[str, Path], module: str) -> None:
    at_once = [ast.unparse(it) for it in ast.parse(written(layers, module)).body]

    assert not [
        it for it in at_once for package in IMPORTS[module] if it.startswith((f"import {package}", f"from {package}"))
    ]


@pytest.mark.parametrize("package", PASSING_ON)
def test_a_package_passes_on_most_of_what_it_names_on_demand(layers: dict[str, Path], package: str) -> None:
    tree = ast.parse(written(layers, f"{package}/__init__.py"))

    assert len([it for it in tree.body if isinstance(it, ast.ImportFrom)]) <= 1
    assert [it.name for it in tree.body if isinstance(it, ast.FunctionDef)] == ["__getattr__"]


def test_functions_import_what_they_name_behind_their_docstrings() -> None:
    source = """
import asyncio
from a.b import (
    c,
    d as e,
)
from az import c as other

class It:
    @property
    def both(self):
        '''Both.'''
        @e
        def inner():
            return c
        return inner, other

    async def later(self, delay=other):
        return await asyncio.sleep(delay)

def none():
    pass
"""

    assert (
        inside_functions(source, {"a", "asyncio"})
        == """
from az import c as other

class It:
    @property
    def both(self):
        '''Both.'''
        from a.b import c
        from a.b import d as e
        @e
        def inner():
            return c
        return inner, other

    async def later(self, delay=other):
        import asyncio
        return await asyncio.sleep(delay)

def none():
    pass
"""
    )


@pytest.mark.parametrize(
    "use",
    [
        "x = a.b",
        "class C(a.B): pass",
        "class C:\n    x: a.B",
        "@a.b\ndef f():\n    pass",
        "def f(x=a):\n    pass",
        "def f(x: a.B):\n    pass",
        "def f() -> a.B:\n    pass",
        "f = lambda: a",
        "def f(a):\n    return a",
        "def f():\n    a = 1\n    return a",
        "def f(): return a",
    ],
)
def test_what_is_evaluated_at_once_or_means_another_is_unfamiliar(use: str) -> None:
    with pytest.raises(Unfamiliar):
        inside_functions(f"import a\n{use}\n", {"a"})


def test_nothing_to_put_off_is_unfamiliar() -> None:
    with pytest.raises(Unfamiliar):
        inside_functions("import ab\nfrom .a import b\n", {"a"})
    with pytest.raises(Unfamiliar):
        on_demand("from a import b as c\n")
    with pytest.raises(Unfamiliar):
        on_demand("from .a import b\n\ndef __getattr__(name):\n    pass\n")


def test_a_package_keeps_what_it_uses_and_what_is_named_like_a_module() -> None:
    kept = [
        "from __future__ import annotations",
        "from .a import a",
        "from .b import c",
        "from .d import e as f",
        "x = c",
    ]
    source = "\n".join([*kept, "from .g import (\n    h,\n    i,\n)", "from p.q import r", ""])

    deferred = on_demand(source)

    assert deferred.splitlines()[: len(kept)] == kept
    assert "_ON_DEMAND = {'h': '.g', 'i': '.g', 'r': 'p.q'}" in deferred
    assert not [it for it in ast.parse(deferred).body[len(kept) :] if isinstance(it, ast.ImportFrom)]


def test_a_file_that_may_be_linked_to_an_installers_is_never_written_into(tmp_path: Path) -> None:
    installed, linked = tmp_path / "installed.py", tmp_path / "wrapt" / "synchronization.py"
    installed.write_text("import asyncio\n\ndef f():\n    return asyncio\n")
    linked.parent.mkdir()
    os.link(installed, linked)
    before = installed.read_text()

    defer_imports(tmp_path)

    assert installed.read_text() == before != linked.read_text()


def test_a_module_that_is_written_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    module = tmp_path / "wrapt" / "synchronization.py"
    module.parent.mkdir()
    module.write_text(source := "import asyncio\n\nloop = asyncio.new_event_loop\n")

    defer_imports(tmp_path)

    assert module.read_text() == source
