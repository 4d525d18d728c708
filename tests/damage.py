"""Files with a few bytes changed, for parsers that must not fall over them."""

from hypothesis import strategies as st


def damage(data, file):
    """Overwrite one to three bytes of a file, drawn by Hypothesis."""
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
