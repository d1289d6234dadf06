"""A grader of your own: numbers are equal within a share of the gold."""

from distlab.problems.problem import Gold, GoldKind


class Within:
    """Numbers within a relative tolerance.

    Args:
        tolerance: Share of the gold that an answer may be off by.

    Raises:
        ValueError: The tolerance is no share.
    """

    name = "within"
    # Raise it with every change that can change a verdict: kept verdicts are for one version.
    version = "1"

    def __init__(self, tolerance: float = 0.01) -> None:
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance is {tolerance}, and must be from 0 to below 1")
        self._tolerance = tolerance

    def applies(self, kind: GoldKind) -> bool:
        """Numbers alone."""
        return kind is GoldKind.NUMBER

    def grade(self, gold: Gold, answer: str) -> bool:
        """Whether the answer is near enough.

        Raises:
            ValueError: The answer is no number; the verdict is then ``error``.
        """
        right = float(gold.text.replace(",", ""))
        return abs(float(answer) - right) <= self._tolerance * abs(right)
