export { LatchkeyApiError, LatchkeyManagement } from './management';
export type {
  Change, CreateKey, Enforcement, Idempotent, IfMatch, IssuedKey, Key, KeyFilter, KeyStatus, ManagementOptions, Plan,
  Problem, Replica, RotateKey, UpdateKey, Wait,
} from './management';
export type { components, operations, paths } from './generated';
