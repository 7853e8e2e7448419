"""Tables of a campaign to be taken elsewhere: built once, written as CSV, LaTeX, Markdown, or shown in a page."""
