"""Version 1 of the fingerprint: what counts, what does not, and that it never changes."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.event import Frame
from catchall.core.fingerprint import CURRENT, VERSIONS, Facts, stack_key, v1
from catchall.core.fingerprint.v1 import StackKey, fingerprint, frame_name, template
from tests.support.stacks import frames_of
from tests.unit.pipeline.drafts import fault_drafts

DATA = Path(__file__).parents[2] / "data" / "fingerprints_v1.json"
MESSAGES = [
    ("", ""),
    ("cannot order 'x y' of 1234 at 0x7ff for jane@x.com", "cannot order <text> of <n> at <id> for <email>"),
    ("can't open file '/a/b/c.py' isn't", "can't open file <text> isn't"),
    ("open /srv/a/b.py:12 failed", "open <path>:<n> failed"),
    ("C:\\Users\\x\\y.txt failed", "<path> failed"),
    ("req 550e8400-e29b-41d4-a716-446655440000 took 12.5 ms", "req <id> took <n> ms"),
    ("at 2024-01-02T03:04:05.123Z on 10.0.0.1:80", "at <time> on <n>"),
    ("GET https://x.y/z?q=1 gave 500", "GET <url> gave <n>"),
    ("defaced deadbeef12 sha256 v1.2.3", "defaced <id> sha256 <n>"),
    ("KeyError: sku_48154789", "KeyError: sku_<n>"),
    ("[masked:email] x 日本 55", "[masked:email] x 日本 <n>"),
    ("first line 1\nsecond line 2", "first line <n>"),
]


def frames(*names: str, in_app: bool = True) -> list[Frame]:
    return [Frame(function=name, module="shop.cart", in_app=in_app) for name in names]


def value_of(**fields: object) -> str:
    return fingerprint(Facts(**{"types": [], "stack": StackKey(), "message": ""} | fields)).value  # type: ignore[arg-type]


def current_values() -> dict[str, str]:
    values = {}
    for event in fault_drafts():
        facts = Facts(
            types=[one.error_type for one in event.exceptions],
            stack=stack_key(frames_of(event, len(event.exceptions) - 1), event.platform),
            message=event.message,
        )
        values[event.transaction] = fingerprint(facts).value
    for message, _ in MESSAGES:
        values[f"message: {message}"] = value_of(message=message)
    values["group"] = value_of(types=["A", "B", "C"], stack=stack_key(frames("f"), "python"))
    values["client"] = value_of(client=["a", "{{ default }}"], message="x 1")
    return values


def test_released_values_never_change():
    """When this fails, version 1 was changed: every issue of every installation would split. Make a version 2."""
    assert current_values() == json.loads(DATA.read_text())


def test_it_depends_on_nothing_that_may_change():
    tree = ast.parse(Path(v1.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name for name in modules if name and name.startswith("catchall")} == {"catchall.core.event"}


def test_each_version_signs_its_values():
    assert CURRENT in VERSIONS
    for name, compute in VERSIONS.items():
        found = compute(Facts(types=["E"], stack=StackKey(), message="x"))
        assert (found.version, found.value.partition(":")[0]) == (name, name)


@pytest.mark.parametrize(("message", "shape"), MESSAGES)
def test_templates(message, shape):
    assert template(message) == shape


@given(st.text(max_size=200))
def test_a_template_of_any_text_is_a_text_of_one_line(message):
    assert "\n" not in template(message)


@pytest.mark.parametrize(
    ("frame", "platform", "name"),
    [
        (Frame(module="shop.cart", function="total", lineno=7), "python", "shop.cart.total"),
        (Frame(module="shop.cart", function="<lambda>"), "python", "shop.cart.?"),
        (Frame(module="com.acme.Cart", function="lambda$total$3"), "java", "com.acme.Cart.lambda$total"),
        (Frame(module="com.acme.Cart$$EnhancerBySpringCGLIB$$1a2b", function="get"), "java", "com.acme.Cart.get"),
        (Frame(module="com.sun.proxy.$Proxy12", function="get"), "java", "com.sun.proxy.$Proxy.get"),
        (Frame(module="a.b$$Lambda$14/0x00ff", function="run"), "java", "a.b.run"),
        (Frame(module="m", function="access$000"), "java", "m.access"),
        (Frame(module="m", function="handler_1732412345"), "python", "m.handler"),
        (Frame(module="m", function="run_1a2b3c4d5e"), "python", "m.run"),
        (Frame(module="m", function="sha256"), "python", "m.sha256"),
        (Frame(module="m", function="step_12"), "python", "m.step_12"),
        (
            Frame(filename="https://cdn.x/assets/main-38b2c6f9dc7f.js?v=1", function="t"),
            "javascript",
            "assets/main.js.?",
        ),
        (Frame(filename="webpack-internal:///./src/a/b.tsx", function="Object.load"), "javascript", "src/a/b.tsx.load"),
        (
            Frame(filename="/srv/releases/20240101/shop/cart.php", function="total"),
            "php",
            "releases/shop/cart.php.total",
        ),
        (Frame(filename="C:\\app\\shop\\cart.cs", function="Total(Int32 id)"), "csharp", "app/shop/cart.cs.Total"),
        (Frame(), "python", ""),
    ],
)
def test_names_of_frames(frame, platform, name):
    assert frame_name(frame, platform) == name


def test_frames_of_others_count_only_when_there_are_no_own_ones():
    mixed = [*frames("a"), *frames("lib", in_app=False)]
    assert stack_key(mixed, "python") == StackKey(("shop.cart.a",), own=True)
    assert stack_key(frames("lib", in_app=False), "python") == StackKey(("shop.cart.lib",), own=False)


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_depth_of_a_recursion_does_not_count(one, other):
    def deep(times: int) -> list[Frame]:
        return frames("main", *["walk", "visit"] * times, "leaf")

    assert stack_key(deep(one), "python") == stack_key(deep(other), "python")


def test_a_minified_stack_says_too_little_so_the_message_counts():
    minified = [Frame(filename="app.f5ab4ab9.js", function=name, in_app=True) for name in ("t", "e", "n")]
    key = stack_key(minified, "javascript")
    assert key.weak
    same = {"types": ["TypeError"], "stack": key}
    assert value_of(**same, message="x is not a function") != value_of(**same, message="y is undefined")


def test_types_of_root_and_primary_count():
    stack = stack_key(frames("f"), "python")
    values = {
        value_of(types=types, stack=stack) for types in (["A"], ["B"], ["A", "B"], ["B", "A"], ["A", "X", "C"], ["C"])
    }
    assert len(values) == 6
    assert value_of(types=["A", "X", "B"], stack=stack) == value_of(types=["A", "Y", "B"], stack=stack)


def test_the_clients_parts_are_expanded():
    facts = {"types": ["E"], "message": "order 17", "transaction": "/cart"}
    default = value_of(**facts)
    for part, meaning in [
        ("{{ default }}", default),
        ("{{default}}", default),
        ("{{ type }}", "E"),
        ("{{ error.value }}", "order <n>"),
        ("{{ transaction }}", "/cart"),
        ("{{ unknown }}", "{{ unknown }}"),
    ]:
        assert value_of(**facts, client=["x", part]) == value_of(**facts, client=["x", meaning])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"types": ["ValueError"], "stack": stack_key(frames("a", "total"), "python")},
            "same exception type ValueError and 2 in-app frames ending in shop.cart.total",
        ),
        (
            {"types": ["OSError", "ShopError"], "stack": stack_key(frames("f", in_app=False), "python")},
            "same exception type ShopError and root cause OSError and 1 frame ending in shop.cart.f",
        ),
        ({"message": "order 17 failed"}, 'same message like "order <n> failed"'),
        ({"client": ["a", "b"]}, "same fingerprint set by the client"),
        (
            {"client": ["{{ type }}"], "types": ["E"]},
            "same fingerprint set by the client, with values of the event put in",
        ),
        ({}, "nothing that tells it from other events"),
    ],
)
def test_reasons(fields, reason):
    assert fingerprint(Facts(**{"types": [], "stack": StackKey(), "message": ""} | fields)).reason == reason
