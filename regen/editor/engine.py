"""All that is computed for a session, on one opened generator; nothing here knows of pages.

It runs in the worker's thread; a session's own thread asks it for names of samples at most. What
its parts return is JSON, with images as data URIs.
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
        generator: As it was opened, by the name that edits files are to have.
        kept: The session's folder.
        images: Folder that the generator takes its samples from, if it needs images.

    Attributes:
        sampling: What samples are made from, and which there are.
        exemplars: Images that hold a pattern.
        tasks: What paintings are for this generator, and what they lack.
        previews: What a rule would do.
        rules: Those that were learned.
        views: Samples as pages see them.
        suggestions: Regions that the generator proposes.

    Raises:
        RegenError: If the generator takes its samples from a folder of images and was given none.
    """

    def __init__(self, generator: api.Generator, kept: Kept, images: Path | None = None) -> None:
        self.generator, self.name, self.kept = generator, generator.source_name, kept
        self.images = None if images is None else images.resolve()
        bench = api.Workbench(generator, images=images, unseen=UNSEEN)
        self.sampling = Sampling(bench, self.images)
        self.exemplars = Exemplars(kept)
        self.tasks = Tasks(self.name, bench, self.sampling)
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
