"""The one exception that a user is meant to read."""


class UserError(Exception):
    """Bad input: one sentence that names the field and the remedy.

    The command line prints the message without a traceback and exits with status 2. Everything
    else that escapes is a fault of ours and keeps its traceback.
    """
