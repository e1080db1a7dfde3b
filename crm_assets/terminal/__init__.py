"""What people see at a terminal: progress while runs go on, tables afterwards, JSON for programs.

Results go to standard output; progress and log lines to standard error.
"""

from crm_assets.terminal.accounts import facts_as_object, show_session_in_full, show_sessions, show_stores
from crm_assets.terminal.alerts import show_alerts
from crm_assets.terminal.digest import digest_as_object, show_digest
from crm_assets.terminal.health import health_as_object, show_health
from crm_assets.terminal.progress import collected
from crm_assets.terminal.rows import show_rejects, show_reloaded
from crm_assets.terminal.runs import as_object, failure_text, show_results, show_sales

__all__ = [
    "as_object",
    "collected",
    "digest_as_object",
    "facts_as_object",
    "failure_text",
    "health_as_object",
    "show_alerts",
    "show_digest",
    "show_health",
    "show_rejects",
    "show_reloaded",
    "show_results",
    "show_sales",
    "show_session_in_full",
    "show_sessions",
    "show_stores",
]
