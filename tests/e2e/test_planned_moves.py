# SPDX-License-Identifier: Apache-2.0
"""C11, C12, C13, C14, K45: moves that are planned lose no request, with a real API server and
kube-proxy. bench/run moves does more of them."""
import pytest

from harness.moves import KINDS, Moves


@pytest.fixture
def moves(real_api, lab, workdir):
    made = Moves(real_api, lab, workdir)
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_C11_C12_C13_C14_K45_planned_move_loses_no_request(moves, kind):
    for _ in range(2):  # there and back
        KINDS[kind](moves)
    assert moves.failed() == []
