#!/usr/bin/env bash
# Downloads yesterday and today for every store of `td`, for machines that run cron and no Dagster. Exits as the command does, or
# with 75 when the run before has not ended. Arguments are passed on and overrule these. Run script/setup once before.
#
#   CRON_TZ=Asia/Kolkata
#   30 10,14,18,21 * * * /path/to/this/checkout/cron/crm_download_td.sh
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
if [ ! -x .venv/bin/crm_download ]; then
  echo "there is no .venv in $PWD yet: run script/setup once" >&2
  exit 69
fi
mkdir -p .local
exec .venv/bin/python script/lib/locked.py skip .local/cron-td.lock \
  .venv/bin/crm_download download --crm td --store all --from yesterday --to today "$@"
