/** A secret with the name that signatures and seals carry. */
export interface Key {
    id: string;
    secret: Buffer;
}

/** Secrets that rotate: the newest is used for new work, the older ones for what they made, until they are taken out. */
export class Keyring {
    readonly newest: Key;
    readonly #keys: Map<string, Key>;

    /** @param keys Newest first */
    constructor(keys: [Key, ...Key[]]) {
        this.newest = keys[0];
        this.#keys = new Map(keys.map((key) => [key.id, key]));
    }

    find(id: string): Key | undefined {
        return this.#keys.get(id);
    }
}

/**
 * Reads `kid:secret,kid:secret`, newest first. The error names what is wrong and never the secret.
 *
 * @param encoding Of the secrets
 * @throws {Error} For a name that is not `[A-Za-z0-9_-]{1,32}`, a name given twice, or a secret of the wrong length
 */
export function parseKeyring(
    text: string,
    encoding: 'utf8' | 'base64',
    isLongEnough: (bytes: number) => boolean,
): Keyring {
    const keys = text.split(',').map((part) => {
        const [, id, secret] = /^([A-Za-z0-9_-]{1,32}):(.+)$/.exec(part.trim()) ?? [];
        if (id === undefined || secret === undefined) throw new Error('needs the form name:secret,name:secret');
        const bytes = Buffer.from(secret, encoding);
        if (!isLongEnough(bytes.length)) throw new Error(`has a secret of the wrong length under the name ${id}`);
        return { id, secret: bytes };
    });
    const [first, ...older] = keys;
    if (!first || new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('has a name twice');
    return new Keyring([first, ...older]);
}
