# Where a browser comes from. Sourced after steps.sh; expects $venv. crm_assets/browser/chrome.py looks in the same places.

need_browser() {
  if browser_is_there; then return; fi
  # The downloaded browser first and its libraries only when it lacks some: most machines have them.
  step "Playwright's Chromium" install_playwright_browser 2>.local/log/browser.log ||
    step "the system's Chromium" install_system_browser ||
    die "No browser: install Google Chrome or the package 'chromium', or set CRM_BROWSER_PATH to one. Then run this again."
}

browser_is_there() {
  local name
  # A path set by hand is taken at its word.
  if [ -n "${CRM_BROWSER_PATH:-}" ] || grep -qs '^CRM_BROWSER_PATH=.' .env; then return; fi
  # --version, because Ubuntu's chromium-browser may be an empty shell without the snap behind it.
  for name in google-chrome google-chrome-stable chromium chromium-browser \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
    if have "$name" && "$name" --version >/dev/null 2>&1; then return; fi
  done
  playwright_browser_runs
}

playwright_browser_runs() {
  local path
  path=$("$venv/bin/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)') && "$path" --version >/dev/null 2>&1
}

install_playwright_browser() {
  "$venv/bin/playwright" install chromium &&
    { playwright_browser_runs || { "$venv/bin/playwright" install-deps chromium && playwright_browser_runs; }; }
}

install_system_browser() {
  if have apt-get; then
    # The headless shell starts in two thirds of the time; not every distribution has it.
    apt_install chromium chromium-headless-shell fonts-liberation || apt_install chromium fonts-liberation
  elif have dnf; then
    as_root dnf install -y chromium
  elif have pacman; then
    as_root pacman -Sy --noconfirm chromium
  elif have brew; then
    brew install --cask google-chrome
  else
    echo "no apt-get, dnf, pacman or brew on this machine" && return 1
  fi && browser_is_there
}

