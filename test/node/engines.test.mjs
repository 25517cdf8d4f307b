// The embedded store, both engines. What is stopped and killed takes its time: all of that with LATCHKEY_LONG=1.
import { testEngine } from './suite.mjs';

const long = process.env.LATCHKEY_LONG === '1';
testEngine('native', 'embedded', { processes: long ? undefined : ['nestFastify'] });
testEngine('http', 'embedded', { processes: long ? undefined : [] });
