export { requireAccessKey } from '../dist/express.js';
