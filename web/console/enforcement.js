// What `?wait=enforced` came to, in a sentence.
import { millis, plural } from './format.js';

const named = (replicas, outcome) => replicas.filter((replica) => replica.outcome === outcome).map((replica) => replica.name);

function confirmed({ waitedMillis, replicas }) {
  const where = replicas.length === 0 ? 'no replica is registered' : plural(replicas.length, 'replica');
  const fenced = named(replicas, 'fenced');
  const note = fenced.length ? `; refusing by themselves: ${fenced.join(', ')}` : '';
  return `enforced everywhere in ${millis(waitedMillis)} (${where}${note}).`;
}

function pending({ waitedMillis, replicas }) {
  const waiting = [...named(replicas, 'waiting'), ...named(replicas, 'other-epoch'), ...named(replicas, 'outdated')];
  return `committed, but not confirmed everywhere after ${millis(waitedMillis)}. Behind: ${waiting.join(', ') || 'not known'}.`;
}

/** {text, tone} for a notice: "Disabled: enforced everywhere in 12 ms (2 replicas)." */
export function enforced(done, enforcement) {
  if (!enforcement) return { text: `${done}.`, tone: 'good' };
  if (enforcement.state === 'confirmed') return { text: `${done}: ${confirmed(enforcement)}`, tone: 'good' };
  return { text: `${done}: ${pending(enforcement)}`, tone: 'bad' };
}
