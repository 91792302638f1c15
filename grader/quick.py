"""Imported first by the command line: leaves out what takes a second to import and goes unused."""

import sys

# jsonschema's check of international addresses compiles a grammar; no notebook holds any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
