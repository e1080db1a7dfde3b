"""A month in minutes: the real sensors, ledger and loaders by a clock that is moved, under weather as bad as production's.

month     what happens when: ticks, runs, people; the only module a test needs
agenda    moments and what is done at them
daemon    Dagster's part: sensors asked, runs queued, started, missed and retried, all of it told to a real instance
worker    a run's process: account, ledger, file, staging, facts
weather   what goes wrong, drawn from a seed or written down
verdict   what the warehouse holds afterwards, compared with the sandbox's books
"""
