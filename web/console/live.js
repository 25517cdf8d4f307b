// The change log as it grows: server-sent events of GET /v1/changes, read by fetch because EventSource cannot send the
// Authorization header. A stream that is silent for longer than two heartbeats counts as cut.
import { Problem, open, session } from './api.js';
import { redraw } from './m.js';

const silence = 40_000;
const longestPause = 15_000;

export const live = {
  state: 'off', // off, connecting, live, cut
  why: '',
  retryAt: 0,
  recent: [], // changes, newest first
  listeners: new Set(), // called with each change, and with nothing where some may have been missed
};

let attempt = 0; // one number for each start(): what belongs to an older one stops
let lastId;
let pause;

function tell(change) {
  for (const listener of live.listeners) listener(change);
}

// One event is lines until an empty one (WHATWG HTML 9.2.6).
function receive(text) {
  const fields = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '');
  }
  if (fields.id) lastId = fields.id;
  if (!fields.data) return;
  const change = JSON.parse(fields.data);
  live.recent = [change, ...live.recent].slice(0, 20);
  tell(change);
  redraw();
}

async function readAll(reader, abort) {
  const decoder = new TextDecoder();
  let buffered = '';
  for (;;) {
    const timer = setTimeout(() => abort.abort(), silence);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    buffered += decoder.decode(value, { stream: true });
    const events = buffered.split('\n\n');
    buffered = events.pop();
    events.forEach(receive);
  }
}

async function follow() {
  const abort = new AbortController();
  const stop = () => abort.abort();
  session.onEnd.push(stop);
  try {
    const reader = await open('/v1/changes', { query: { after: lastId }, headers: { Accept: 'text/event-stream' }, signal: abort.signal });
    if (live.state !== 'live' && lastId === undefined) tell(); // what came between the page's first look and now
    Object.assign(live, { state: 'live', why: '' });
    pause = 500;
    redraw();
    await readAll(reader, abort);
    return 'the service ended it';
  } finally {
    session.onEnd.splice(session.onEnd.indexOf(stop), 1);
    abort.abort();
  }
}

function reasonOf(error) {
  if (!(error instanceof Problem)) return 'nothing was heard any more';
  if (error.status === 410) { // another life of the database: all that was seen is void
    lastId = undefined;
    live.recent = [];
    tell();
  }
  return error.message.toLowerCase();
}

export function start() {
  const mine = ++attempt;
  lastId = undefined;
  pause = 500;
  Object.assign(live, { state: 'connecting', why: '', recent: [] });
  const again = async () => {
    let why;
    try { why = await follow(); } catch (error) { why = reasonOf(error); }
    if (mine !== attempt || !session.open) return;
    Object.assign(live, { state: 'cut', why, retryAt: Date.now() + pause });
    redraw();
    setTimeout(() => { if (mine === attempt && session.open) again(); }, pause);
    pause = Math.min(pause * 2, longestPause);
  };
  again();
}

export function stop() {
  attempt++;
  Object.assign(live, { state: 'off', recent: [] });
}
