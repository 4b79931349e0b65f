import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import type { Keyring } from './keyring.ts';

const CIPHER = 'aes-256-gcm';
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals text with AES-256-GCM (NIST SP 800-38D) under rotating master keys of 32 bytes. */
export class Vault {
    readonly #keyring: Keyring;

    constructor(keyring: Keyring) {
        this.#keyring = keyring;
    }

    /** @param purpose What the text is and whose: it opens only under the same purpose */
    seal(text: string, purpose: string): string {
        const { id, secret } = this.#keyring.newest;
        const nonce = randomBytes(NONCE_BYTES);
        const cipher = createCipheriv(CIPHER, secret, nonce).setAAD(associated(id, purpose));
        const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
        return `${VERSION}.${id}.${sealed.toString('base64url')}`;
    }

    /** Whether it was sealed with the newest master key. */
    isCurrent(token: string): boolean {
        return token.startsWith(`${VERSION}.${this.#keyring.newest.id}.`);
    }

    /** The text, or null when it was altered, sealed for another purpose, or its key was retired. */
    open(token: string, purpose: string): string | null {
        const [version, id = '', encoded = '', ...rest] = token.split('.');
        const key = this.#keyring.find(id);
        const sealed = Buffer.from(encoded, 'base64url');
        const isWhole = version === VERSION && rest.length === 0 && sealed.length >= NONCE_BYTES + TAG_BYTES;
        if (!key || !isWhole || sealed.toString('base64url') !== encoded) return null;
        const decipher = createDecipheriv(CIPHER, key.secret, sealed.subarray(0, NONCE_BYTES), {
            authTagLength: TAG_BYTES,
        });
        decipher.setAAD(associated(id, purpose)).setAuthTag(sealed.subarray(-TAG_BYTES));
        try {
            const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
            return Buffer.concat([text, decipher.final()]).toString('utf8');
        } catch {
            // The tag does not fit: that is the answer, not a failure.
            return null;
        }
    }
}

const associated = (keyId: string, purpose: string): Buffer => Buffer.from(`${VERSION}.${keyId}.${purpose}`, 'utf8');
