"""One call, looked at closely."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmproxy_core.home import Home
from llmproxy_core.model import Part, PartKind
from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import reading
from llmproxy_core.tui.body_lines import body_lines
from llmproxy_core.tui.widgets.conversation import Conversation
from llmproxy_core.tui.widgets.fold import Fold
from llmproxy_core.tui.widgets.live_answer import settled
from llmproxy_core.tui.widgets.turn import PREFIX_STYLE, TurnView, part_widgets
from tests.tui import demo, family
from tests.tui.memory import MemorySource
from tests.tui.stage import Stage, on_stage, until


def opus() -> Flow:
    return demo.flows()[2]


async def open_flow(stage: Stage, row: int = 2) -> None:
    await stage.press(*["down"] * row, "enter")
    await until(lambda: stage.detail.reading is not None)


async def test_the_conversation_has_roles_markdown_and_folds(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("user", "Why do they fail?", "Three tests fail for one reason")
        await stage.sees("▸ call Edit")
        assert "**one**" not in stage.text()


async def test_tags_in_what_was_said_are_shown(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.press("home")
        await stage.sees("<system-reminder>be brief</system-reminder>")


async def test_folds_open_and_close(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(120, 60)) as stage:
        await open_flow(stage)
        await stage.sees("▸ result")
        await stage.press("e")
        await stage.sees("▾ result", '"command": "pytest -q"', '"path": "clock.py"')
        await stage.press("e")
        await stage.sees("▸ result")


async def test_a_fold_opens_with_the_keyboard(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home, size=(120, 60)) as stage:
        await open_flow(stage)
        await stage.sees("▸ call Edit")
        await stage.press("shift+tab", "enter")
        await until(lambda: "▾" in stage.text())


async def test_an_answer_grows_while_it_streams(source: MemorySource, home: Home) -> None:
    running = demo.flows()[0]
    async with on_stage(source, home) as stage:
        await open_flow(stage, row=1)
        await stage.sees("assistant … writing", "I run the tests first.")
        source.stream(running.id, demo.delta(running, 1, "\n\nThen I **fix** ", "text"))
        await stage.sees("Then I fix")
        source.stream(running.id, demo.delta(running, 2, "what fails.\n\n```python\nx = 1\n```\n"))
        await stage.sees("Then I fix what fails.", "x = 1")


async def test_streaming_reasoning_and_tools_are_kept_apart(
    source: MemorySource, home: Home
) -> None:
    running = demo.flows()[0]
    source.deltas_of[running.id] = []
    async with on_stage(source, home) as stage:
        await open_flow(stage, row=1)
        source.stream(
            running.id,
            demo.delta(running, 0, "I should think.", "reasoning"),
            demo.delta(running, 1, "Done thinking.", "text"),
            demo.delta(running, 2, '{"command": "ls"}', "tool_call"),
        )
        await stage.sees("I should think.", "Done thinking.", '{"command": "ls"}')


async def test_a_running_call_that_ends_shows_its_answer(source: MemorySource, home: Home) -> None:
    running = demo.flows()[0]
    done = replace(opus(), id=running.id, started_at=running.started_at)
    async with on_stage(source, home) as stage:
        await open_flow(stage, row=1)
        await stage.sees("assistant … writing")
        source.details[running.id] = demo.detail(done)
        source.put(done)
        await stage.sees("Three tests fail for one reason")
        assert "writing" not in stage.text()


async def test_the_view_follows_a_stream_unless_one_scrolled_up(
    source: MemorySource, home: Home
) -> None:
    running = demo.flows()[0]
    async with on_stage(source, home, size=(80, 24)) as stage:
        await open_flow(stage, row=1)
        for n in range(1, 30):
            source.stream(running.id, demo.delta(running, n, f"\n\nline {n}"))
        await stage.sees("line 29")
        stage.detail.query_one(Conversation).scroll_to(y=0, animate=False)
        await stage.pilot.pause()
        source.stream(running.id, demo.delta(running, 30, "\n\nline 30"))
        await stage.pilot.pause(0.3)
        assert "line 30" not in stage.text()


async def test_bodies_headers_timing_and_difference_have_tabs(
    source: MemorySource, home: Home
) -> None:
    async with on_stage(source, home, size=(120, 50)) as stage:
        await open_flow(stage)
        await stage.press("2")
        await stage.sees(
            "POST https://api.anthropic.com:443/v1/messages", '"model": "claude-opus-4-5"'
        )
        await stage.press("3")
        await stage.sees("passed on as it came", '"stop_reason"')
        await stage.press("4")
        await stage.sees("x-api-key: fp_4c1a90de77b2", "request-id: req_011")
        await stage.press("5")
        await stage.sees("waiting for the answer", "820ms", "60 tokens/s")
        await stage.press("right")
        await stage.sees("This is the first turn of its session")


async def test_the_difference_is_what_this_turn_added(source: MemorySource, home: Home) -> None:
    before, now = demo.flows()[7], opus()
    source.details[before.id] = demo.detail(before, turns=1, ask="And then?")
    source.details[now.id] = demo.detail(now, turns=2, previous=before.id)
    async with on_stage(source, home, size=(120, 50)) as stage:
        await open_flow(stage)
        await stage.press("6")
        await stage.sees("4 messages as before, 1 gone or changed, 5 added")
        await stage.sees("-And then?", "+Turn 2: please run the tests.")
        await stage.press("left_square_bracket")
        await until(lambda: stage.detail.detail and stage.detail.detail.flow.id == before.id)


async def test_next_and_previous_go_through_the_table(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.press("n")
        await until(lambda: stage.detail.detail and stage.detail.flow_id == demo.flows()[3].id)
        await stage.press("b", "b")
        await until(lambda: stage.detail.flow_id == demo.flows()[0].id)
        await stage.press("escape")
        assert stage.current().id == demo.flows()[0].id


async def test_a_call_says_what_it_comes_from_and_p_goes_there(
    source: MemorySource, home: Home
) -> None:
    child, parent = demo.flows()[2], demo.flows()[7]
    source.details[child.id].request.relation = "retry"
    source.details[child.id].request.parent_id = parent.id
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees(f"retry of {str(parent.id)[-6:]}  (p goes there)")
        await stage.press("p")
        await until(lambda: stage.detail.flow_id == parent.id)


async def test_a_sub_agent_names_the_tool_that_called_it(home: Home) -> None:
    source = family.source()
    child = demo.flows()[2]
    request = source.details[child.id].request
    request.relation, request.parent_id = "subagent", family.id_of(2)
    request.parent_call = family.CALL
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees(
            f"sub-agent of {str(family.id_of(2))[-6:]}, called by Task toolu_01Explore"
        )


async def test_a_missed_cache_is_explained(source: MemorySource, home: Home) -> None:
    child = demo.flows()[2]
    source.details[child.id].request.relation = "append"
    source.details[child.id].request.parent_id = demo.flows()[7].id
    source.missed[child.id] = family.missed()
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("▲ 9,900 of 9,900 cached tokens were not read: the client changed")


async def test_estimated_numbers_are_marked_and_say_why(source: MemorySource, home: Home) -> None:
    flow = replace(demo.flows()[7], estimated=True, output_tokens=77)
    detail = demo.detail(flow)
    assert detail.response is not None
    detail.response.estimated = True
    source.kept[flow.id], source.details[flow.id] = flow, detail
    async with on_stage(source, home) as stage:
        await stage.sees("~77")
        await open_flow(stage, 7)
        await stage.sees("~77 out", "tokens and cost are estimated: the answer was cut short")


async def test_a_body_that_was_dropped_says_why(source: MemorySource, home: Home) -> None:
    detail = source.details[demo.flows()[2].id]
    detail.request.body, detail.request.body_kept = b"", "dropped"
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("the body is not stored: the journal was at its limit")


async def test_h_shows_a_body_as_bytes_and_back(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.press("3")
        await stage.sees('"type": "message"')
        await stage.press("h")
        await stage.sees("00000000  7b 22 69 64")
        await stage.press("h")
        await stage.sees('"type": "message"')


async def test_words_are_found_in_a_body(source: MemorySource, home: Home) -> None:
    source.details[opus().id] = demo.detail(opus(), turns=40)
    async with on_stage(source, home, size=(100, 24)) as stage:
        await open_flow(stage)
        await stage.press("2", "slash")
        await stage.type("turn 38")
        await stage.press("enter")
        await stage.sees("Turn 38: please run")
        await stage.press("escape")
        await stage.press("1")
        await stage.sees("Why do they fail?")


async def test_both_bodies_are_saved_byte_for_byte(
    source: MemorySource, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.press("o")
        file = tmp_path / f"{opus().id}.request"
        await until(file.exists)
        assert file.read_bytes() == source.details[opus().id].request.body
        assert file.stat().st_mode & 0o777 == 0o600


async def test_the_answer_is_copied(source: MemorySource, home: Home) -> None:
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.press("y")
        assert stage.app.clipboard == demo.ANSWER


async def test_a_call_that_is_gone_says_so(source: MemorySource, home: Home) -> None:
    del source.details[opus().id]
    async with on_stage(source, home) as stage:
        await stage.press("down", "down", "enter")
        await stage.sees("There is no call")


async def test_a_conversation_of_four_hundred_messages_opens_at_once(
    source: MemorySource, home: Home
) -> None:
    detail = demo.detail(opus(), turns=100, ask="The last question")
    body = json.loads(detail.request.body)
    for message in body["messages"]:
        if isinstance(message["content"], str):
            message["content"] += " lorem ipsum" * 400
    detail.request.body = json.dumps(body).encode()
    assert len(detail.request.body) > 900_000
    source.details[opus().id] = detail
    async with on_stage(source, home) as stage:
        began = time.process_time()
        await open_flow(stage)
        await stage.sees("The last question")
        assert time.process_time() - began < 5  # far from what it takes: only a guard
        assert len(stage.detail.query(TurnView)) < 20


async def test_scrolling_up_loads_the_earlier_messages(source: MemorySource, home: Home) -> None:
    source.details[opus().id] = demo.detail(opus(), turns=30)
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("Why do they fail?")
        conversation = stage.detail.query_one(Conversation)
        while not conversation.query(TurnView).first().label.startswith("1/"):
            conversation.scroll_to(y=5, animate=False)
            await stage.pilot.pause()
            conversation.scroll_to(y=0, animate=False)
            await stage.pilot.pause(0.05)
        await stage.press("home")
        await stage.sees("system", "1/123")
        await stage.press("end")
        await stage.sees("call Edit")


async def test_home_goes_to_the_first_message_of_a_long_conversation(
    source: MemorySource, home: Home
) -> None:
    source.details[opus().id] = demo.detail(opus(), turns=90)
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("Why do they fail?")
        await stage.press("home")
        await stage.sees("1/363", "Turn 1: please run the tests.")
        assert len(stage.detail.query(TurnView)) < 20


async def test_hostile_text_is_harmless_everywhere(source: MemorySource, home: Home) -> None:
    evil = "\x1b[2J\x1b]52;c;b3du\x07 [bold]markup[/] [link=x]l[/link] \u202eabc <b>tag</b> \x9b31m"
    detail = demo.detail(opus(), ask=evil + "\n\n```\n" + evil + "\n```\n| a |\n|---|\n| [x] |")
    detail.request.headers.append(("x-evil", evil))
    assert detail.response is not None
    detail.response.headers.append(("[red]", evil))
    source.details[opus().id] = detail
    async with on_stage(source, home, size=(100, 50)) as stage:
        await open_flow(stage)
        for key in ("1", "e", "2", "3", "4", "5", "6"):
            await stage.press(key)
            await stage.pilot.pause(0.1)
            assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(stage.text())
        await stage.press("1")
        await stage.sees("[bold]markup[/]", "<b>tag</b>")


def test_a_body_that_is_not_text_is_shown_as_bytes() -> None:
    lines = body_lines(bytes(range(256)) * 4, [("content-type", "image/png")], "full")
    assert lines[0].text.startswith("00000000  00 01 02")


@given(st.binary(), st.sampled_from(["", "gzip", "br", "text/event-stream", "application/json"]))
@example(b"[" * 500 + b"]" * 500, "")
@example(b'{"a": "\\ud800\\u0000\\u001b[2J"}', "")
def test_any_body_can_be_shown(body: bytes, kind: str) -> None:
    headers = [("content-type", kind), ("content-encoding", kind)]
    for line in body_lines(body, headers, "full"):
        assert not set(line.text) & set("\x1b\x00\n\ud800")


@given(st.text(), st.sampled_from(get_args(PartKind.__value__)))
@example("[" * 500 + "]" * 500, "tool_call")
@example('{"a": 123456789012345678901234567890}', "tool_result")
def test_any_part_of_a_message_can_be_shown(text: str, kind: PartKind) -> None:
    widgets = part_widgets(Part(kind, text, name=text, id=text))
    for fold in (widget for widget in widgets if isinstance(widget, Fold)):
        assert fold._inside()


@given(st.text(alphabet=st.sampled_from("ab`\n "), max_size=80))
def test_what_is_settled_of_a_growing_text_stays_settled(text: str) -> None:
    cuts = [settled(text[:n]) for n in range(len(text) + 1)]
    assert all(cut <= n for n, cut in enumerate(cuts))
    assert settled(text) == 0 or text[: settled(text)].endswith("\n\n")


def test_a_stream_is_shown_by_its_events() -> None:
    body = b'event: message_start\ndata: {"type":"x"}\n\n'
    lines = body_lines(body, [("content-type", "text/event-stream")], "full")
    assert [(line.text, line.paint) for line in lines[:2]] == [
        ("event: message_start", "busy"),
        ('{"type":"x"}', "json"),
    ]


def test_a_body_too_large_to_show_is_cut_and_says_so() -> None:
    body = json.dumps(["word"] * 1_000_000).encode()
    lines = body_lines(body, [], "full")
    assert lines[0].text == "the first 2.0 MB of 8.0 MB; o saves all of it"
    assert sum(len(line.text) for line in lines) < 2_100_000


def test_an_unreadable_request_still_has_its_answer() -> None:
    detail = demo.detail(opus())
    detail.request.body = b"{not json"
    read = reading.read(detail)
    assert read.problem
    assert [turn.role for turn in read.turns] == ["assistant"]


async def test_a_tool_has_the_client_s_name_after_the_prefix(
    source: MemorySource, home: Home
) -> None:
    for flow_id, detail in source.details.items():
        flow = replace(detail.flow, namespace="payments", namespace_prefix="Ed")
        request = replace(detail.request, namespace_prefix="Ed", shortened={"Bash": "run_it"})
        source.details[flow_id] = replace(detail, flow=flow, request=request)
    async with on_stage(source, home, size=(120, 50)) as stage:
        await open_flow(stage)
        await stage.sees("Namespace payments · prefix Ed", "▸ call Edit")
        titles = [fold.title for fold in stage.detail.query(Fold)]
        edit = next(title for title in titles if title.plain.startswith("call Edit"))
        dimmed = [(span.start, span.end) for span in edit.spans if span.style == PREFIX_STYLE]
        assert (5, 7) in dimmed


async def test_it_is_told_why_names_were_left_alone(source: MemorySource, home: Home) -> None:
    for flow_id, detail in source.details.items():
        source.details[flow_id] = replace(detail, flow=replace(detail.flow, left_alone="signed"))
    async with on_stage(source, home) as stage:
        await open_flow(stage)
        await stage.sees("Namespace default · names of tools left alone: its body is signed")
