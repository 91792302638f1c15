"""Sphinx extension: the search keeps words of one and two letters as they are written.

Sphinx stems them when it makes the index ("KS" becomes "k") and not when a reader asks, so that
no page would be found by such an abbreviation.
"""

from typing import Any

from sphinx.search.en import SearchEnglish


class ShortWords(SearchEnglish):
    """English, but "KS" stays "KS"."""

    def stem(self, stemmed_word: str) -> str:
        word = stemmed_word.lower()
        return word if len(word) < 3 else super().stem(word)


def setup(app: Any) -> dict[str, bool]:
    app.add_search_language(ShortWords)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
