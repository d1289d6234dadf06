from tests.api.conftest import made

__all__ = ["made"]
