#!/usr/bin/env bash
# Brings every store of `uc` up to date, for machines that run cron and not Dagster's daemon (both at once do no work twice):
# today and yesterday, days that are missing, at night the last weeks; then what upkeep there is. Exits as the refresh does, or with
# 75 when the run before has not ended. Arguments are passed on to the refresh. Run script/setup once before.
#
#   CRON_TZ=Asia/Kolkata
#   30 10,14,18,21 * * * /path/to/this/checkout/cron/crm_download_uc.sh
set -euo pipefail
CDPATH='' cd "$(dirname "$0")/.."
if [ ! -x .venv/bin/crm_download ]; then
  echo "there is no .venv in $PWD yet: run script/setup once" >&2
  exit 69
fi
mkdir -p .local
exec .venv/bin/python script/lib/locked.py skip .local/cron-uc.lock \
  .venv/bin/crm_download refresh --crm uc --upkeep "$@"
