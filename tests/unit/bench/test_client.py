"""When an answer is whole, and whether its connection can be used again."""

from collections import defaultdict

import pytest

from bench.client import answered, requests
from bench.faults import Faults

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_an_answer_is_whole_with_its_last_byte():
    assert [answered(WHOLE[:end]) for end in range(len(WHOLE))] == [None] * len(WHOLE)
    assert answered(WHOLE) == (200, True)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"HTTP/1.1 429 Slow\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", (429, False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, False)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (200, True)),
        (b"HTTP/1.1 200 OK\r\nX-Content-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", (204, True)),
    ],
)
def test_how_an_answer_ends(data, found):
    assert answered(data) == found


def test_without_a_length_the_answer_ends_with_the_connection():
    data = b"HTTP/1.1 200 OK\r\n\r\n{}"
    assert answered(data) is None
    assert answered(data, ended=True) == (200, True)
    assert answered(WHOLE[:-1], ended=True) is None


def test_each_fault_happens_first_once_and_then_the_first_ones_most_often():
    faults = Faults(20)
    numbers = [faults.happen(0.0)[0] for _ in range(1000)]
    assert numbers[:20] == list(range(20))
    assert numbers.count(0) > 3 * numbers.count(19)


def test_a_fault_always_happens_in_the_same_project():
    dsns = [f"http://{key * 32}@127.0.0.1:1/{project}" for project, key in enumerate("abc", start=1)]
    faults = Faults(7)
    projects = defaultdict(set)
    for _, data in requests(dsns, 50, 7):
        projects[faults.happen(0.0)[0]].add(data.split(b"/", 3)[2])
    assert [len(found) for found in projects.values()] == [1] * 7
    assert set.union(*projects.values()) == {b"1", b"2", b"3"}
