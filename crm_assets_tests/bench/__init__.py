"""Benches: what ``script/bench`` measures. Each is a module here with a ``figures`` function, and a command in ``__main__``."""
