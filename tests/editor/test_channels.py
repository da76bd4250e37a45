"""What pages see."""

from __future__ import annotations

import json

from regen.editor.channels import Channels, line_of
from regen.errors import RegenError
from tests.helpers.editor_session import Pages


def test_a_page_that_opens_sees_what_every_page_sees(pages: Pages) -> None:
    pages.do("target.add", sample={"seed": 3})
    second = Pages(pages.session, pages.worker)
    for channel in ("state", "generator", "unseen", "grid", "preview", "after", "pictures"):
        assert second.last(channel) == pages.last(channel)
    pages.do("target.remove", target=pages.target())
    assert second.state == pages.state and second.state["painting"]["targets"] == []


def test_of_each_channel_the_last_message_is_kept_and_nothing_is_sent_twice() -> None:
    channels, heard = Channels(), list[str]()
    channels.join(heard.append)
    for number in (1, 1, 2):
        channels.show("a", number=number)
    channels.tell("b", number=3)
    assert [json.loads(one)["number"] for one in heard] == [1, 2, 3]
    late: list[str] = []
    channels.join(late.append)
    assert late == [heard[1]]


def test_a_page_that_closes_is_told_nothing_more() -> None:
    channels, heard = Channels(), list[str]()
    channels.join(heard.append)
    channels.leave(heard.append)
    channels.leave(heard.append)
    channels.show("a", number=1)
    channels.say("done", good=True)
    assert heard == []


def test_errors_are_one_line() -> None:
    assert (
        line_of(RegenError("the fit diverged", remedy="lower lr")) == "the fit diverged; lower lr"
    )
    assert line_of(ValueError("two\nlines")) == "Something went wrong in regen: ValueError two"
    assert line_of(KeyError()) == "Something went wrong in regen: KeyError"
    assert len(line_of(ValueError("x" * 1000))) == 300
