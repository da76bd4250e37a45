"""The HTML page of a report: one function a section, each giving a piece of HTML."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from torch import Tensor

from regen.report.content import (
    DIFFERENCE_GAIN,
    ExemplarView,
    RewriteReport,
    TargetView,
    image_rows,
)
from regen.report.curves import curve_svg
from regen.report.images import contact_sheet_uri, data_uri, outlined_thumbnail
from regen.report.layers import layers_section
from regen.report.metrics_tables import flat_table, metrics_table
from regen.report.text import escape

COLUMNS = 8

INTRODUCTION = """The generator was shown a pattern that it could not have
generated, in {examples}, and learned it as a rule: a small change to a few of its weights. Below
are samples that were not used for learning."""

MAP_EXPLANATION = """The map was computed before anything was learned. It compares the keys that
the generator's memory reads at each position with the keys inside the examples' regions; orange is
where the rule was expected to act, and where the generator was allowed to change."""

EXEMPLAR_EXPLANATION = "The pattern, outlined, is pasted into the image of a target."

DECODED_EXPLANATION = """The backward projector, or gradient steps where there is none, turn the
result into features of the generator. The last image is what these features decode to: what is lost
there can be learned from the image alone."""

TARGET_EXPLANATION = """The image before the rewrite, with an outline around what is replaced; the
image it should become (with the pattern pasted in, or, where recall was measured on values only,
decoded from the pasted features); and the image with the rewrite."""


def render_page(report: RewriteReport) -> str:
    """The whole page, self-contained: no script, nothing fetched."""
    style = files("regen.report").joinpath("style.css").read_text(encoding="utf-8")
    sections = (
        _header,
        _sheet,
        _all_samples,
        _metrics,
        _exemplars,
        _targets,
        _layers,
        _losses,
        _use,
    )
    body = "\n".join(section(report) for section in sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(report.title)}</title>
<link rel="icon" href="data:,">
<style>
{style}</style>
</head>
<body>
<main>
{body}
<footer>Made by regen. Licences of images are those of their sources.</footer>
</main>
</body>
</html>
"""


def _header(report: RewriteReport) -> str:
    count = len(report.targets)
    examples = "one example" if count == 1 else f"{count} examples" if count else "examples"
    found = report.metrics.get("verdict")
    summary = str(found["text"]) if isinstance(found, Mapping) else ""
    return (
        f"<h1>{escape(report.title)}</h1>\n"
        f'<p class="lead">{INTRODUCTION.format(examples=examples)}</p>\n'
        + (f'<p class="verdict">{escape(summary)}</p>\n' if summary else "")
        + "".join(f'<p class="note">{escape(note)}</p>\n' for note in report.notes)
    )


def _sheet(report: RewriteReport) -> str:
    heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in report.labels[:COLUMNS])
    rows = []
    for row in image_rows(report, COLUMNS):
        under = report.before if row.title == "after" else None
        cells = "".join(
            f"<td>{_image(image, row.title, None if under is None else under[i])}</td>"
            for i, image in enumerate(row.images)
        )
        hint = f'<span class="hint">{escape(row.hint)}</span>'
        rows.append(f'<tr><th scope="row">{escape(row.title)}{hint}</th>{cells}</tr>')
    explanation = f"<p>{MAP_EXPLANATION}</p>" if report.similarity is not None else ""
    return (
        "<h2>Before and after</h2>\n"
        "<p>Point at an image of the second row, or press it, to see what was there before. "
        f"The difference is absolute and amplified {DIFFERENCE_GAIN} times.</p>\n"
        f'<div class="scroll"><table class="sheet"><thead><tr><th></th>{heads}</tr></thead>\n'
        f"<tbody>{''.join(rows)}</tbody></table></div>\n{explanation}"
    )


def _all_samples(report: RewriteReport) -> str:
    if len(report.labels) <= COLUMNS:
        return ""
    after, before = contact_sheet_uri(report.after), contact_sheet_uri(report.before)
    return (
        f"<details><summary>All {len(report.labels)} samples "
        "(point or press for before)</summary>\n"
        f"{_flip(after, before, 'all samples')}</details>"
    )


def _metrics(report: RewriteReport) -> str:
    return (
        "<h2>Metrics</h2>\n"
        f"{metrics_table(report.metrics, report.region_source, len(report.labels))}\n"
        f"<details><summary>All metrics</summary>{flat_table(report.metrics)}</details>"
    )


def _exemplars(report: RewriteReport) -> str:
    if not report.exemplars:
        return ""
    cards = "".join(_exemplar_card(view) for view in report.exemplars)
    title, explanation = "How the pattern was pasted", EXEMPLAR_EXPLANATION
    if any(view.decoded is not None for view in report.exemplars):
        title = "How the pattern was projected"
        explanation = f"{EXEMPLAR_EXPLANATION} {DECODED_EXPLANATION}"
    return f'<h2>{title}</h2>\n<p>{explanation}</p>\n<div class="gallery">{cards}</div>'


def _exemplar_card(view: ExemplarView) -> str:
    images = [("the exemplar", _outlined(view.exemplar, view.region))]
    if view.decoded is None:
        images.append(("pasted into the target", view.aligned))
    else:
        images.append(("what was projected", view.aligned))
        images.append(("decoded from its features", view.decoded))
    return _card(view.label, images)


def _targets(report: RewriteReport) -> str:
    if not report.targets:
        return ""
    cards = "".join(_target_card(view) for view in report.targets)
    return f'<h2>The targets</h2>\n<p>{TARGET_EXPLANATION}</p>\n<div class="gallery">{cards}</div>'


def _target_card(view: TargetView) -> str:
    given = [] if view.given is None else [("input", view.given)]
    before = _outlined(view.before, view.region)
    images = [("before", before), ("wanted", view.wanted), ("after", view.after)]
    return _card(view.label, given + images)


def _outlined(image: Tensor, region: Tensor | None) -> Tensor:
    return image if region is None else outlined_thumbnail(image, region)


def _layers(report: RewriteReport) -> str:
    return layers_section(report.layers)


def _losses(report: RewriteReport) -> str:
    if not any(report.losses.values()):
        return ""
    curves = "".join(
        f"<figure><h3>{escape(name)}</h3>{curve_svg(points, name)}"
        f"<figcaption>{points[0][1]:.3g} → {points[-1][1]:.3g}</figcaption></figure>"
        for name, points in report.losses.items()
        if points
    )
    return f'<h2>Learning curves</h2>\n<div class="gallery curves">{curves}</div>'


def _use(report: RewriteReport) -> str:
    lines = [*report.use, "regen info rewrite.safetensors"]
    return f"""<h2>Use it, repeat it</h2>
<p>The rewrite is a separate file beside this page; the generator's file is unchanged. Generate
with it, or with half its strength; repeat <code>--rewrite</code> to combine several:</p>
<pre>{chr(10).join(map(escape, lines))}</pre>
<p>To repeat this run:</p>
<pre>{escape(report.command)}</pre>
<details><summary>All settings</summary>{_settings(report)}</details>"""


def _settings(report: RewriteReport) -> str:
    """All settings, with the source of each where it is known."""
    settings = dict(report.settings)
    said_by = settings.pop("said_by", None)
    return flat_table(settings, said_by if isinstance(said_by, Mapping) else None)


def _card(label: str, images: list[tuple[str, Tensor]]) -> str:
    figures = "".join(
        f"<figure>{_image(image, caption)}<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, image in images
    )
    return f'<div class="group"><h3>{escape(label)}</h3><div class="gallery">{figures}</div></div>'


def _image(image: Tensor, text: str, under: Tensor | None = None) -> str:
    if under is not None:
        return _flip(data_uri(image), data_uri(under), text)
    return f'<img src="{data_uri(image)}" alt="{escape(text)}">'


def _flip(over: str, under: str, text: str) -> str:
    return (
        f'<div class="flip" tabindex="0"><img src="{under}" alt="{escape(text)}, before">'
        f'<img class="over" src="{over}" alt="{escape(text)}"></div>'
    )
