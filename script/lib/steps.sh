# How a script tells what it does. Sourced by script/setup and script/lock; runs on bash 3.2, which macOS still ships.

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# step WHAT COMMAND...: one line with its seconds; what the command printed is shown only when it fails.
# A function given as COMMAND must chain its commands with &&, because bash ignores `set -e` in here.
step() {
  local what=$1 began=$SECONDS log=.local/log/setup.log status=0
  shift
  mkdir -p .local/log
  printf '%s ... ' "$what"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" = 0 ]; then
    echo "$((SECONDS - began)) s"
  else
    echo "failed after $((SECONDS - began)) s"
    cat "$log" >&2
  fi
  return "$status"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

have() {
  command -v "$1" >/dev/null 2>&1
}

apt_install() {
  as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}
