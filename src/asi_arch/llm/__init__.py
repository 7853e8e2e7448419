"""Backends for language models: text in, text out, usage counted. The only room that talks to one."""
