import pytest

from asi_arch.cli.reporting import chosen
from asi_arch.domain.errors import UserError


def test_formats_are_named_with_commas():
    assert chosen("pdf, SVG,pdf", ("png", "svg", "pdf"), "--figures") == ("pdf", "svg")
    assert chosen("none", ("csv", "tex"), "--tables") == ()


@pytest.mark.parametrize("text", ["eps", "png,", "", "png,none"])
def test_an_unknown_format_is_refused_with_those_that_are_known(text):
    with pytest.raises(UserError, match="--figures takes png, svg, pdf with commas between them, or 'none'; got"):
        chosen(text, ("png", "svg", "pdf"), "--figures")
