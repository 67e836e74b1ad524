"""Planning: from what is desired and what exists to the changes between them. Pure, but for `planner`."""
