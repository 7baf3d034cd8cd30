"""How commands that go on and on are asked to stop."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Stop:
    """Whether a signal has asked for a stop; a second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            os._exit(128 + number)
        self.asked = True
