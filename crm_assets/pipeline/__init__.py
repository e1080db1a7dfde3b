"""The Dagster room: what Dagster needs to know of a pipeline whose rules live in the rooms below.

partitions    date x store, keys to windows and back
reports       which reports this installation has, and which asset belongs to which
assets        raw xlsx -> staging -> facts, three assets a report
catalogue     what the catalogue shows of an asset; shown, what a run tells of each partition
results       what the assets hand to each other
resources     the warehouse and Playwright, as resources
wants         what each store should have been asked for by now, and whether to ask (again)
attempts      the runs that were started for a want, and their tags
planning      which wants are asked for at this moment
sensors       for each CRM: refresh, settling, catching up
backfills     what a backfill wants beside one run's own days
health        how fresh each store is, and what stands in the way
upkeep        the look around every minute: dead runs, alerts, what is no longer kept
alerting      what is told to people, in which words
retention     what has been kept long enough goes, and what killed runs left
digest        the daily digest as an asset, and its sensor
coverage      which days of which store are there, as an asset
operations    the asset and the sensor that look after the installation itself
journal       the ledger's rows, while a download happens
books         the transactions that make an export staging, then facts
examine       landed files proven, staged rows typed
checks        what Dagster shows as checks of an asset
given         a workbook without a download, into the tables
reload        workbooks by hand and staged rows read anew, and Dagster told of it
io_manager    what an asset gets and hands over, by way of the books
compose       everything composed into Dagster's definitions
coordinator   the run queue's store tag
launcher      which runs' processes are still there
instance      where Dagster keeps its own things
launch        runs started by the command line
"""
