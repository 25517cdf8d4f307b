import { Injectable, UnauthorizedException } from '@nestjs/common';
import { LatchkeyManagement } from '@latchkey/management';

/** Latchkey's management API, spoken to in the name of whoever asks us. */
@Injectable()
export class Latchkeys {
  readonly #url = process.env['KEYS_URL'] ?? 'http://127.0.0.1:7070';

  /** The admin's own JWT goes along: Latchkey checks signature, expiry and role, so there is no auth system here. */
  asAdmin(authorization: string | undefined): LatchkeyManagement {
    const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new UnauthorizedException('An admin token is needed: Authorization: Bearer');
    return new LatchkeyManagement({ url: this.#url, token });
  }

  /** For holders, whose calls carry their access key. */
  asHolder(): LatchkeyManagement {
    return new LatchkeyManagement({ url: this.#url });
  }
}
