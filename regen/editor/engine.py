"""All that is computed for a session, on one opened generator; nothing here knows of pages.

It runs in the worker's thread. What its parts return is JSON, with images as data URIs.
"""

from __future__ import annotations

from pathlib import Path

from regen import api
from regen.editor.exemplars import Exemplars
from regen.editor.kept import Kept
from regen.editor.painting import Json
from regen.editor.previews import Previews
from regen.editor.rules import Rules
from regen.editor.sampling import Sampling
from regen.editor.suggestions import Suggestions
from regen.editor.tasks import Tasks
from regen.editor.views import Views

UNSEEN = 8


class Engine:
    """A generator on its workbench, and what is computed with it.

    Args:
        generator: Name or path.
        kept: The session's folder.
        images: Folder that the generator takes its samples from, if it needs images.
        device: Where to compute; "auto" is a GPU where torch finds one.

    Attributes:
        sampling: What samples are made from, and which there are.
        exemplars: Images that hold a pattern.
        tasks: What paintings are for this generator, and what they lack.
        previews: What a rule would do.
        rules: Those that were learned.
        views: Samples as pages see them.
        suggestions: Regions that the generator proposes.

    Raises:
        RegenError: If the generator cannot be opened, or takes its samples from a folder of images
            and was given none.
    """

    def __init__(
        self, generator: str, kept: Kept, images: Path | None = None, device: str = "auto"
    ) -> None:
        self.name, self.kept = generator, kept
        self.images = None if images is None else images.resolve()
        self.generator = api.open_generator(generator, device=_device(device))
        bench = api.Workbench(self.generator, images=images, unseen=UNSEEN)
        self.sampling = Sampling(bench, self.images)
        self.exemplars = Exemplars(kept)
        self.tasks = Tasks(generator, bench, self.sampling)
        self.previews = Previews(self.tasks)
        self.rules = Rules(self.tasks, kept)
        self.views = Views(self.sampling, self.rules)
        self.suggestions = Suggestions(self.sampling)

    def described(self) -> Json:
        """What a page says of the generator."""
        from regen.runs.convert import formats_of

        return {
            "name": Path(self.name).name,
            "family": self.generator.family,
            "formats": formats_of(self.generator),
            **self.sampling.described(),
        }


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"
