export { latchkeyPlugin } from '../dist/fastify.js';
