"""The doctor: is everything there that a run needs, and if not, what is the next step?

It looks and changes nothing, save that it starts the embedded database and makes Dagster's home ready, as every command does.

findings      a finding, and its three levels
parts         parts at work at once, each within its time
examination   all of them
settings, database, browser, hosts (with certificates), sessions, disk, dagster   one subject each
display       the table, and JSON

What to ask the server stands in ``warehouse.health``, how to start a browser in ``browser.checkup``.
"""
