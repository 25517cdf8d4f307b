// Access keys that are none.
import { generateKeyPairSync, sign } from 'node:crypto';

/** The same claims, signed by somebody else. */
export function forged(token) {
  const [head, claims] = token.split('.');
  const { privateKey } = generateKeyPairSync('ed25519');
  return `${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), privateKey).toString('base64url')}`;
}
