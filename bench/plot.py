"""Small SVG plots, readable on white and on dark."""

import html
import math

WIDTH, LABEL, ROW, TOP = 760, 290, 26, 44
INK, OURS, OTHERS = "#777", "#2a7ae2", "#b0b0b0"


def svg(height, title, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'font-family="sans-serif" font-size="13" fill="{INK}"><title>{html.escape(title)}</title>'
            f'<text x="0" y="18" font-size="15">{html.escape(title)}</text>{"".join(parts)}</svg>\n')


def bars(title, rows):
    """`rows`: (label, value, text, ours). Lengths are logarithmic, so that 6 µs and 80 µs fit side by side."""
    least = min(value for _, value, _, _ in rows) / 2
    most = max(value for _, value, _, _ in rows)
    room = WIDTH - LABEL - 90
    parts = []
    for i, (label, value, text, ours) in enumerate(rows):
        y = TOP + i * ROW
        width = room * math.log(value / least) / math.log(most / least)
        parts.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{html.escape(label.replace("`", ""))}</text>'
                     f'<rect x="{LABEL}" y="{y}" width="{width:.0f}" height="18" fill="{OURS if ours else OTHERS}"/>'
                     f'<text x="{LABEL + width + 6:.0f}" y="{y + 14}">{html.escape(text)}</text>')
    parts.append(f'<text x="{LABEL}" y="{TOP + len(rows) * ROW + 12}" font-size="11">logarithmic</text>')
    return svg(TOP + len(rows) * ROW + 20, title, parts)


def lines(title, unit, series):
    """`series`: {name: [(x, y)]}; x logarithmic, y from zero."""
    points = [point for one in series.values() for point in one]
    left, right, bottom, height = 60, WIDTH - 160, 250, 200
    low, high = math.log10(min(x for x, _ in points)), math.log10(max(x for x, _ in points))
    most = max(y for _, y in points) * 1.1

    def at(x, y):
        return left + (right - left) * (math.log10(x) - low) / (high - low or 1), bottom - height * y / most

    parts = []
    for step in range(5):
        y = most * step / 4
        parts.append(f'<text x="{left - 6}" y="{at(10**low, y)[1] + 4:.0f}" text-anchor="end" font-size="11">{y:.0f}</text>'
                     f'<path d="M{left} {at(10**low, y)[1]:.0f}H{right}" stroke="{INK}" stroke-opacity=".25"/>')
    for x in sorted({x for x, _ in points}):
        parts.append(f'<text x="{at(x, 0)[0]:.0f}" y="{bottom + 18}" text-anchor="middle" font-size="11">{x:,}</text>')
    for color, (name, one) in zip([OURS, "#c0504d", "#6a9a3b", "#8064a2"], series.items(), strict=False):
        path = "L".join("{:.0f} {:.0f}".format(*at(x, y)) for x, y in sorted(one))
        end = at(*max(one))
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>'
                     f'<text x="{end[0] + 8:.0f}" y="{end[1] + 4:.0f}" fill="{color}">{html.escape(name)}</text>')
    parts.append(f'<text x="{left}" y="{bottom + 36}" font-size="11">{html.escape(unit)}</text>')
    return svg(bottom + 44, title, parts)
