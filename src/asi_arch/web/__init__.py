"""Read-only pages about one campaign, served on this machine. They never write to a store and never run a candidate."""
