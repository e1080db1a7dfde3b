"""Both portals in other clothes: the same facts, other markup and other waits than the sandbox's."""
