"""Programs without anything that their authors could say in them; what a language model is shown that is to judge."""

from asi_arch.agents.bare.program import added_lines, bare_program

__all__ = ["added_lines", "bare_program"]
