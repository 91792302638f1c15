"""Ask for every address that the built book links to on other hosts (`make linkcheck`; not in CI).

A host that refuses programs (403, 429) or fails for now (5xx, no answer) is reported for a person
to look at; only an address that is gone (404, 410, no such host) fails the check.
"""

import re
import socket
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

HTML = Path(__file__).parent.parent / "_build" / "html"
LINK = re.compile(r'<a\b[^>]*?\bhref="(https?://[^"]+)"')
# Built on the page's own address, in the reader's browser: nothing there to ask for.
OWN = re.compile(r"https?://(?:127\.0\.0\.1|localhost)[:/]|https://mybinder\.org/v2/")
AGENT = "Mozilla/5.0 (compatible; course linkcheck)"
TIMEOUT_S = 20
HOSTS_AT_ONCE = 8
GONE = {404, 410}


@dataclass(frozen=True)
class Answer:
    """What became of an address: good, moved, unclear or gone, and why."""

    address: str
    outcome: str
    reason: str = ""


def collect(html: Path) -> dict[str, list[str]]:
    """Addresses outside the book, and the pages that link to them."""
    pages: dict[str, list[str]] = defaultdict(list)
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        for found in dict.fromkeys(LINK.findall(path.read_text(encoding="utf-8"))):
            address = urldefrag(unescape(found)).url
            if not OWN.match(address) and name not in pages[address]:
                pages[address].append(name)
    return {address: names for address, names in pages.items() if names}


def ask(address: str) -> Answer:
    """Ask for one address; redirects are followed."""
    request = urllib.request.Request(address, headers={"User-Agent": AGENT, "Accept": "*/*"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            final = urldefrag(response.url).url
    except urllib.error.HTTPError as error:
        with error:
            outcome = "gone" if error.code in GONE else "unclear"
        return Answer(address, outcome, f"{error.code} {error.reason}")
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", error)
        outcome = "gone" if isinstance(cause, socket.gaierror) else "unclear"
        return Answer(address, outcome, str(cause))
    if final != address:
        return Answer(address, "moved", f"to {final}")
    return Answer(address, "good")


def ask_all(addresses: Iterable[str]) -> list[Answer]:
    """Ask hosts side by side, and each host for one address at a time."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        hosts[urlsplit(address).netloc].append(address)
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as pool:
        answers = pool.map(lambda group: [ask(address) for address in group], hosts.values())
        return sorted((one for group in answers for one in group), key=lambda one: one.address)


def report(answers: list[Answer], pages: dict[str, list[str]]) -> str:
    """A line for each address that is not good, with its pages, and a line of counts."""
    lines = []
    for outcome in ("moved", "unclear", "gone"):
        for one in answers:
            if one.outcome == outcome:
                where = ", ".join(pages[one.address])
                lines.append(f"{outcome:8} {one.address} ({one.reason}), linked from {where}")
    counts = [
        f"{sum(one.outcome == outcome for one in answers)} {outcome}"
        for outcome in ("good", "moved", "unclear", "gone")
    ]
    return "\n".join([*lines, f"{len(answers)} addresses: {', '.join(counts)}"])


def main(html: Path = HTML) -> int:
    pages = collect(html)
    answers = ask_all(pages)
    if not any(one.outcome in {"good", "moved"} for one in answers):
        print(f"None of {len(answers)} addresses answered; go online and run it again.")
        return 2
    print(report(answers, pages))
    if any(one.outcome == "gone" for one in answers):
        print("Mend or remove what is gone, on the pages named.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
