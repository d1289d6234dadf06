from tests.runs.written import make_run

__all__ = ["make_run"]
