"""The one exception for mistakes that a user can mend."""


class UserError(ValueError):
    """Say in one sentence what was given, what is allowed and how to mend it.

    Programs print the sentence and leave with exit code 2.

    Ours: a class of its own, so that a program can tell a user's mistake from a
    defect of this package, which keeps its traceback.
    """
