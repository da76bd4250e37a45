"""What tests give a reader to spend."""

from regen.errors import UnpicklingError
from regen.files.budget import Budget


def budget_for(file_bytes):
    """The budget of a pickle of this size."""
    return Budget(file_bytes, UnpicklingError)
