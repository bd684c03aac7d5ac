"""No screen and no key may become dear: what each sends is held to the budgets of bench_wire.py."""

from __future__ import annotations

from tests.bench.bench_wire import BUDGETS, GOALS, wizard
from tests.peers.sandboxed import hubs_port_taken

GROWTH = 1.5


def test_what_each_screen_and_key_sends() -> None:
    with hubs_port_taken():
        spent = wizard()
    assert spent.keys() == BUDGETS.keys()
    assert {what: count for what, count in spent.items() if count > GROWTH * BUDGETS[what]} == {}
    assert {what: count for what, count in spent.items() if count > GOALS.get(what, count)} == {}
