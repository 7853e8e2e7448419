"""A campaign told in writing: sections with sentences, lists and tables, every one derived from what is stored."""
