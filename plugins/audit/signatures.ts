import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import type { Key, Keyring } from '../../src/security/keyring.ts';

const PURPOSE = 'audit chain v1';

/** A signature with the name of its key. */
export interface Signature {
    key: string;
    mac: string;
}

/**
 * Signs what stands in Redis with keys that do not: HMAC-SHA256 (RFC 2104) under keys that are derived by HKDF (RFC 5869)
 * from the process' own, which rotate.
 */
export class Signatures {
    readonly #keyring: Keyring;
    readonly #derived = new Map<string, Buffer>();

    constructor(keyring: Keyring) {
        this.#keyring = keyring;
    }

    /** @param parts What it says, none of them with a line break */
    sign(parts: (string | number)[]): Signature {
        const { newest } = this.#keyring;
        return { key: newest.id, mac: this.#mac(newest, parts).toString('hex') };
    }

    /** Null when the key is not known, any more or at all. */
    fits(parts: (string | number)[], { key: id, mac }: Signature): boolean | null {
        const key = this.#keyring.find(id);
        if (!key) return null;
        const expected = this.#mac(key, parts).toString('hex');
        return mac.length === expected.length && timingSafeEqual(Buffer.from(mac), Buffer.from(expected));
    }

    isCurrent({ key }: Signature): boolean {
        return key === this.#keyring.newest.id;
    }

    #mac({ id, secret }: Key, parts: (string | number)[]): Buffer {
        let derived = this.#derived.get(id);
        if (!derived) {
            derived = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
            this.#derived.set(id, derived);
        }
        return createHmac('sha256', derived)
            .update([id, ...parts].join('\n'))
            .digest();
    }
}
