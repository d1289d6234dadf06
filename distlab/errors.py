"""The exceptions that a user is meant to read."""


class UserError(Exception):
    """Bad input: one sentence that names the field and the remedy.

    The command line prints the message without a traceback and exits with status 2. Everything
    else that escapes is a fault of ours and keeps its traceback.
    """


class Unavailable(UserError):
    """Something is not to be had here and now: no network, no licence, custom code not allowed.

    A run ends with it; a plan says so and goes on from what is known.
    """
