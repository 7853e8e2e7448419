"""What the literature knows: entries written from papers, and the search for those that fit. Free of torch."""
