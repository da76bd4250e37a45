"""What images and edits files may cost, whoever made them: the only place where this is written.

A file of a few bytes can declare any number of pixels, and a text any number of shapes. What they
would take is computed before it is spent, and what would take more is refused. The limits keep a
command below 1 GB plus three times the file, and a refusal below five seconds.
"""

from __future__ import annotations

MAX_PIXELS = 175_000_000  # just below the number at which Pillow itself refuses
MAX_SIDE = 65_535  # of JPEG; Pillow spends eight bytes on a row, however short it is
MAX_DECODED_BYTES = 410_000_000  # RGBA of 10,000 x 10,000
MAX_WHOLE_PIXELS = 12_500_000  # of an image at its own size, which takes twelve bytes a pixel
MAX_EDITS_PIXELS = 24_000_000  # of all exemplars, and of all masks, that an edits file names
MAX_SCANNED_PIXELS = 1_500_000_000  # pixels times scans of a JPEG; a file has about ten scans
LARGE_PIXELS = 16_000_000  # from here on, no more is decoded and kept than is needed
MAX_PARTS = 4_000  # chunks of a PNG, tags of a TIFF
MAX_PPM_HEADER_BYTES = 65_536
MIN_PART_BYTES = 1_000  # of a file; one has so many chunks more
MAX_ENTRY_BYTES = 64 << 20  # of an image in a zip
STRIP_PIXELS = 2_000_000  # that are converted at a time

MAX_EDITS_FILE_VALUES = 500_000  # numbers, texts, lists and objects in an edits file
MAX_EDITS = 100  # of a file; one to three are usual
MAX_TARGETS = 100  # of a file
MAX_SHAPES = 64  # of a region; each is carried alone
MAX_POINTS = 30_000  # of a polygon
MAX_CROSSINGS = 4_000_000  # of the outline of a polygon with the lines that cut it
MAX_FILLED_PIXELS = 100_000_000  # in the boxes around the shapes of a region
MAX_FEATHER = 512.0  # pixels
MAX_TRUNCATION = 10.0  # beyond it every network gives noise, and at last nothing but black
MAX_WEIGHT = 1e6  # of a part of a loss
MIN_WEIGHT = 1e-6  # of what a loss cannot be without; float32 takes the tiniest numbers for 0
