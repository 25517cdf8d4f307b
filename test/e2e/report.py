"""Figures that tests measure and do not judge, told at the end of the run."""

figures = {}  # what → list of (value, unit)


def measured(what, value, unit="s"):
    figures.setdefault((what, unit), []).append(value)


def lines():
    for (what, unit), values in figures.items():
        spread = f", at most {max(values):.3f} of {len(values)}" if len(values) > 1 else ""
        yield f"{what}: {sorted(values)[len(values) // 2]:.3f} {unit}{spread}".rstrip()
