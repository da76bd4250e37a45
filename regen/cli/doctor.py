"""`regen doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import click

from regen.cli.torch_import import import_torch

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


@click.command("doctor")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Check what this machine has and what is missing.

    Says how to get what is missing. Uses no network. The exit code is 1 if regen cannot work here.
    """
    import_torch()
    from regen.doctor import diagnose

    checks = diagnose()
    width = max(len(check.name) for check in checks)
    for check in checks:
        click.echo(f"{_MARKS[check.status]}  {check.name.ljust(width)}  {check.detail}")
        if check.remedy:
            click.echo(f"{' ' * (8 + width)}-> {check.remedy}")
    failed = sum(check.status == "fail" for check in checks)
    if failed:
        click.echo(f"{failed} of {len(checks)} checks failed", err=True)
        ctx.exit(1)
