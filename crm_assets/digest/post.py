"""The digest as a message: the totals in a few lines, with the page and the workbook beside them."""

from crm_assets.digest.figures import Digest
from crm_assets.digest.files import DigestFiles
from crm_assets.digest.words import day_text, growth, rupees
from crm_assets.notify import Message


def message_of(digest: Digest, files: DigestFiles) -> Message:
    """What is sent; where a service takes no files, the lines say what matters."""
    total = digest.total
    lines = [
        f"{one.store.name}: {rupees(one.sums.day.amount)}, {one.sums.day.count} orders"
        if one.sums.known
        else f"{one.store.name}: not fetched yet"
        for one in digest.sales
    ]
    warnings = [f"{one.store.name}: {one.report.replace('_', ' ')} is late" for one in digest.stale]
    if digest.mismatches:
        warnings.insert(0, "RECONCILIATION FAILED: do not rely on these figures")
    body = [
        *warnings,
        *lines,
        f"All stores: {rupees(total.day.amount)} today, {rupees(total.month.amount)} this month ({growth(total.growth)})",
    ]
    return Message(
        title=f"Sales of {day_text(digest.day)}: {rupees(total.day.amount)}",
        body="\n".join(body),
        kind="failure" if digest.mismatches else "info",
        files=(files.page, files.workbook),
    )
