// Requests over time, from GET /v1/usage: bars by outcome, the limit drawn in where there is one, and the same as a table.
import { call } from './api.js';
import { has } from './features.js';
import { count, time } from './format.js';
import { Loader } from './loader.js';
import { m } from './m.js';
import { problemBox, table } from './widgets.js';

const outcomes = [['admitted', 'admitted'], ['limited', 'over the limit'], ['refused', 'refused']];
const spans = { minute: 60, hour: 24 }; // points shown
const sizes = { minute: 60_000, hour: 3_600_000 };
const width = 600;
const height = 120;

const sum = (counts) => Object.values(counts ?? {}).reduce((all, n) => all + n, 0);
const flat = (point) => ({ time: point.time, admitted: point.admitted, limited: point.limited, refused: sum(point.refused) });

/** Usage of one key, or of all: the last hour by minutes or the last day by hours. */
export class Usage {
  constructor(resolution, filter = {}) {
    Object.assign(this, { resolution, filter });
  }
  async read(signal) {
    const to = new Date();
    const from = new Date(to - spans[this.resolution] * sizes[this.resolution]);
    const query = { from: from.toISOString(), to: to.toISOString(), resolution: this.resolution, ...this.filter };
    const { body } = await call('GET', '/v1/usage', { signal, query });
    return { points: (body.series[0]?.points ?? []).map(flat), total: flat(body.total), completeUntil: body.completeUntil };
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

function shown({ points, total, completeUntil }, resolution, limit) {
  const caption = resolution === 'minute' ? 'Requests a minute, the last hour' : 'Requests an hour, the last day';
  return [
    m('p.legend', outcomes.map(([name, words]) => m('span', { class: name }, `${words} ${count(total[name])}`))),
    m('svg.chart', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${caption}. The table below has the figures.`, preserveAspectRatio: 'none' },
      bars(points, limit)),
    m('p.muted', ['Complete until ', time(completeUntil), '.']),
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
