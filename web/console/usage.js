// Requests over time, from GET /v1/usage: bars by outcome, the limit drawn in where there is one, and the same as a table.
import { call } from './api.js';
import { has } from './features.js';
import { count, time } from './format.js';
import { windowSeconds } from './limits.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { problemBox, table } from './widgets.js';

const outcomes = [['admitted', 'admitted'], ['limited', 'over the limit'], ['refused', 'refused']];
const spans = { minute: 60, hour: 24 }; // points shown
const sizes = { minute: 60_000, hour: 3_600_000 };
const none = { admitted: 0, limited: 0, refused: {} };
const width = 600;
const height = 120;

const sum = (counts) => Object.values(counts ?? {}).reduce((all, n) => all + n, 0);
const flat = (point) => ({ time: point.time, admitted: point.admitted, limited: point.limited, refused: sum(point.refused) });

/** GET /v1/usage of the last points up to now. */
async function lately(resolution, filter, signal) {
  const size = sizes[resolution];
  const to = (Math.floor(Date.now() / size) + 1) * size;
  const from = to - spans[resolution] * size;
  const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), resolution, ...filter };
  return { ...(await call('GET', '/v1/usage', { signal, query })).body, begin: from, size };
}

/** A point that has nothing was left out. */
function everyPoint({ begin, size, resolution, series }) {
  const known = new Map((series[0]?.points ?? []).map((point) => [Date.parse(point.time), point]));
  return Array.from({ length: spans[resolution] }, (_, i) => {
    const at = begin + i * size;
    return flat(known.get(at) ?? { time: new Date(at).toISOString(), ...none });
  });
}

/** [{group, admitted, limited, refused}] of the last day, the most used first. */
export async function most(groupBy, top, signal) {
  const { series } = await lately('hour', { groupBy, top }, signal);
  const rows = series.filter(({ group }) => group !== null).map(({ group, points }) => {
    const total = { group, admitted: 0, limited: 0, refused: 0 };
    for (const point of points.map(flat)) for (const [name] of outcomes) total[name] += point[name];
    return total;
  });
  return rows.sort((a, b) => b.admitted + b.limited - a.admitted - a.limited);
}

const shownNear = 10;

/** [{key, peak, limit, limited}] of the busiest keys: those that came near a limit by the minute in the last hour. */
export async function nearLimit(signal) {
  const { series } = await lately('minute', { groupBy: 'key', top: shownNear }, signal);
  const found = await Promise.all(series.filter(({ group }) => group !== null).map(async ({ group, points }) => {
    const key = await call('GET', `/v1/keys/${group}`, { signal }).then(({ body }) => body, () => undefined);
    const [limit] = (key?.effective?.limits ?? []).filter((each) => windowSeconds(each) === 60 && each.mode !== 'observe').map(({ requests }) => requests);
    return { key, limit, peak: Math.max(0, ...points.map(({ admitted }) => admitted)), limited: points.reduce((all, point) => all + point.limited, 0) };
  }));
  return found.filter(({ key, limit, peak, limited }) => key && limit && (limited > 0 || peak >= 0.8 * limit));
}

/** Usage of one key, or of all: the last hour by minutes or the last day by hours. */
export class Usage {
  constructor(resolution, filter = {}) {
    Object.assign(this, { resolution, filter });
  }
  async read(signal) {
    const body = await lately(this.resolution, this.filter, signal);
    return { points: everyPoint(body), total: flat(body.total), reasons: body.total.refused, completeUntil: body.completeUntil };
  }
  stop() { this.loader?.stop(); }
  /** `limit`: requests a point, drawn as a line. */
  view(limit) {
    if (has('/v1/usage')) this.loader ??= new Loader((signal) => this.read(signal), () => false).every(10_000);
    if (!this.loader || (!this.loader.data && !this.loader.problem)) return undefined;
    const { data, problem } = this.loader;
    return m('section', { 'aria-label': 'Requests' }, [m('h2', 'Requests'), problemBox(problem), data && shown(data, this.resolution, limit)]);
  }
}

/** Why requests were refused, the most frequent first. */
function reasonList(reasons) {
  const rows = Object.entries(reasons).sort((a, b) => b[1] - a[1]);
  if (rows.length === 0) return undefined;
  return table({ caption: 'Refused for', rows, empty: '', columns: [['Reason', ([name]) => name], ['Requests', ([, n]) => count(n)]] });
}

function shown({ points, total, reasons, completeUntil }, resolution, limit) {
  const caption = resolution === 'minute' ? 'Requests a minute, the last hour' : 'Requests an hour, the last day';
  return [
    m('p.legend', outcomes.map(([name, words]) => m('span', { class: name }, `${words} ${count(total[name])}`))),
    m('svg.chart', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${caption}. The table below has the figures.`, preserveAspectRatio: 'none' },
      bars(points, limit)),
    m('p.muted', [caption, '; complete until ', time(completeUntil), limit ? '. The dashed line is the limit a minute.' : '.']),
    reasonList(reasons),
    m('details', [m('summary', 'As a table'), table({
      caption, unseen: true, rows: points, empty: 'No request.',
      columns: [['Time', (point) => time(point.time)], ...outcomes.map(([name, words]) => [words, (point) => count(point[name])])],
    })]),
  ];
}

function bars(points, limit) {
  const most = Math.max(1, limit ?? 0, ...points.map((point) => point.admitted + point.limited + point.refused));
  const step = width / Math.max(1, points.length);
  const drawn = points.flatMap((point, i) => {
    let top = height;
    return outcomes.map(([name]) => {
      const tall = (point[name] / most) * height;
      top -= tall;
      return m('rect', { class: name, x: i * step, y: top, width: Math.max(1, step - 1), height: tall });
    });
  });
  const y = limit && height - (limit / most) * height;
  return [...drawn, limit && m('line.limit', { x1: 0, x2: width, y1: y, y2: y })];
}
