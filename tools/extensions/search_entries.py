"""Sphinx extension: keep glossary terms and index entries in the search when one page is rebuilt.

Sphinx 7.4 reads its old search index back without these entries, so that after an incremental
build only the pages just written are found by them.
"""

from typing import Any

from sphinx.util.index_entries import split_index_msg


def restore(app: Any) -> list[Any]:
    """Give the indexer the entries of the pages that this build did not write."""
    indexer = getattr(app.builder, "indexer", None)
    if indexer is not None:
        for page, entries in app.env.get_domain("index").entries.items():
            if page not in indexer._index_entries and page in indexer._titles:
                indexer._index_entries[page] = sorted(
                    {
                        (part, target, main)
                        for kind, value, target, main, _ in entries
                        for part in split_index_msg(kind, value)
                    }
                )
    return []  # no pages of our own: the event only comes at the right moment


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-collect-pages", restore)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
