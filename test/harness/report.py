"""Figures that tests measure and do not judge, told at the end of the run."""

figures = {}  # what → list of (value, unit)


def measured(what, value, unit="s"):
    figures.setdefault((what, unit), []).append(value)


def lines():
    for (what, unit), values in figures.items():
        spread = f", at most {rounded(max(values))} of {len(values)}" if len(values) > 1 else ""
        yield f"{what}: {rounded(sorted(values)[len(values) // 2])} {unit}".rstrip() + spread


def rounded(value):
    return f"{round(value, 4):g}"
