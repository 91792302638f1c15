"""HTML of a learner's, fit for the browser of a person who grades."""

import re
from functools import lru_cache

from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer  # type: ignore[import-untyped]
from bleach.sanitizer import Cleaner  # type: ignore[import-untyped]

MOST_HTML = 200_000  # characters
MOST_TAGS = 6_000  # and entities
MOST_DEPTH = 40  # open elements of one name; HTML's repair of more takes cubic time
MOST_ATTRIBUTES = 60  # of one tag; the parser compares each with each

TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4"
        " h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup"
        " table tbody td tfoot th thead tr u ul var",
    )
)
_VOID = frozenset(("br", "hr", "img", "col", "input"))
_CLOSED_BY_OTHERS = frozenset(("li", "td", "th", "tr", "p", "dd", "dt", "tbody", "thead"))
_NUMBERS = frozenset(("border", "colspan", "rowspan", "width", "height", "start"))
_WORDS = frozenset(("align", "valign", "halign", "scope", "title", "alt", "open", "dir", "lang"))
_CSS = ALLOWED_CSS_PROPERTIES - {"cursor", "float", "clear", "overflow"}
_CSS_VALUE = re.compile(r"[\w\s#.,;:%()+-]*")
_CSS_FUNCTION = re.compile(r"(?!(?:rgb|rgba|hsl|hsla)\()[\w-]+\(", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif);base64,[\w+/=\s]*", re.ASCII)
# No scheme that acts; an image, which loads by itself, may not leave the page's folder either.
_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]+|[^\s\\:]*")
_NEAR = re.compile(r"(?!/)(?!.*\.\.)[\w./%-]+", re.ASCII)
# What nbconvert and pygments themselves write; formgrader's scripts use none of these classes.
_CLASSES = re.compile(
    r"dataframe|highlight|anchor-link|task-list-item(?:-checkbox)?|language-[\w+#.-]+|[a-z][a-z0-9]?"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(
    r"[\s/]*+(?:[^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+))?+"
)
_MACROS = re.compile(
    r"(\\|&bsol;|&#0*92;?|&#[xX]0*5[cC];?)"
    r"(?=(?:href|style|class|cssId|require|csname|html\w+|mmlToken)\b)"
)

_PLAIN_TAG = (
    r"<(/?)(table|thead|tbody|tr|td|th|div|p|b|i|em|strong|span|code|pre|ul|ol|li|br|hr)"
    r"(?: (?:border=\"\d\"|class=\"dataframe\"|(?:row|col)span=\"\d{1,4}\"|[hv]align=\"\w{1,8}\""
    r"|style=\"text-align: (?:left|right|center);\"))*>"
)
_PLAIN_TAGS = re.compile(_PLAIN_TAG)
_PLAIN_HTML = re.compile(rf"(?:[^<&]|&(?:lt|gt|amp|quot|nbsp|#39|#x27);|{_PLAIN_TAG})*+")


class Styles(CSSSanitizer):
    """bleach's, with values as strict as names: no url(), no escapes."""

    def __init__(self) -> None:
        super().__init__(allowed_css_properties=_CSS)

    def sanitize_css(self, style: str) -> str:
        if not _CSS_VALUE.fullmatch(style) or _CSS_FUNCTION.search(style):
            return ""
        return str(super().sanitize_css(style))

    def keeps(self, style: str) -> bool:
        """Whether there is nothing to take out."""
        return re.sub(r"[\s;]", "", self.sanitize_css(style)) == re.sub(r"[\s;]", "", style)


@lru_cache(maxsize=128)
def clean_html(html: str) -> str:
    """The HTML without anything that acts, loads or reaches out of its place; "" where hopeless.

    Every submission shows the same tables in the same given cells, hence the cache.
    """
    html = sanitize_latex(_without_element(_without_element(html, "style"), "script"))
    if _is_plain(html):
        return html
    if not is_parsable(html):
        return ""
    # A Cleaner must not be shared by threads.
    cleaner = Cleaner(
        tags=TAGS,
        attributes=may_have,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        css_sanitizer=Styles(),
    )
    return sanitize_latex(str(cleaner.clean(html)))


def sanitize_latex(source: str) -> str:
    """The source with a space in the macros by which MathJax makes links and attributes."""
    return _MACROS.sub(r"\1 ", source)


def may_have(tag: str, name: str, value: str) -> bool:
    """Whether this element may have this attribute."""
    if name == "style":
        return True  # the style sanitizer decides on each of its declarations
    if name == "class":
        return all(_CLASSES.fullmatch(word) for word in value.split())
    if (tag, name) == ("a", "href"):
        return bool(_LINK.fullmatch(value))
    if (tag, name) == ("img", "src"):
        return bool(_IMAGE.fullmatch(value) or _NEAR.fullmatch(value))
    return name in _WORDS or (name in _NUMBERS and value.rstrip("%px").isdigit())


def _is_plain(html: str) -> bool:
    """Well-nested tables and text as pandas writes them, which need no parser."""
    if not _PLAIN_HTML.fullmatch(html):
        return False
    opened: list[str] = []
    for tag in _PLAIN_TAGS.finditer(html):
        if tag[2] in _VOID:
            continue
        if not tag[1]:
            opened.append(tag[2])
        elif not opened or opened.pop() != tag[2]:
            return False
    return not opened


def is_parsable(html: str) -> bool:
    """Whether an HTML parser will be done with it in a moment."""
    if len(html) > MOST_HTML or html.count("<") + html.count("&") > MOST_TAGS:
        return False
    opened: dict[str, int] = {}
    for found in _TAG.finditer(html):
        closing, tag = found[1], found[2].lower()
        if _has_many_attributes(html, found.end()):
            return False
        if tag not in _VOID and tag not in _CLOSED_BY_OTHERS:
            opened[tag] = max(0, opened.get(tag, 0) + (-1 if closing else 1))
            if opened[tag] > MOST_DEPTH or len(opened) > 200:
                return False
    return True


def _has_many_attributes(html: str, at: int) -> bool:
    for _ in range(MOST_ATTRIBUTES):
        attribute = _ATTRIBUTE.match(html, at)
        if not attribute:
            return False
        at = attribute.end()
    return True


def _without_element(html: str, tag: str) -> str:
    """Without the text of these elements; what is left of their tags, the cleaner removes."""
    parts, lower, at = [], html.lower(), 0
    while (start := lower.find(f"<{tag}", at)) >= 0:
        parts.append(html[at:start])
        end = lower.find(f"</{tag}", start)
        close = lower.find(">", end) if end >= 0 else -1
        at = close + 1 if close >= 0 else len(html)
    return "".join([*parts, html[at:]])
