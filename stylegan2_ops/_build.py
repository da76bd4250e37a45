"""Build the library of a device: the one place that runs compilers.

Everything happens in a temporary folder; a finished library is published at once. However a build
ends, and however many run at the same time, what others find is whole, and no compiler is left
running.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegan2_ops import _cache
from stylegan2_ops._cache import Record
from stylegan2_ops._plan import Plan, link_flags
from stylegan2_ops._processes import Commands
from stylegan2_ops._toolchain import BuildError

_LINES_OF_ERRORS = 20


@dataclass(frozen=True)
class Built:
    """The outcome of a build.

    Attributes:
        record: Path of the library's record.
        fresh: False if the library was there already.
    """

    record: Path
    fresh: bool


def build(
    todo: Plan,
    *,
    force: bool = False,
    verbose: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Built:
    """Build a library into the cache, or find it there; several processes may do so at once.

    Args:
        todo: What to build.
        force: Build even if there is a library.
        verbose: Report every command.
        say: Called with messages about what is being done, from several threads.

    Raises:
        BuildError: If a compiler refuses, or the cache cannot be written to.
    """
    cache = Path(os.path.realpath(_cache.folder()))  # no link on the way can be changed meanwhile
    sources, target = todo.sources_digest, cache / f"{todo.record_name}.json"
    with _cache.workplace(target.parent) as temporary:
        if not force and _cache.is_whole(target):
            target.touch()  # of several that fit, the most recently requested is used
            return Built(target, fresh=False)
        say(f"{todo.device}: compiling {len(todo.units)} files with {todo.compiler.version}")
        library = _compile(todo, temporary, say if verbose else lambda _: None)
        if todo.sources_digest != sources:
            raise BuildError("the sources were changed while they were compiled; build again")
        sha256 = _cache.file_sha256(library)
        record = Record(
            device=todo.device,
            library=f"{target.stem}-{sha256[:8]}{library.suffix}",
            sha256=sha256,
            sources=sources,
            torch=torch.__version__,
            compiler=todo.compiler.version,
            cuda=todo.toolkit.release if todo.toolkit else "",
            architectures=todo.architectures,
        )
        _cache.publish(library, record, target)
    return Built(target, fresh=True)


def _compile(todo: Plan, folder: Path, say: Callable[[str], None]) -> Path:
    """Compile and link in `folder`, as many units at once as there are processors."""
    root = Path(torch.__file__).parent
    compile_with = [*todo.compiler.command, f"-I{root / 'include'}"]
    if todo.toolkit and os.environ.get("CXX"):
        compile_with.append(f"-ccbin={shlex.split(os.environ['CXX'])[-1]}")
    commands = [
        [*compile_with, *u.flags, "-c", str(todo.sources / u.source), "-o", str(folder / u.object)]
        for u in todo.units
    ]
    library, running = folder / f"{todo.device}.so", Commands()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        jobs = [pool.submit(_run, running, command, say) for command in commands]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            running.kill()
            pool.shutdown(cancel_futures=True)
            raise
    objects = [str(folder / unit.object) for unit in todo.units]
    link = [*todo.compiler.command, *objects, f"-L{root / 'lib'}", *link_flags(todo.device)]
    try:
        _run(running, [*link, "-o", str(library)], say)
    finally:
        running.kill()
    return library


def _run(running: Commands, command: Sequence[str], say: Callable[[str], None]) -> None:
    """Run a compiler; raise BuildError with the first of its errors if it fails."""
    shown = shlex.join(command)
    say(shown)
    try:
        if shutil.which(command[0]) is None:
            raise FileNotFoundError("No such file or directory")
        done = running.run(command)
    except OSError as error:
        raise BuildError(f"cannot run {command[0]}: {error.strerror or error}") from error
    if done.code != 0:
        lines = done.output.strip().splitlines()
        first = next((i for i, line in enumerate(lines) if "error" in line.lower()), 0)
        text = "\n".join(lines[first : first + _LINES_OF_ERRORS])
        raise BuildError(f"this command failed with exit code {done.code}:\n{shown}\n{text}")
