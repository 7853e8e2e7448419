"""Agents that ask a language model. Free of input and output: a brief becomes a question, an answer something typed."""
