"""What texts look like in the reports of every Indian portal: phone numbers, GST numbers, business keys.

Patterns are whole-text regular expressions, each with its words. Which column must match one stands in a portal's ``reports.py``.
"""

from typing import TypedDict


class Pattern(TypedDict):
    """The two pattern fields of a ``model.Column``."""

    pattern: str
    pattern_says: str


PHONE: Pattern = {"pattern": r"(\+?91[ -]?|0)?\d{10}", "pattern_says": "a phone number of 10 digits"}
GSTIN: Pattern = {  # state, PAN, entity, Z, check digit
    "pattern": r"\d{2}[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z]",
    "pattern_says": "a GST number of 15 signs",
}
BUSINESS_KEY: Pattern = {"pattern": r"[A-Z0-9][A-Z0-9/-]*", "pattern_says": "capital letters, digits, - and / only"}
