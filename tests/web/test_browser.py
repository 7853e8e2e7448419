"""The pages in a real browser: drawn, live, kept in by their policy, and deaf to what experiments have written."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from asi_arch.domain.campaign import EventKind
from asi_arch.domain.candidate import Author, Proposal
from asi_arch.domain.exchanges import Charge, Reply, Request, Sent, Settlement
from asi_arch.domain.experiment import Experiment
from asi_arch.domain.minds import Prompt, Role
from asi_arch.domain.outcome import Crashed, Finding, Severity
from asi_arch.domain.repairs import mended
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.store.sqlite import SqliteStore
from asi_arch.testing.records import make_campaign, make_checks, make_experiment, make_proposal
from asi_arch.web.render import NAVIGATION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

EVIL = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<a href=\"javascript:document.title='owned'\">x</a>{{ 7 * 7 }}'\"<svg onload=document.title='owned'>"
)
ADDRESSES = [address for address, _ in NAVIGATION] + ["/experiments/1", "/experiments/5", "/nothing"]


def browser_path() -> str:
    """Of Chromium; without one the tests are skipped, under CI they fail."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("NOT TESTED: pages in a browser, because there is none (apt install chromium)")
    return found


def hostile(index: int, parent: int | None) -> Experiment:
    """Everything that an author or a model may write is an attack."""
    first = make_proposal(f"{EVIL}{index}", parent=parent, author=Author.MODEL)
    proposal = mended(first, f'"""{EVIL}"""\n{first.source}', failure=f"{EVIL}.", cause=EVIL).model_copy(
        update={
            "motivation": f"{EVIL}\n\n{EVIL}",
            "change": EVIL,
            "expectation": EVIL,
            "mechanisms": (EVIL, "gate"),
            "passages": (EVIL,),
        }
    )
    plain = make_experiment(index, proposal)
    finding = Finding(check=EVIL, severity=Severity.WARNING, message=EVIL, measured=1.0, limit=2.0)
    assert plain.judgement and plain.analysis
    marks = tuple(mark.model_copy(update={"name": EVIL, "reason": EVIL}) for mark in plain.judgement.marks)
    parts = dict.fromkeys(("design", "results", "expectation", "mechanism", "lessons", "note"), EVIL)
    return plain.model_copy(
        update={
            "checks": make_checks(proposal, (finding,)),
            "judgement": plain.judgement.model_copy(update={"marks": marks, "judge": EVIL, "note": EVIL}),
            "analysis": plain.analysis.model_copy(update={**parts, "findings": (EVIL,), "author": "model"}),
            "containment": EVIL,
        }
    )


def baseline(name: str) -> Proposal:
    return make_proposal(name, author=Author.BASELINE, mechanisms=())


def written(folder: Path) -> None:
    """A campaign with two baselines, four hostile designs and one that crashed."""
    store = SqliteStore.open(folder, clock=lambda: 1_800_000_500.0, owner="test")
    store.create(make_campaign())
    store.append(EventKind.OPENED)
    store.record(make_experiment(0, baseline("DeltaNet")), 0.5)
    for index in range(1, 5):
        store.record(hostile(index, parent=index - 1), 0.5 + index / 100)
    crashed = Crashed(reason=EVIL, log=EVIL)
    store.record(make_experiment(5, make_proposal(EVIL, parent=1), outcome=crashed), None)
    store.close()
    exchanges = SqliteExchanges.open(folder)
    request = Request(role=Role.RESEARCHER, prompt=Prompt(system=EVIL, user=EVIL), subject="1")
    number = exchanges.send(Sent(request=request, mind=EVIL, at=1.0, reserved=Charge(1, 10, None)))
    reply = Reply(text=EVIL, model=EVIL)
    exchanges.settle(number, Settlement(reply=reply, at=2.0, latency_s=1.0, spent=Charge(1, 9, None), error=EVIL))
    exchanges.close()


class Served(NamedTuple):
    folder: Path
    address: str
    """With the token."""

    def at(self, path: str) -> str:
        return self.address.split("/?")[0] + path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("campaign")
    written(folder)
    command = [sys.executable, "-m", "asi_arch", "serve", "--state", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = next(match for line in server.stdout if (match := re.search(r"http://\S+", line)))
        yield Served(folder, found.group())
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
        server.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    path = browser_path()
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


class Visit:
    """A reader with the key; what the browser complains about is collected."""

    def __init__(self, browser, served: Served, *, scheme: str = "light", width: int = 1280) -> None:  # type: ignore[no-untyped-def]
        self.served = served
        self.context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        self.page.goto(served.address)

    def open(self, path: str) -> None:
        self.page.goto(self.served.at(path))
        self.page.wait_for_load_state("domcontentloaded")
        if path.startswith("/tree"):
            self.page.wait_for_selector("body[data-tree=drawn]")

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_window_and_has_no_complaint(browser, served: Served, scheme: str, width: int) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served, scheme=scheme, width=width) as visit:
        for address in ADDRESSES:
            visit.open(address)
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert visit.page.locator("h1").count() == 1, address
            complaints = [text for text in visit.complaints if "404" not in text]
            assert complaints == [], address


def test_what_experiments_have_written_is_text_and_nothing_else(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served) as visit:
        for address in ADDRESSES:
            visit.open(address)
            visit.page.wait_for_timeout(150)
            assert visit.page.title() != "owned", address
            assert visit.page.locator("main img, main script, main a[href^='javascript']").count() == 0, address
            assert "49" not in visit.page.locator("h1").first.inner_text(), address
        visit.open("/experiments/1")
        assert visit.page.locator("main").inner_text().count("<script>document.title='owned'</script>") > 15
        visit.open("/tree")
        visit.page.locator("#tree").focus()
        visit.page.keyboard.press("ArrowRight")
        assert EVIL in visit.page.locator("#tree-card").inner_text()
        assert visit.page.title() != "owned"


def test_the_tree_is_walked_with_keys_and_searched(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served) as visit:
        visit.open("/tree?node=2")
        card = visit.page.locator("#tree-card")
        assert "#2 " in card.inner_text()
        visit.page.locator("#tree").focus()
        visit.page.keyboard.press("ArrowLeft")
        visit.page.keyboard.press("ArrowLeft")
        assert "#0 DeltaNet" in card.inner_text()
        visit.page.fill("#tree-find", "deltanet")
        assert visit.page.locator("#tree-hits").inner_text() == "1 found"
        visit.page.select_option("#tree-layout", "layered")
        visit.page.fill("#tree-find", "#3")
        visit.page.keyboard.press("Enter")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**/experiments/3")


def test_an_open_page_renews_itself_when_an_experiment_ends(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served) as visit:
        visit.open("/")
        visit.page.wait_for_timeout(1500)
        store = SqliteStore.open(served.folder, clock=lambda: 1_800_000_900.0, owner="process 77")
        store.record(make_experiment(6, make_proposal("Newcomer", parent=0)), 0.4)
        visit.page.wait_for_selector("#recent a:has-text('Newcomer')", timeout=15_000)
        visit.page.wait_for_selector("#activity:has-text('Running: process 77')", timeout=15_000)
        store.close()
        visit.page.wait_for_selector("#activity:has-text('Not running')", timeout=15_000)
        assert visit.complaints == []


def test_a_chosen_theme_stays(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    ground = "getComputedStyle(document.body).backgroundColor"
    with Visit(browser, served) as visit:
        before = visit.page.evaluate(ground)
        visit.page.click("[data-theme-button]")
        chosen = visit.page.evaluate(ground)
        visit.open("/experiments")
        assert visit.page.evaluate(ground) == chosen != before


def test_another_sites_script_learns_nothing(browser, served: Served, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "other.html"
    other.write_text("<title>other</title>")
    with Visit(browser, served) as visit:
        visit.page.goto(other.as_uri())
        read = "fetch(ADDRESS, {credentials: 'include'}).then(a => a.text()).catch(e => 'refused')"
        assert visit.page.evaluate(read.replace("ADDRESS", repr(served.at("/")))) == "refused"


def test_links_and_forms_are_followed_without_loading_everything_anew(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served) as visit:
        page = visit.page
        visit.open("/")
        page.evaluate("window.isSame = true")
        page.click("nav#pages a[href='/experiments']")
        page.wait_for_url("**/experiments")
        page.wait_for_selector("h1:has-text('Experiments')")
        assert page.title().startswith("Experiments")
        assert page.locator("nav#pages a[aria-current=page]").inner_text() == "Experiments"
        page.fill("main input[name=q]", "deltanet")
        page.click("main form.filters button")
        page.wait_for_url("**/experiments?q=deltanet&*")
        page.wait_for_selector("#list p:has-text('1 experiment')")
        page.click("#list a:has-text('DeltaNet')")
        page.wait_for_url("**/experiments/0")
        page.wait_for_selector("h1:has-text('DeltaNet')")
        page.go_back()
        page.wait_for_selector("#list p:has-text('1 experiment')")
        page.go_back()
        page.go_back()
        page.wait_for_selector("#recent")
        page.go_forward()
        page.wait_for_selector("h1:has-text('Experiments')")
        assert page.evaluate("window.isSame") is True
        assert visit.complaints == []
        page.click("nav#pages a[href='/tree']")
        page.wait_for_selector("body[data-tree=drawn]")
        assert page.evaluate("window.isSame") is None, "the tree comes with its own script"
        page.click("nav#pages a[href='/trends']")
        page.wait_for_url("**/trends")
        page.go_back()
        page.wait_for_selector("body[data-tree=drawn]")


def test_what_experiments_have_written_stays_text_where_a_link_is_followed(browser, served: Served) -> None:  # type: ignore[no-untyped-def]
    with Visit(browser, served) as visit:
        visit.open("/experiments")
        visit.page.evaluate("window.isSame = true")
        visit.page.click("#list a:has-text('#1 ')")
        visit.page.wait_for_selector("h1:has-text('#1')")
        visit.page.wait_for_timeout(150)
        assert visit.page.evaluate("window.isSame") is True
        assert visit.page.title() != "owned"
        assert visit.page.locator("main img, main script, main a[href^='javascript']").count() == 0
