"""Templates and what they share. All text is escaped; only markup made here and pygments' own passes as it is."""

import shlex
from collections.abc import Callable
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined

from asi_arch.domain.campaign import Event, EventKind
from asi_arch.report.cells import printable
from asi_arch.report.digest import Digest
from asi_arch.report.words import MISSING, OUTCOMES, duration, number, plural, reading
from asi_arch.web.charts import bar
from asi_arch.web.derived import Derived
from asi_arch.web.literature import Literature
from asi_arch.web.reader import Reader, Standing

NAVIGATION = (
    ("/", "Overview"),
    ("/tree", "Tree"),
    ("/experiments", "Experiments"),
    ("/trends", "Trends"),
    ("/mechanisms", "Mechanisms"),
    ("/compare", "Compare"),
    ("/gallery", "Gallery"),
    ("/scaling", "Scaling"),
)
"""Address and name of every page that the head leads to."""


class Pages:
    """Renders pages about one campaign."""

    def __init__(self, reader: Reader, literature: Literature) -> None:
        self.reader = reader
        self.derived = Derived(reader)
        self.literature = literature
        self.beforehand: list[Callable[[], object]] = []
        """What is made before a large campaign is read, so that the first page need not share the machine with that."""
        self._environment = Environment(
            loader=PackageLoader("asi_arch.web", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = cast(dict[str, Any], self._environment.filters)
        filters |= {
            "number": number,
            "reading": reading,
            "duration": duration,
            "plural": plural,
            "bar": bar,
            "outcome": _outcome,
            "printable": printable,
        }
        shared = cast(dict[str, Any], self._environment.globals)
        shared |= {"MISSING": MISSING, "navigation": NAVIGATION}

    def html(self, template: str, standing: Standing, *, here: str, title: str, **content: Any) -> str:
        """A page; `here` is the navigation's address that it belongs to."""
        return self._environment.get_template(f"{template}.html.j2").render(
            here=here,
            title=title,
            campaign=standing.campaign,
            activity=activity(standing, self.reader.now()),
            is_running=standing.writer is not None,
            folder=str(self.reader.folder),
            score="score" if standing.campaign.origin else "fitness",
            **content,
        )

    def html_of(
        self,
        template: str,
        standing: Standing,
        make: Callable[[Digest], dict[str, Any]],
        *,
        here: str,
        title: str,
        **content: Any,
    ) -> str:
        """A page of what `make`, a function of a module, makes of the whole campaign; says so while that is read."""
        made = self.derived.aged(make)
        reading = self.reader.progress if made is None else None
        behind = None if made is None else made.behind
        values = cast(dict[str, Any], made.value if made else {})
        found = {"reading": reading, "behind": behind, **values, **content}
        return self.html(template, standing, here=here, title=title, **found)

    def message(self, text: str) -> str:
        """A page with one sentence, made without looking at the store."""
        return self._environment.get_template("message.html.j2").render(here="", title="asi-arch", text=text)

    def command(self, *words: str) -> str:
        """A command about this campaign, to be copied into a shell."""
        return shlex.join(["asi-arch", *words, "--state", str(self.reader.folder)])


def activity(standing: Standing, now: float) -> str:
    """Whether anybody is at work on the campaign, in a sentence."""
    if standing.campaign.origin is not None:
        return "Imported: it can be read, and never continued."
    if standing.writer is not None:
        return f"Running: {standing.writer}."
    if standing.last is None or standing.lifecycle is None:
        return "Not begun."
    if standing.lifecycle.kind is EventKind.CLOSED:
        return f"Not running; the search ended as it should {_age(standing.lifecycle, now)} ago."
    found = f"Not running, and not ended as it should (killed?); last heard of {_age(standing.last, now)} ago."
    return f"{found} What was finished is kept; the same command resumes."


def _age(event: Event, now: float) -> str:
    return duration(max(0.0, now - event.at))


def _outcome(kind: str) -> str:
    return OUTCOMES.get(kind, kind)
