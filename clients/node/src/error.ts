/**
 * A Latchkey that cannot start, or was used wrongly. Refused requests are verdicts, not errors.
 *
 * `code`: LATCHKEY_CONFIGURATION (an option), LATCHKEY_CONFLICT (another process counts here already),
 * LATCHKEY_UNAVAILABLE (a file or a store cannot be opened), LATCHKEY_CLOSED.
 */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  constructor(readonly code: string, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
