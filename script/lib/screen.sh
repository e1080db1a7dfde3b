# The screen of the tests in which a robot signs in in the browser's window. Sourced after steps.sh.
# fixtures/screen.py starts it; on macOS those tests are skipped, elsewhere they say what is missing.

need_screen() {
  if { have Xvfb && have xdotool; } || ! have apt-get; then return; fi
  step "a virtual screen" apt_install xvfb xdotool || echo "The tests that need the screen will fail." >&2
}
