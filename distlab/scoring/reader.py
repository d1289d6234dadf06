"""What runs an extractor: one of ours here, one of the user's in a process of its own.

Run as ``python -m distlab.scoring.reader FD``. A text gets as long as a grader of the user's would
have for an answer; a process that ends at a text, or is stuck in code that no signal interrupts,
is started anew, and one text costs no other.
"""

import socket
import subprocess

from distlab.errors import UserError
from distlab.importing import is_ours
from distlab.problems.problem import GoldKind
from distlab.scoring.judging import extract, unread
from distlab.scoring.overrun import Overrun, interrupted
from distlab.scoring.pool import PoolSettings
from distlab.scoring.processes import NurseryDied, start_module
from distlab.scoring.sampled_text import SampledText
from distlab.scoring.types import ComponentSpec, Extraction, load_extractor
from distlab.scoring.worker import Hangup, receive, run, send

# Wall seconds for the process to import the user's code; per second of a text's patience, those
# after which it is killed (ours).
_START_S = 120.0
_STUCK = 1.5
# A process may end at a text because of the machine: the text is given to another one, once.
_ATTEMPTS = 2

Reading = tuple[Extraction, bool]
"""The extraction, and whether the extractor tripped, took too long or ended its process."""


class Reader:
    """Reads samples with one extractor. Not thread-safe.

    Args:
        spec: The extractor.
        settings: How long a text may take one of the user's.

    Raises:
        UserError: It cannot be made.
    """

    def __init__(self, spec: ComponentSpec, settings: PoolSettings) -> None:
        self._extractor = load_extractor(spec)
        self._spec, self._settings = spec, settings
        self._process: _Process | None = None

    def read(self, sampled: SampledText, kind: GoldKind) -> Reading:
        """What counts as a sample's answer.

        Raises:
            UserError: The process that reads cannot be started.
        """
        if is_ours(self._spec.target):
            return extract(self._extractor, sampled, kind)
        for _ in range(_ATTEMPTS):
            if self._process is None:
                self._process = _Process(self._spec, self._settings)
            try:
                return self._process.read(sampled, kind)
            except TimeoutError:
                self.close()
                break
            except (Hangup, OSError):
                self.close()
        return unread(sampled), True

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process = None


class _Process:
    """A process with an extractor in it."""

    def __init__(self, spec: ComponentSpec, settings: PoolSettings) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process: subprocess.Popen[bytes] = start_module(__name__, theirs)
            except NurseryDied as error:
                self._control.close()
                raise UserError(
                    f"no process can be started to read with {spec.name}: {error}"
                ) from error
        self._control.settimeout(_START_S)
        send(self._control, (spec, settings))
        try:
            receive(self._control)
        except (Hangup, OSError) as error:
            self.kill()
            raise UserError(
                f"the process that reads with `extractor.use.{spec.name}.target` {spec.target!r} "
                "ends before it reads anything: correct its code"
            ) from error
        self._control.settimeout(settings.patience_s * _STUCK)

    def read(self, sampled: SampledText, kind: GoldKind) -> Reading:
        send(self._control, (sampled, kind))
        found: Reading = receive(self._control)
        return found

    def kill(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()


def serve(control: socket.socket) -> None:
    """Read what is sent until the other end hangs up."""
    spec, settings = receive(control)
    extractor = load_extractor(spec)
    send(control, "ready")
    while True:
        sampled, kind = receive(control)
        try:
            with interrupted(settings):
                found = extract(extractor, sampled, kind)
        except Overrun:
            found = (unread(sampled), True)
        send(control, found)


def main() -> None:
    """Entry point; argv[1] is the control socket's descriptor."""
    run(serve)


if __name__ == "__main__":
    main()
