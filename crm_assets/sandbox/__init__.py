"""The two portals as local web apps, with their quirks, their bad days and a clock of their own.

Imported by the command line and the tests only; of the project it knows ``crm_assets.model`` alone.

server      Sandbox: six origins on one event loop in a thread; the only class a test needs
options     what can be chosen at the start
stores      the four stores, their invented logins, stores.yaml
clock       what time it is in the sandbox
books/      what was sold: a pure function of seed, store and clock
layouts     the columns of the three workbooks
workbooks   their bytes, as SheetJS writes them (constant parts in sheetjs/)
tumbledry/  subs and reports origins
uclean/     store, storepanel and api origins
control     the control page and API
world       what the apps share; the place every answer passes
faults      bad days, one table
wire        connections that can be cut
codes       one-time codes: sent, in force, judged
pace        how long things take
seals       signed tokens
sessions    who is signed in, which sessions do not come back, which browsers are trusted
memory      ports, ended sessions and forgotten browsers, across restarts
journal     counts of what the robots did
screens     pages from web/
"""

from crm_assets.sandbox.clock import SandboxClock
from crm_assets.sandbox.options import SandboxOptions
from crm_assets.sandbox.server import Sandbox

__all__ = ["Sandbox", "SandboxClock", "SandboxOptions"]
