"""What a broken promise raises."""


class ViolationError(AssertionError):
    """A promise was broken; the text says which, and for whom."""
