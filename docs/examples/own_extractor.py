"""An extractor of your own: the answer is the last line with anything on it."""

from distlab.problems.problem import GoldKind
from distlab.scoring.types import Extraction


class LastLine:
    """The last line that is not blank, without a label in front."""

    name = "last-line"
    # Raise it with every change of what is read: verdicts are scored again then.
    version = "1"

    def __init__(self, label: str = "Answer:") -> None:
        self._label = label

    def extract(self, text: str, kind: GoldKind) -> Extraction:
        """Read the answer, with its place in the text."""
        body = text.rstrip()
        start = body.rfind("\n") + 1
        line = body[start:]
        if line.startswith(self._label):
            start += len(self._label)
        start += len(body[start:]) - len(body[start:].lstrip())
        if start == len(body):
            return Extraction(None, 0, 0, len(text))
        # Without the label, a text that was cut off has not stated its answer yet.
        return Extraction(body[start:], start, len(body), len(text), line.startswith(self._label))
