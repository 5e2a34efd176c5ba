"""The verdict of a lot in words: what it is, why, and what it was judged against."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloud.api.story import ExposedBreach, Finding, Stop, Story
from cloud.web import states
from cloud.web.pages import Page
from cloud.web.states import Look

_WORST_FIRST = ("fail", "insufficient_data", "warn", "pass")


@dataclass(frozen=True, slots=True)
class FindingView:
    look: Look
    title: str
    text: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class VerdictView:
    look: Look
    stage: str
    why: str
    against: str


def verdict_view(page: Page, story: Story) -> VerdictView:
    words = page.words
    inside = next((stop for stop in reversed(story.stops) if stop.until_at is None), None)
    if story.verdict.stage == "final":
        stage = words("final, version {version}", version=story.verdict.version)
    elif inside:
        stage = words("so far: the lot is in {zone}", zone=page.name(inside.name))
    else:
        stage = words("so far, to its last stop")
    return VerdictView(states.VERDICTS[story.verdict.outcome], stage, why(page, story), against(page, story))


def why(page: Page, story: Story) -> str:
    """The reason of the verdict in one sentence."""
    words, f = page.words, page.formats
    stop = _stop_of_verdict(story)
    if story.verdict.reason == "no_residence":
        return words("Nobody has seen or said yet where this lot is: no zone, no temperature.")
    if story.verdict.reason == "no_limit":
        return words("No zone it was in has a limit, so nothing says what would be right.")
    if story.verdict.reason == "rule":
        return _rule_sentence(page, story)
    if stop is None:
        return words("It stayed within the limits of every zone it was in.")
    zone = page.name(stop.name)
    if story.verdict.lot not in {None, story.lot.key}:
        zone = words("{zone} (as {lot})", zone=zone, lot=story.verdict.lot)
    if story.verdict.reason == "no_instrument":
        return words("In {zone} nothing measures the temperature.", zone=zone)
    if story.verdict.reason == "unknown_time":
        duration = f.duration(stop.unknown_minutes * 60_000)
        return words(
            "In {zone} the temperature was unknown for {duration}. Unknown is never good.", zone=zone, duration=duration
        )
    return _breach_sentence(
        page, zone, max(stop.breaches, key=lambda breach: breach.exposed_until - breach.exposed_from)
    )


def _stop_of_verdict(story: Story) -> Stop | None:
    parts = {part.lot: part.stops for part in story.inherited} | {story.lot.key: story.stops}
    stops = [stop for stop in parts.get(story.verdict.lot or "", []) if stop.zone == story.verdict.zone]
    if story.verdict.reason == "breach":
        stops = [stop for stop in stops if stop.breaches]
    return next(iter(stops), None)


def _rule_sentence(page: Page, story: Story) -> str:
    """Which rule of which pack decided, and why."""
    deciding = [
        view
        for view in finding_views(page, story)
        if f"{view.finding.pack}/{view.finding.rule}" == story.verdict.rule
        and view.finding.outcome == story.verdict.outcome
    ]
    view = deciding[0]
    return f"{view.title}: {view.text} ({view.finding.citation})."


def finding_views(page: Page, story: Story) -> list[FindingView]:
    """Every rule once for each zone it was put to: what counts, then the worst first."""
    names = {stop.zone: page.name(stop.name) for stop in story.stops}
    names |= {stop.zone: page.name(stop.name) for part in story.inherited for stop in part.stops}
    views = [_finding_view(page, finding, names) for finding in story.findings]
    return sorted(views, key=lambda view: (not view.finding.counts, _WORST_FIRST.index(view.finding.outcome)))


def _finding_view(page: Page, finding: Finding, names: Mapping[str, str]) -> FindingView:
    words, f = page.words, page.formats
    parts = [words(states.FINDINGS[finding.reason])]
    if finding.out_min:
        parts.append(words("out of it for {duration}", duration=f.duration(finding.out_min * 60_000)))
    if finding.tolerated_min:
        parts.append(words("tolerated for {duration}", duration=f.duration(finding.tolerated_min * 60_000)))
    if finding.worst is not None and finding.outcome != "pass":
        parts.append(f.quantity(finding.worst, "°C", 1))
    if finding.reached_at is not None:
        parts.append(f.when(finding.reached_at))
    elif finding.due_at is not None:
        parts.append(words("due {at}", at=f.when(finding.due_at)))
    where = names.get(finding.zone or "", "")
    title = page.name(finding.name) + (f", {where}" if where else "")
    return FindingView(states.VERDICTS[finding.outcome], title, ", ".join(parts), finding)


def _breach_sentence(page: Page, zone: str, breach: ExposedBreach) -> str:
    f = page.formats
    facts = {
        "zone": zone,
        "setpoint": f.short(breach.setpoint),
        "duration": f.duration(breach.exposed_until - breach.exposed_from),
        "extreme": f.quantity(breach.extreme, "°C", 1),
    }
    if breach.kind == "above":
        return page.words(
            "In {zone} the air was warmer than {setpoint} °C for {duration} while the lot was there (up to {extreme}).",
            **facts,
        )
    return page.words(
        "In {zone} the air was colder than {setpoint} °C for {duration} while the lot was there (down to {extreme}).",
        **facts,
    )


def against(page: Page, story: Story) -> str:
    """The limits it was judged by: each zone's own, as they held at the time."""
    limited = sum(1 for stop in story.stops if stop.limits)
    limits = page.words(
        "Judged by the limits of {n} of {all} stops, as they held at the time.", n=limited, all=len(story.stops)
    )
    return limits + " " + page.words("Air temperature; the core was not measured.")
