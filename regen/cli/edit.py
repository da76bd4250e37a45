"""`regen edit`: the editor, in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from regen.allocator import keep_freed_memory
from regen.cli.messages import say
from regen.cli.options import device_option, file_type, folder_option, images_option
from regen.cli.torch_import import import_torch


@click.command("edit", epilog="\b\nExample:\n  regen edit --edits examples/eyes.json")
@click.argument("generator", metavar="[GENERATOR]", default="portraits")
@click.option(
    "--edits",
    metavar="FILE",
    type=file_type(),
    help="Edits file to begin with, in place of what was painted when the session ended.",
)
@folder_option(
    help="Folder of the session, which is found again when the command is repeated.  "
    "[default: out/edit/ and the name of the generator's file]"
)
@images_option()
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on, by default one that is free.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 is every one of this machine. With any but a loopback "
    "address other machines can ask for the page; whoever has its address, which travels "
    "unencrypted, can use it.",
)
@click.option("--no-browser", is_flag=True, help="Print the address without opening it.")
@device_option()
def command(
    generator: str,
    edits: Path | None,
    output: Path | None,
    images: Path | None,
    port: int,
    host: str,
    no_browser: bool,
    device: str,
) -> None:
    """Edit a generator's rules in a browser.

    GENERATOR is a name, a file or a run folder, as for --generator elsewhere; by default the
    bundled portraits. Paint where a pattern is and where it goes, see at once what would change,
    learn the rule and watch it, combine rules, and export everything. Needs starlette, uvicorn
    and websockets; requests nothing from other hosts.
    """
    from regen.editor.run import edit
    from regen.generators.names import generator_path

    generator_path(generator)  # raises for a wrong name before an address is printed
    keep_freed_memory()
    folder = output or Path("out", "edit", Path(generator).stem or "generator")
    edit(
        generator,
        folder,
        edits=edits,
        images=images,
        device=device,
        host=host,
        port=port,
        browser=not no_browser,
        before_torch=import_torch,
        say=say,
    )
