# Where a Python comes from, and uv, which installs packages (8 s from nothing; pip needs 41 s). Sourced after steps.sh.

# find_python LOWEST HIGHEST: prints the real path of the first Python in that range which runs. A shim on the PATH may not:
# pyenv's fails wherever .python-version asks for a version it does not have.
find_python() {
  local name pyenv=${PYENV_ROOT:-$HOME/.pyenv}
  for name in python3.13 python3.12 python3.14 python3 python /usr/bin/python3 /opt/homebrew/bin/python3 \
    /usr/local/bin/python3 "$pyenv"/versions/*/bin/python; do
    is_python "$name" "$1" "$2" && return
  done
  return 1
}

# is_python NAME LOWEST HIGHEST: prints the interpreter's real path, or fails.
is_python() {
  have "$1" && "$1" -c '
import sys
low, high = (tuple(map(int, text.split("."))) for text in sys.argv[1:])
print(sys.executable) if low <= sys.version_info[:2] <= high else sys.exit(1)' "$2" "$3" 2>/dev/null
}

# The pinned uv, in an environment of its own, made by whatever Python 3 the machine has.
need_uv() {
  uv=.local/uv/bin/uv
  if ! grep -q "^uv==$("$uv" --version 2>/dev/null | cut -d ' ' -f 2) " script/lib/uv.txt; then
    step "uv" install_uv || die "uv could not be installed: it needs a Python 3.7 or later with venv, and the package index."
  fi
  use_pip_index
}

install_uv() {
  local python
  python=$(find_python 3.7 3.99) || { echo "no Python 3 runs on this machine" && return 1; }
  make_uv_environment "$python" || { have apt-get && apt_install python3-venv && make_uv_environment /usr/bin/python3; } || return 1
  # uv is a plain program: the Python beside it may be older than the one uv's package asks for.
  .local/uv/bin/python -m pip install --ignore-requires-python --require-hashes -r script/lib/uv.txt
}

make_uv_environment() {
  rm -rf .local/uv && "$1" -m venv .local/uv
}

# uv reads no pip settings: on a machine whose pip is pointed at a mirror, point uv at it too.
use_pip_index() {
  local index=${PIP_INDEX_URL:-}
  [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] || return 0
  [ -n "$index" ] || index=$(.local/uv/bin/python -m pip config get global.index-url 2>/dev/null) || return 0
  export UV_DEFAULT_INDEX=$index
}
