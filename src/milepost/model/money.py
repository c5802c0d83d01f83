"""Money as integers: micro-USD, with None for a price that is not known (never 0).

Source: docs/decisions, spec auto 5.12 (formats).
"""

MICRO = 1_000_000


def from_usd(usd: float) -> int:
    """Micro-USD of an amount in USD, rounded to the nearest."""
    return round(usd * MICRO)


def to_usd(micro_usd: int) -> float:
    """USD of an amount in micro-USD, for files that hold USD as a JSON number."""
    return micro_usd / MICRO


def show(micro_usd: int | None) -> str:
    """`$0.0042`, `$0.125`, `$3.50`; `unknown` for None (below 1 cent 4 decimals, below 1 dollar 3, else 2)."""
    if micro_usd is None:
        return "unknown"
    usd = micro_usd / MICRO
    if micro_usd == 0:
        return "$0.00"
    if usd < 0.01:
        return f"${usd:.4f}"
    return f"${usd:.3f}" if usd < 1 else f"${usd:.2f}"


def show_tokens(tokens: int) -> str:
    """`950`, `12.3k`, `1.25M`."""
    if tokens < 1_000:
        return str(tokens)
    return f"{tokens / 1_000:.1f}k" if tokens < MICRO else f"{tokens / MICRO:.2f}M"
