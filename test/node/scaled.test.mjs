// PostgreSQL, a relay and Redis, both engines. All frameworks with LATCHKEY_LONG=1.
import { testEngine } from './suite.mjs';

const long = process.env.LATCHKEY_LONG === '1';
const frameworks = long ? undefined : ['express', 'nestFastify'];
testEngine('native', 'scaled', { frameworks, processes: long ? undefined : ['nestFastify'] });
testEngine('http', 'scaled', { frameworks, processes: long ? undefined : [] });
