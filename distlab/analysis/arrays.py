"""Names for the array types that the statistics take and give."""

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
# Verdict codes, see ``codes``.
CodeArray = npt.NDArray[np.int8]
