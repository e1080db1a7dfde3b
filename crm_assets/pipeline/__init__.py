"""The Dagster room: what Dagster needs to know of a pipeline whose rules live in the rooms below.

partitions    date x store, keys to windows and back
reports       which reports this installation has, and which asset belongs to which
assets        raw xlsx -> staging -> facts, three assets a report
results       what the assets hand to each other
resources     the warehouse and Playwright, as resources
journal       the ledger's rows, while a download happens
books         the transactions that make an export staging, then facts
io_manager    what an asset gets and hands over, by way of the books
compose       everything composed into Dagster's definitions
coordinator   the run queue's store tag
instance      where Dagster keeps its own things
launch        runs started by the command line
"""
