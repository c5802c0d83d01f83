"""How long something took or is ago, as people say it."""


def ago(ms: int) -> str:
    """`4 s`, `3 min`, `2 h 10 min`, `3 days`; nothing is shorter than 0 s."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min"
    hours = seconds // 3_600
    if hours < 48:
        return f"{hours} h {seconds % 3_600 // 60} min"
    return f"{hours // 24} days"


def seconds(ms: int) -> str:
    """`0.8 s`, `12 s`."""
    return f"{ms / 1000:.1f} s" if ms < 10_000 else f"{ms // 1000} s"


def lasted(ms: int) -> str:
    """`0.8 s`, `12 s`, `3 min`, `2 h 10 min`."""
    return seconds(ms) if ms < 60_000 else ago(ms)
