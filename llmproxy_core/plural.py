"""Numbers with what they count, for people."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 call`, `1,234 calls`. `many`: where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
