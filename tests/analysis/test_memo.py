import numpy as np
import pytest

from distlab.analysis import contrasts, memo
from distlab.analysis.contrasts import Mean, contrast
from distlab.analysis.memo import Memo, contents


@pytest.mark.parametrize(
    "values",
    [
        (np.array([1, 0]),),
        (np.array([1.0]), np.array([0.0])),
        (np.array([[1.0, 0.0]]),),
        (np.array([1.0, np.nan]),),
        (np.array([1.0, 0.0]), None),
        (np.array([1.0, 0.0]), np.array(["a", "b"])),
        (np.array([1.0, 0.0]), np.array(["a", "b"], dtype=object)),
    ],
)
def test_whatever_differs_has_another_key(values: tuple[np.ndarray | None, ...]) -> None:
    assert contents(*values) != contents(np.array([1.0, 0.0]))
    assert contents(*values) == contents(*(None if v is None else v.copy() for v in values))


def test_of_too_many_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "_MOST", 2)
    kept: Memo[str] = Memo()
    asked = [kept.of(key, lambda n=n: str(n)) for n, key in enumerate((b"a", b"b", b"a", b"c"))]
    assert asked == ["0", "1", "0", "3"]
    assert [kept.of(key, lambda: "new") for key in (b"a", b"b")] == ["0", "new"]


def test_a_contrast_is_computed_once_and_with_other_settings_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[float] = []
    real = contrasts.sign_flip_test
    monkeypatch.setattr(
        contrasts, "sign_flip_test", lambda sums: computed.append(1.0) or real(sums)
    )
    values = np.random.default_rng(20_261_127).choice([-1.0, 0.0, 1.0], 90)
    first = contrast(Mean(values), resamples=50)
    assert contrast(Mean(values.copy()), resamples=50) is first
    assert len(computed) == 1
    for other in (
        contrast(Mean(values, np.arange(90) // 2), resamples=50),
        contrast(Mean(values, weight=-1.0), resamples=50),
        contrast(Mean(values), resamples=50, seed=1),
        contrast(Mean(values), resamples=50, is_tested=False),
    ):
        assert other is not first
    assert len(computed) == 3 + 1
