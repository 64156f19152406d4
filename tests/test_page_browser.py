"""The page in a real Chromium: what users see and do, by mouse and keyboard, on desks and phones, in both languages."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from page_server import Sources, Terms, Words, app, entities, served, taiyi
from taiyi.checkpoint import Learned
from taiyi.evaluate import documents
from taiyi.use.backing import Backing

CHROMIUM = os.environ.get("TAIYI_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no Chromium here: apt-get install chromium, or name one in TAIYI_CHROMIUM"
)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
BACKING = Backing(Sources(), Terms())  # pyright: ignore[reportArgumentType]
HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>&lt;b&gt; \"quoted\" "


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@pytest.fixture(scope="module")
def words() -> Words:
    return taiyi()


@pytest.fixture(scope="module")
def at(words: Words, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("report")
    (folder / "report.html").write_text(
        '<title>Scores</title><style>p{color:red}</style><p>Scores</p><a href="documents.html">all</a>',
        encoding="utf-8",
    )
    documents.write("Test", [], folder)
    with served(app(words, report=folder)) as address:
        yield address


@pytest.fixture(scope="module")
def sourced() -> Iterator[str]:
    """A server with sources and a terminology."""
    with served(app(backing=BACKING)) as address:
        yield address


@contextmanager
def watched(context: BrowserContext, at: str) -> Iterator[Page]:
    """A page that asks nobody but its server, and breaks none of its rules."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(at)
    page.wait_for_selector("#fields textarea", state="attached")
    yield page
    assert all(url.startswith((at, "blob:", "data:")) for url in asked), asked
    # The browser itself notes each answer that is an error.
    assert not [fault for fault in faults if "Failed to load resource" not in fault], faults
    assert page.evaluate("window.hit") is None, "a text was run"
    page.close()


@contextmanager
def opened(browser: Browser, at: str, *, lang: str = "en-US", size: tuple[int, int] = (1280, 900)) -> Iterator[Page]:
    """A page of somebody who was never here before."""
    context = browser.new_context(locale=lang, viewport={"width": size[0], "height": size[1]})
    with watched(context, at) as page:
        yield page
    context.close()


@pytest.fixture(scope="module")
def desk(browser: Browser) -> BrowserContext:
    return browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})


@pytest.fixture
def page(desk: BrowserContext, at: str) -> Iterator[Page]:
    with watched(desk, at) as made:
        yield made


def run(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.click("#run")
    page.wait_for_selector("#found .marked")


def marks(page: Page) -> list[str]:
    """The texts of the marks, each without what is nested deeper in a label."""
    return page.locator("#found mark").all_text_contents()


# --- tasks -----------------------------------------------------------------------------------------------------------


def test_mentions_stand_in_place_nested_and_named(page: Page, words: Words) -> None:
    page.click("#example")
    text = page.input_value("#text")
    page.click("#run")
    page.wait_for_selector("#found mark")
    assert page.locator("#found .source").text_content() == text
    assert sorted(marks(page)) == sorted(one.text for one in entities(text, ()))
    inner = page.locator("mark mark", has_text="lung")
    assert inner.text_content() == "lung"
    assert inner.get_attribute("data-type") == "anatomy"
    assert inner.locator("xpath=..").text_content() == "lung tuberculosis"
    assert page.evaluate("getComputedStyle(document.querySelector('mark mark'), '::after').content") == '"anatomy"'
    expect(page.locator("button.type", has_text="disease").locator("b")).to_have_text("6")
    inner.hover()
    expect(page.locator(".detail")).to_contain_text("anatomy: lung. Characters")
    assert words.asked[-1]["types"] == []
    # Hidden types are no longer marked, and the text stays.
    page.locator("button.type", has_text="disease").click()
    assert "lung tuberculosis" not in marks(page) and "lung" in marks(page)
    assert page.locator("#found .source").text_content() == text


def test_types_are_chosen_named_and_defined(page: Page, words: Words) -> None:
    page.locator(".chip", has_text="chemical").click()
    page.locator(".chip", has_text="gene").click()
    run(page, "Aspirin and aspirin with TP53 in lung.")
    assert marks(page) == ["aspirin", "TP53"]
    assert words.asked[-1]["types"] == ["chemical", "gene"]
    page.locator("summary", has_text="Types of your own").click()
    page.fill("#own_types", "phenotype: An observable trait.\nplain")
    run(page, "aspirin")
    assert words.asked[-1]["types"] == {
        "chemical": "", "gene": "", "phenotype": "An observable trait.", "plain": "",
    }  # fmt: skip
    page.select_option("#like", "b")
    assert page.locator(".chip").all_text_contents() == ["gene", "species"]
    assert page.locator(".chip input:checked").count() == 1
    run(page, "aspirin")
    assert words.asked[-1]["like"] == "b"
    assert "chemical" not in words.asked[-1]["types"], "what is not shown is not asked for"
    page.select_option("#lang", "zh")
    page.select_option("#task", "relations")
    run(page, "aspirin")
    asked = words.asked[-1]
    assert (asked["like"], asked["lang"]) == ("", "auto"), "what was chosen for a task that has it"


def test_the_page_speaks_chinese_and_turns_to_english_and_back(browser: Browser, at: str) -> None:
    with opened(browser, at, lang="zh-CN") as page:
        assert page.title().startswith("太一") and page.get_attribute("html", "lang") == "zh-CN"
        assert page.locator(".chips").first.get_attribute("lang") == "zh", (
            "types in the language of the page come first"
        )
        page.click("#example")
        text = page.input_value("#text")
        page.click("#run")
        page.wait_for_selector("mark")
        assert page.locator("#found .source").text_content() == text
        assert page.locator("mark mark", has_text="支气管").count() == 1
        expect(page.locator("#found .lead")).to_have_text("11 处实体")
        page.get_by_role("button", name="Show the page in English").click()
        assert page.get_attribute("html", "lang") == "en"
        expect(page.locator("#found .lead")).to_have_text("11 mentions")
        assert page.input_value("#text") == text, "what was written stays"
        page.reload()
        page.wait_for_selector("#fields textarea")
        assert page.get_attribute("html", "lang") == "en", "the choice is kept"
        page.select_option("#task", "labels")
        page.click("#example")
        assert "麻疹" in page.input_value("#text"), "this was learned in Chinese alone"
        page.fill("#text", "")
        page.select_option("#task", "entities")
        shown = page.locator("body").inner_text()
        assert set(re.findall("[\u4e00-\u9fff]+", shown)) <= {*("太一", "中文", "疾病", "药物", "症状", "身体部位")}, (
            "all else is English"
        )


def test_types_of_ones_own_are_not_offered_of_what_has_no_tags_for_them(desk: BrowserContext) -> None:
    with served(app(taiyi(tags=("chemical", "disease")))) as address, watched(desk, address) as page:
        expect(page.locator(".chip", has_text="chemical")).to_be_visible()
        assert page.locator("#own_types").count() == 0


def test_offsets_count_code_points(page: Page) -> None:
    for before in ("", "😀", "👩‍⚕️ 𝒜", "肝e\u0301\n\n\ttab "):
        run(page, f"{before} aspirin, asthma 😀 TP53")
        assert [text for text in marks(page) if text.isascii()] == ["aspirin", "asthma", "TP53"]


def test_texts_are_texts(page: Page) -> None:
    text = f"{HOSTILE} aspirin </p></mark>"
    run(page, text)
    assert page.locator("#found .source").text_content() == text
    assert marks(page) == ["aspirin"]
    page.locator("summary", has_text="Types of your own").click()
    page.fill("#own_types", HOSTILE)
    page.fill("#text", f"{HOSTILE} refuse")
    page.click("#run")
    expect(page.locator("#fault")).to_contain_text("<b>chemicl</b>")
    page.select_option("#task", "translation")
    page.fill("#text", HOSTILE)
    page.click("#run")
    expect(page.locator("#found .said")).to_contain_text(HOSTILE.strip())
    expect(page.locator("#found .said")).to_contain_text("</i>")
    expect(page.locator("#found .notice")).to_contain_text("limit")
    assert page.locator("main img").count() == 0


def test_what_was_found_is_downloaded(page: Page) -> None:
    run(page, "😀 aspirin & asthma")
    with page.expect_download() as waiting:
        page.click("button[data-to=json]")
    told = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert waiting.value.suggested_filename == "taiyi.json"
    assert told["text"] == "😀 aspirin & asthma"
    assert [(one["start"], one["end"], one["type"]) for one in told["entities"]] == [
        (2, 9, "chemical"),
        (12, 18, "disease"),
    ]
    with page.expect_download() as waiting:
        page.click("button[data-to=bioc]")
    written = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert waiting.value.suggested_filename == "taiyi.bioc.xml"
    assert "😀 aspirin &amp; asthma" in written and '<location offset="2" length="7"/>' in written


def test_relations_and_events_are_graphs_and_tables(page: Page) -> None:
    page.select_option("#task", "relations")
    run(page, "aspirin causes asthma; prednisone osteoporosis")
    graph = page.get_by_role("img", name="Graph of 4 relations")
    assert sorted(graph.locator(".name").all_text_contents()) == ["aspirin", "asthma", "osteoporosis", "prednisone"]
    assert graph.locator(".type").count() == graph.locator(".head").count() == 4
    boxes = [box for box in (one.bounding_box() for one in graph.locator("text.type").all()) if box]
    lines = sorted({(round(box["x"]), round(box["y"])) for box in boxes})
    assert len(lines) == 4, "no type lies on another"
    page.locator("#found summary", has_text="As a table").click()
    rows = [row.all_text_contents() for row in (one.locator("td") for one in page.locator("#found tbody tr").all())]
    assert ["aspirin", "treats", "asthma", "0.90"] in rows
    # Names are marked where they stand, without a type.
    assert marks(page) == ["aspirin", "asthma", "prednisone", "osteoporosis"]
    page.select_option("#task", "events")
    run(page, "STAT3 binds")
    assert page.locator("svg .name").all_text_contents() == ["1. Binding (binds)", "STAT3", "2. Regulation"]


def sent(page: Page, address: str) -> dict[str, Any]:
    """What the form sends when it is run."""
    with page.expect_request(f"**/v1/{address}") as waiting:
        page.click("#run")
    return waiting.value.post_data_json


def test_labels_pairs_and_choices_are_weighed(page: Page) -> None:
    page.select_option("#task", "labels")
    page.fill("#text", "孩子发烧怎么办")
    assert sent(page, "classify") == {"text": "孩子发烧怎么办", "lang": "auto", "labels": ["kuake_qic"]}
    expect(page.locator(".weighed .label").first).to_have_text("病情诊断")
    page.select_option("#labels", "")
    page.fill("#own_labels", "病情诊断\n\n 治疗方案 ")
    asked = sent(page, "classify")
    assert asked["labels"] == ["病情诊断", "治疗方案"] and asked["several"] is False
    expect(page.locator(".weighed .label")).to_have_text(["病情诊断"])
    expect(page.locator(".weighed .number")).to_have_text(["0.73"])
    page.select_option("#task", "pairs")
    assert page.locator("#labels option").all_text_contents()[0].endswith("(Chinese)")
    page.fill("#first", "高血压能吃盐吗")
    page.fill("#second", "高血压可以吃咸的吗")
    page.select_option("#labels", "kuake_qqr")
    asked = sent(page, "pair")
    assert asked["labels"] == ["kuake_qqr"] and asked["what"] == "similarity"
    expect(page.locator(".weighed li").nth(1)).to_be_visible()
    page.select_option("#task", "choice")
    page.fill("#question", "Which?")
    page.fill("#options", "aspirin\ninsulin")
    page.click("#run")
    expect(page.locator(".weighed .label")).to_have_text(["A. aspirin", "B. insulin"])
    page.select_option("#task", "yes_no")
    page.click("#run")
    expect(page.locator("#fault")).to_contain_text("Text to answer from")
    expect(page.locator("#context")).to_be_focused()


def test_a_question_that_speaks_of_an_emergency_is_answered_with_a_notice(page: Page) -> None:
    page.select_option("#task", "question")
    page.fill("#question", "What do I do, I can't breathe?")
    page.click("#run")
    expect(page.locator("#notices .emergency")).to_contain_text("call the emergency number")
    expect(page.locator("#found .said")).to_contain_text("I can't breathe?</i>")


def test_answers_from_sources_show_what_supports_them(browser: Browser, sourced: str) -> None:
    with opened(browser, sourced) as page:
        page.select_option("#task", "question")
        page.fill("#question", "Does asprin help?")
        page.check("#sources")
        expect(page.locator("#context")).to_be_disabled()
        assert sent(page, "answer") == {"question": "Does asprin help?", "sources": True, "lang": "auto"}
        expect(page.locator("#found .said")).to_contain_text("It helps. [1]")
        expect(page.locator("#found .said")).to_contain_text("“asprin” may be misspelt")
        page.locator("summary", has_text="How each statement was checked").click()
        expect(page.locator("#found ol > li").first).to_contain_text("supported[1] PMID 1: “It may <b>help</b>.”")
        expect(page.locator("#found ol > li").last).to_contain_text("not supported")
        expect(page.locator("#found ol .fault")).to_contain_text("there is no such passage")


def test_all_is_done_by_keyboard(page: Page) -> None:
    def on(selector: str) -> bool:
        return bool(page.evaluate("(selector) => document.activeElement.matches(selector)", selector))

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if on(selector):
                outline = page.evaluate(
                    "() => { const one = document.activeElement;"
                    "return getComputedStyle(one.matches('.chip input') ? one.nextSibling : one).outlineStyle; }"
                )
                assert outline != "none", f"it is not seen that {selector} has the focus"
                return
        raise AssertionError(f"no Tab leads to {selector}")

    page.keyboard.press("Tab")
    assert on(".skip")
    page.keyboard.press("Enter")
    assert on("main")
    tab_to("#task")
    tab_to("#text")
    page.keyboard.type("lung tuberculosis and aspirin")
    tab_to("[data-type=anatomy]")
    page.keyboard.press("Space")
    tab_to("[data-type=disease]")
    page.keyboard.press("Space")
    tab_to("#run")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    assert on("#result-title")
    tab_to("button.type")
    tab_to(".box")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".detail")).to_contain_text("disease: lung tuberculosis. Characters 0 to 17.")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".detail")).to_contain_text("anatomy: lung.")
    assert page.locator("mark.now").text_content() == "lung"
    page.keyboard.press("End")
    expect(page.locator(".detail")).to_contain_text("disease: tuberculosis.")
    tab_to("#found summary")
    page.keyboard.press("Enter")
    expect(page.locator("#found table")).to_be_visible()
    tab_to("button[data-to=json]")
    with page.expect_download():
        page.keyboard.press("Enter")
    # Ctrl and Enter from the text.
    page.focus("#text")
    page.keyboard.type("gene TP53 ")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#found .source")).to_contain_text("TP53")
    page.focus("nav a[data-view=chat]")
    page.keyboard.press("Enter")
    expect(page.locator("#chat-title")).to_be_focused()
    tab_to("#message")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator(".assistant .said")).to_contain_text("You said: hello")


@pytest.mark.parametrize("lang", ["en-US", "zh-CN"])
def test_nothing_is_wider_than_a_phone(browser: Browser, at: str, lang: str) -> None:
    with opened(browser, at, lang=lang, size=(360, 740)) as page:

        def fits() -> None:
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            wide = page.evaluate(
                "() => [...document.querySelectorAll('button, select, textarea, input, h1, h2, nav a')]"
                ".filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > 360)"
                ".map((one) => one.outerHTML)"
            )
            assert not wide

        fits()
        page.click("#example")
        page.fill("#text", f"{page.input_value('#text')} {'x' * 200} {'肝' * 100}")
        page.click("#run")
        page.wait_for_selector("mark")
        page.locator("#found summary").click()
        fits()
        if lang == "en-US":
            page.select_option("#task", "relations")
            run(page, "isoniazid prednisone aspirin lung tuberculosis, osteoporosis, kidney failure")
            fits()
        page.click("nav a[data-view=chat]")
        page.fill("#message", "x" * 300)
        page.press("#message", "Enter")
        page.wait_for_selector(".assistant .said")
        fits()
        page.click("nav a[data-view=corpora]")
        page.wait_for_selector("#names a")
        fits()
        page.goto(f"{at}/#/corpora/demo_cdr")
        page.wait_for_selector("#records mark")
        expect(page.locator("#listing")).to_be_hidden()
        fits()
        page.locator(".back a").click()
        expect(page.locator("#listing")).to_be_visible()
        page.click("nav a[data-view=report]")
        fits()


# --- what a model cannot do ------------------------------------------------------------------------------------------

SMALL = (Learned(task="ner", corpus="a", lang="en", types=("gene",)),)


def test_what_the_model_did_not_learn_is_not_offered_and_it_is_said_why(browser: Browser) -> None:
    small = taiyi(SMALL)
    with served(app(small)) as at, opened(browser, at) as page:
        assert page.locator("#task option").all_text_contents() == ["Entities"]
        expect(page.locator("#fields")).to_contain_text("learned this in English only")
        page.locator("#not-offered summary").click()
        expect(page.locator("#not-offered")).to_contain_text("Translation")
        page.click("nav a[data-view=chat]")
        expect(page.locator("#no-chat")).to_contain_text("does not chat: it was trained from nothing")
        expect(page.locator("#message")).to_be_hidden()
        page.click("nav a[data-view=report]")
        expect(page.locator("#report-about")).to_contain_text("There is no report")


# --- chat ------------------------------------------------------------------------------------------------------------


def test_chat_states_its_limit_once_before_the_first_message(page: Page) -> None:
    page.click("nav a[data-view=chat]")
    limit = page.get_by_role("note")
    expect(limit).to_contain_text("not medical advice")
    for text in ("What is asthma?", "And croup?"):
        page.fill("#message", text)
        page.press("#message", "Enter")
        expect(page.locator(".assistant .said").last).to_contain_text(f"You said: {text} 😀 肝")
    assert limit.count() == 1
    assert page.locator("#log > *").first.get_attribute("role") == "note"
    assert page.locator(".emergency").count() == 0
    page.click("#anew")
    assert page.locator(".turn").count() == 0 and limit.count() == 0


def ask(page: Page, text: str) -> dict[str, Any]:
    """Send a message and wait for the answer; returns what was sent."""
    with page.expect_request("**/v1/chat/completions") as waiting:
        page.fill("#message", text)
        page.press("#message", "Enter")
    expect(page.locator("#send")).to_be_enabled()
    return waiting.value.post_data_json


def test_chat_answers_from_sources_unless_it_is_told_not_to(browser: Browser, sourced: str) -> None:
    with opened(browser, sourced) as page:
        page.click("nav a[data-view=chat]")
        expect(page.locator("#chat-sources")).to_be_checked()
        assert ask(page, "Does it help?")["sources"] is True
        expect(page.locator(".assistant .said")).to_have_text("It helps. [1]")
        page.get_by_label("Answer from the documents of this server").uncheck()
        assert "sources" not in ask(page, "Hello")
        expect(page.locator(".assistant .said").last).to_contain_text("You said: Hello")
        expect(page.locator("#sources-alone")).to_be_hidden()
        page.click("nav a[data-view=tasks]")
        expect(page.locator("#task")).to_be_visible()


def test_where_a_model_does_not_write_sources_speak_in_chat(browser: Browser) -> None:
    with served(app(taiyi(SMALL), backing=BACKING)) as at, opened(browser, at) as page:
        page.click("nav a[data-view=chat]")
        expect(page.locator("#no-chat")).to_be_hidden()
        expect(page.locator("#chat-sources")).to_be_checked()
        expect(page.locator("#chat-sources")).to_be_disabled()
        expect(page.locator("#sources-alone")).to_contain_text("does not write texts of its own")
        assert ask(page, "Does it help?")["sources"] is True
        expect(page.locator(".assistant .said")).to_have_text("It helps. [1]")


@pytest.mark.parametrize(
    ("lang", "text", "told"), [("en-US", "I want to kill myself", "988"), ("zh-CN", "我突然胸痛", "120")]
)
def test_chat_tells_of_emergencies(browser: Browser, at: str, lang: str, text: str, told: str) -> None:
    with opened(browser, at, lang=lang, size=(390, 740)) as page:
        page.click("nav a[data-view=chat]")
        ask(page, "What is asthma?")
        ask(page, text)
        notice = page.get_by_role("alert").filter(has_text=told)
        expect(notice).to_be_in_viewport(ratio=1)
        expect(page.locator(".assistant .said").last).to_contain_text("You said:")
        ask(page, "Thank you")
        expect(page.locator(".assistant .said").last).to_contain_text("Thank you")
        assert page.locator(".emergency").count() == 1, "in no other answer"


def test_dialogues_are_sent_whole_and_what_broke_is_forgotten(page: Page, words: Words) -> None:
    page.click("nav a[data-view=chat]")
    page.fill("#message", "one")
    page.press("#message", "Shift+Enter")
    page.type("#message", "two")
    page.press("#message", "Enter")
    expect(page.locator(".assistant .said")).to_contain_text("You said: one\ntwo 😀")
    page.fill("#message", "break")
    page.click("#send")
    expect(page.locator(".turn .fault")).to_contain_text("the server is broken")
    expect(page.locator(".assistant").last).not_to_contain_text("Stopped")
    assert page.input_value("#message") == "break", "it can be sent again"
    page.fill("#message", HOSTILE)
    page.click("#send")
    expect(page.locator(".assistant .said").last).to_contain_text("<script>")
    assert [(role, content.split(":")[0]) for role, content in words.asked[-1]] == [
        ("user", "one\ntwo"), ("assistant", "You said"), ("user", HOSTILE.strip()),
    ]  # fmt: skip


def test_an_answer_can_be_stopped(page: Page) -> None:
    page.click("nav a[data-view=chat]")
    page.fill("#message", "wait")
    page.click("#send")
    expect(page.locator(".assistant .said")).to_contain_text("You said:")
    page.click("#chat-stop")
    expect(page.locator(".assistant")).to_contain_text("Stopped.")
    expect(page.locator("#send")).to_be_enabled()


def test_choosing_characters_of_an_input_method_sends_nothing(page: Page) -> None:
    page.click("nav a[data-view=chat]")
    page.fill("#message", "xiaochuan")
    page.dispatch_event("#message", "keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    assert page.locator(".turn").count() == 0
    page.dispatch_event("#message", "keydown", {"key": "Enter", "bubbles": True})
    assert page.locator(".turn").count() == 2


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_asked_for_and_kept_in_memory_alone(browser: Browser) -> None:
    with served(app(key="right")) as at:
        context = browser.new_context()
        page = context.new_page()
        page.goto(at)
        page.fill("#key", "wrong")
        page.click("#key-dialog button.main")
        expect(page.locator("#key-fault")).to_be_visible()
        page.fill("#key", "right")
        page.keyboard.press("Enter")
        page.wait_for_selector("#fields textarea")
        run(page, "aspirin")
        assert marks(page) == ["aspirin"]
        kept = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])")
        assert "right" not in kept and page.input_value("#key") == ""
        page.reload()
        expect(page.locator("#key-dialog")).to_be_visible()
        context.close()


# --- corpora and the report ------------------------------------------------------------------------------------------


def test_corpora_are_found_read_and_looked_at(page: Page, at: str) -> None:
    page.click("nav a[data-view=corpora]")
    page.wait_for_selector("#names a")
    whole = page.locator("#names a").count()
    page.fill("#find", "cmeee")
    # cmeee_v2, cmeee_chip2020, promptcblue_cmeee and demo_cmeee.
    expect(page.locator("#names a")).to_have_count(4)
    page.fill("#find", "")
    page.select_option("#find-lang", "zh")
    page.select_option("#find-task", "ner")
    assert 0 < page.locator("#names a").count() < whole
    page.select_option("#find-lang", "")
    page.select_option("#find-task", "")
    page.fill("#find", "demo_cdr")
    page.locator("#names a").first.click()
    expect(page.locator("#corpus h2")).to_be_focused()
    page.wait_for_selector("#records .record")
    assert page.locator("#records .record").count() == 5
    first = page.locator("#records h4").first.text_content()
    page.locator("[data-step='1']").click()
    expect(page.locator("#records h4").first).not_to_have_text(first or "")
    expect(page.locator("#records .row + p")).to_contain_text("Records 6 to 10 of train")
    page.select_option("#split", "test")
    expect(page.locator("#records .row + p")).to_contain_text("of test")
    assert page.locator("#corpus svg.graph").count() > 0
    page.goto(f"{at}/#/corpora/cmeee_v2")
    expect(page.locator("#corpus h2")).to_contain_text("Chinese Medical Entity Extraction")
    expect(page.locator("#records")).to_contain_text("it is not open")
    expect(page.locator("#corpus .facts")).to_contain_text("Licence")
    assert page.locator("#corpus .record mark").count() > 0, "hand-written examples are shown"
    page.goto(f"{at}/#/corpora/kuake_qqr")
    expect(page.locator("#corpus .record").first).to_contain_text("first")


def test_the_report_opens_and_runs_apart_from_the_page(page: Page) -> None:
    page.click("nav a[data-view=report]")
    with page.context.expect_page() as waiting:
        page.get_by_role("link", name="Open the report").click()
    report = waiting.value
    expect(report.locator("p")).to_have_css("color", "rgb(255, 0, 0)")
    assert report.evaluate("window.origin") == "null", "it cannot ask in the name of the page"
    report.locator("a").click()
    report.wait_for_selector("#page:not([hidden])", state="attached")
