"""The browser room: Chrome itself, saved sessions and what a page hands over. Knows no portal."""
