"""A month in minutes: the real sensors, ledger and loaders by a clock that is moved, under weather as bad as production's.

month       what happens when: ticks, looks, people; the only module that a simulation begins with
agenda      moments and what is done at them
daemon      Dagster's part: sensors asked, runs queued, started, missed and retried, all of it told to a real instance
worker      a run's process: account, ledger, file, staging, facts
weather     what goes wrong, drawn from a seed or written down
verdict     what there was at the end, and whether a failure was left alone
equality    facts against the sandbox's books, row by row
timeliness  how soon data was there
"""
