"""`portee serve` checks its port before it starts."""

from __future__ import annotations

import socket

import pytest

from geo.errors import OperatorError
from portee.commands.serve import require_free


def test_a_port_in_use_is_refused_in_words():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OperatorError, match=rf"Le port {port} est déjà pris sur 127\.0\.0\.1"):
            require_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused_in_words():
    with pytest.raises(OperatorError, match=r"Impossible d'écouter 203\.0\.113\.1, port 8080"):
        require_free("203.0.113.1", 8080)
