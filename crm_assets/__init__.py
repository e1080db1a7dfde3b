"""crm_assets: sales reports out of web CRMs without an API, into PostgreSQL, as Dagster assets.

The map of the house. Imports run down only.

cli                    crm_download: thin; every command calls a room below
demo, stack            the demo; the processes of an installation
terminal/              what people see at a terminal: progress, tables, JSON
doctor/                is everything there that a run needs?
definitions            the Dagster door: composes everything, lazily
pipeline/              the room that knows Dagster: partitions, assets, checks, sensors, resources, IO manager, coordinator,
                       instance, launching; what is due, how fresh it is, who is told; examining, booking and keeping files
digest/                the day's sales as a page, a workbook and a message
multi_crm_downloader   bootstrap and download for any store: session, portal, landed file
account                an account's way from its saved session to a signed-in page: the state machine
session_care           saved sessions tested, sealed anew, forgotten
session_facts          what can be said of a saved session without showing it
portals/               contract.py, read first; visit.py, what its verbs get; patterns.py; then one folder per portal
otp                    where a one-time password comes from
proof                  a file is guilty until it is shown to be the right one
browser/               Chrome, the saved sessions, the route guard, evidence
landing                raw files: canonical names, written whole, discarded
workbook/              .xlsx to a table of texts: the package checked first, then the sheet, then the reader
rows                   texts to typed values, warnings and rejects
warehouse/             the room with SQL: connection, migrations, ledger, staging, facts, rejects, audit, verdicts, sessions,
                       the outbox of the alerts
notify                 messages to people, by Apprise
credentials            where a login comes from
settings, store_list   the environment and .env; stores.yaml
slots                  the times of day at which stores are refreshed
charts                 small pictures for the catalogue
files, logs            files written whole; log lines
cancellation, threads  an event loop that signals cancel in order; work that nobody waits for at the exit
model, errors          the nouns, and the error tree that says who acts
sandbox/               the two portals as local web apps; imported by cli, demo and tests alone
"""
