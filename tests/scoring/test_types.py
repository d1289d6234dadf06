from distlab.scoring import types
from distlab.scoring.types import BY_CODE, CODES, NO_VERDICT, Verdict
from distlab.view.index import VERDICT_NAMES


def test_one_number_per_verdict_everywhere() -> None:
    assert set(CODES) == set(Verdict)
    assert [BY_CODE[code] for code in CODES.values()] == list(CODES)
    assert NO_VERDICT not in CODES.values()
    for verdict in Verdict:
        assert getattr(types, verdict.name) == CODES[verdict]
        assert VERDICT_NAMES[CODES[verdict]] == verdict.value


def test_the_numbers_that_the_cache_has_stored() -> None:
    """Whoever changes these raises the cache's format."""
    assert CODES == {"correct": 0, "incorrect": 1, "no_answer": 2, "timeout": 3, "error": 4}
