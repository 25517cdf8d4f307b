export { LatchkeyApiError, LatchkeyManagement } from '../dist/index.js';
