"""What any one file may cost, whoever made it: the only place where these limits are written.

A small file must cost little. What a reader does because a file asks for it is paid for here, in
bytes of memory and in steps of the processor, before it is done; a file that cannot pay is refused.
The limits keep memory below 1 GB plus three times the file, and a refusal below five seconds.

A *step* is about a microsecond of Python. An honest file holds every byte of its tensors, so the
size of the file bounds the bytes it may ask for: once for its content, once for what is made of it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable

from regen.errors import RegenError

# Steps. The pickle of a 1024x1024 NVIDIA snapshot has 50,000 instructions, a training checkpoint
# with its optimizers about as many; lists of losses may add some hundred thousand numbers.
MOST_STEPS = 800_000
STEPS_OF_A_LOOK = 50_000  # to tell what kind of file it is
CONTAINER_STEPS = 3  # a list, tuple, dict or set, and whatever fills one
SET_STEPS = 4
LINE_STEPS = 1  # of a value that is written as a line, beside its instruction
CALL_STEPS = 4
NAME_STEPS = 8
TENSOR_STEPS = 12
ARRAY_STEPS = 12
ENTRY_STEPS = 20  # of a zip
NESTED_STEPS = 60  # a torch file inside of a pickle
SCANNED_PER_STEP = 16  # items that are looked at, or copied, without anything else
PAIRS_PER_STEP = 8  # pairs of keys that may have to be compared
ESCAPES_PER_STEP = 1

# Bytes. Beside what the file itself holds.
SPARE_BYTES = 32 << 20
TIMES_THE_FILE = 2
ITEM_BYTES = 128  # of an item in a set or dict that is made of a list
LONGEST_WIDE_TEXT_BYTES = 1 << 20  # of a text with characters beyond Latin-1, which take 4 each

# Numbers and shapes.
LONGEST_INTEGER_BYTES = 256
LARGEST_SIZE = 1 << 48
MOST_AXES = 32
MOST_REPEATED_ELEMENTS = 1 << 20  # of a view that repeats the elements of its storage

# Names and keys.
LONGEST_NAME = 200
LONGEST_KEY = 1000
LONGEST_KEY_BITS = 60
LONGEST_KEY_TUPLE = 8

# Structures, as whoever walks through them must bear them.
MOST_LEVELS = 200
MOST_REPEATED_VALUES = 250_000

# Zips.
MOST_ZIP_ENTRIES = 20_000

# Headers of safetensors, and other JSON.
LONGEST_HEADER_BYTES = 8 << 20
MOST_TENSORS = 20_000
DEEPEST_JSON = 64
LONGEST_JSON_NUMBER = 40  # digits
MOST_JSON_PARTS = 200_000  # objects and lists

# Architectures of networks. The largest that are published have 1024 pixels, 512 channels and eight
# layers of mapping; a network is built from its header before its tensors are looked at.
LARGEST_RESOLUTION = 4096
LARGEST_WIDTH = 1 << 16  # of a latent
MOST_CLASSES = 1 << 16
MOST_CHANNELS = 1 << 18
LARGEST_CHANNEL_BASE = 1 << 24
MOST_LAYERS = 64
MOST_TAPS = 32
LARGEST_FILLED_SIDE = 704  # of a network that changes images; one has attention of all with all
MOST_FILLED_PIXELS = 1 << 19  # of an image that it changes: a fourth of a gigabyte of attention
MOST_ROUNDS = 64  # of filling
LARGEST_MADE_UP_BYTES = 64 << 20  # of noise maps that a file lacks
MOST_MADE_UP_NUMBERS = 1 << 24  # that are computed for the mean of w, where a file lacks it


class Budget:
    """What may still be spent on one file.

    Args:
        file_bytes: Its size; 0 for a look that reads no content.
        error: What is raised when it is spent.
        steps: How many it may take.
    """

    def __init__(
        self, file_bytes: int, error: type[RegenError], *, steps: int = MOST_STEPS
    ) -> None:
        self._error = error
        self.bytes_left = TIMES_THE_FILE * file_bytes + SPARE_BYTES
        self.steps_left = steps
        self._tuple_keys = 0

    def spend(self, count_bytes: int) -> None:
        """Take bytes of memory. Raises the error when the file has none left."""
        self.bytes_left -= count_bytes
        if self.bytes_left < 0:
            raise self._error("it grows to far more than its own size when it is read")

    def work(self, steps: int) -> None:
        """Take steps. Raises the error when there are none left."""
        self.steps_left -= steps
        if self.steps_left < 0:
            raise self._error(
                "it is too long for a checkpoint",
                expected=f"what takes at most {MOST_STEPS:,} steps to read",
            )

    def scan(self, items: int) -> None:
        """Take the steps of looking at so many items, or of copying them."""
        self.work(items // SCANNED_PER_STEP)

    def tuple_key(self) -> None:
        """Take the steps of a tuple as a key.

        Tuples can be made to have equal hashes, and each is then compared with all before it.
        """
        self._tuple_keys += 1
        self.work(1 + self._tuple_keys // PAIRS_PER_STEP)


def fits(sizes: Iterable[object]) -> bool:
    """Whether these can be the sizes of an array or tensor, that of an empty one too.

    Sizes beside a zero count as if it were a one: numpy and torch multiply them all the same.

    >>> fits([3, 224]), fits([0, 1 << 30, 1 << 30]), fits([-1]), fits([1.0]), fits([True])
    (True, False, False, False, False)
    """
    product = 1
    for axis, size in enumerate(sizes):
        if type(size) is not int or not 0 <= size <= LARGEST_SIZE or axis >= MOST_AXES:
            return False
        product *= max(size, 1)
        if product > LARGEST_SIZE:
            return False
    return True


def is_finite(value: object) -> bool:
    """Whether a value is a number that a float can hold; a truth value is not one.

    >>> is_finite(3), is_finite(10**400), is_finite(float("nan")), is_finite(True)
    (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max if isinstance(value, int) else math.isfinite(value)
