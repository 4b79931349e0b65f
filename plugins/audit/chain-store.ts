import { link, type ChainEnd } from './chain.ts';
import { flatHash } from '../../src/redis/codec.ts';
import { tenantKey } from '../../src/redis/keys.ts';

import type { Signature } from './signatures.ts';
import type { Datastore, RunScript } from '../../src/redis/datastore.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

/** An entry of a stream with its fields and values, byte by byte. */
export type StoredEntry = [id: string, fields: Buffer[]];

/** The end of the chain, of its segments, and a signature on both. */
export interface Head extends ChainEnd, Signature {
    /** The newest segment, '' before the first. */
    segment: string;
    /** Over all segments. */
    segmentsHash: string;
}

/** What stands for entries that were trimmed; its id is that of the last one. */
export interface Segment extends Signature {
    id: string;
    /** The segment before, '' before the first. */
    after: string;
    /** The id of its first entry. */
    first: string;
    count: number;
    /** Of its last entry. */
    hash: string;
}

/** What an entry is sealed with; the last of a batch also says how many there are up to it, and signs that. */
export interface Seal {
    hash: string;
    count?: number;
    signature?: Signature;
}

export interface ChainState {
    head: Head | null;
    length: number;
    /** Ids of the newest entry, seal and segment; '' where there is none. */
    newest: { entry: string; seal: string; segment: string };
}

export interface Batch {
    seals: { id: string; seal: Seal }[];
    head: Head;
}

/** The chain over the audit of tenants: a seal for each entry, segments for those that were trimmed, and the head. */
export class ChainStore {
    readonly #redis: Datastore['redis'];
    readonly #tenantKey: (tenantId: string) => string;
    readonly #run: Record<'read' | 'seal' | 'find' | 'cut', RunScript>;

    constructor(store: Datastore, keyOfTenant: (tenantId: string) => string) {
        this.#redis = store.redis;
        this.#tenantKey = keyOfTenant;
        this.#run = {
            read: store.script(lua('read-chain')),
            seal: store.script(lua('seal-entries')),
            find: store.script(lua('find-end')),
            cut: store.script(lua('cut-entries')),
        };
    }

    async read(tenantId: string): Promise<ChainState> {
        const { head, audit, seals, segments } = keysOf(tenantId);
        const reply = await this.#run.read([head, audit, seals, segments], []);
        const [flat, length, entry, seal, segment] = reply as [string[], number, string, string, string];
        return { head: flat.length === 0 ? null : headOf(flatHash(flat)), length, newest: { entry, seal, segment } };
    }

    /** Entries that come after that one, up to and with `until`. */
    entries(tenantId: string, afterId: string, until: string, most: number): Promise<StoredEntry[]> {
        return this.#stretch(keysOf(tenantId).audit, afterId, until, most);
    }

    /** The seals of the same. */
    async seals(tenantId: string, afterId: string, until: string, most: number): Promise<[string, Seal][]> {
        const found = await this.#stretch(keysOf(tenantId).seals, afterId, until, most);
        return found.map(([id, fields]) => [id, sealOf(flatHash(fields.map(String)))]);
    }

    /** Segments that come after that one, oldest first, and what they are in the chain of segments from `hash` on. */
    async segments(tenantId: string, afterId: string, hash: string, most: number) {
        const found = await this.#stretch(keysOf(tenantId).segments, afterId, '+', most);
        let previous = hash;
        return found.map(([id, fields]) => {
            previous = link(previous, id, fields);
            return { segment: segmentOf(id, flatHash(fields.map(String))), segmentsHash: previous };
        });
    }

    /** Whether the chain still ended with that head. */
    async seal(tenantId: string, was: Head | null, { seals, head }: Batch): Promise<boolean> {
        const keys = keysOf(tenantId);
        const batch = {
            seals: seals.map(({ id, seal }) => [id, ...flatSeal(seal)]),
            head: Object.entries(head).flat().map(String),
        };
        const args = [was?.mac ?? '', JSON.stringify(batch)];
        return (await this.#run.seal([keys.head, keys.seals, this.#tenantKey(tenantId)], args)) === 1;
    }

    /** The first and the last entry of what may be trimmed now, or null. */
    async findEnd(tenantId: string, keptMs: number, cutMs: number, batch: number) {
        const found = (await this.#run.find([keysOf(tenantId).seals], [keptMs, cutMs, batch])) as string[];
        const [first, last] = found;
        return first === undefined || last === undefined ? null : { first, last };
    }

    /** Whether the chain still ended with that head. @param next The first id that may stay */
    async cut(
        tenantId: string,
        was: Head,
        { segment, next }: { segment: Segment; next: string },
        sign: (segmentsHash: string) => Head,
    ): Promise<boolean> {
        const { id, ...fields } = segment;
        const flat = Object.entries(fields).flat().map(String);
        const segmentsHash = link(
            was.segmentsHash,
            id,
            flat.map((part) => Buffer.from(part)),
        );
        const head = Object.entries(sign(segmentsHash)).flat().map(String);
        const keys = keysOf(tenantId);
        const args = [was.mac, id, next, JSON.stringify({ segment: flat, head })];
        return (await this.#run.cut([keys.head, keys.audit, keys.seals, keys.segments], args)) === 1;
    }

    async #stretch(key: string, afterId: string, until: string, most: number): Promise<StoredEntry[]> {
        const found = await this.#redis.xrangeBuffer(key, `(${afterId}`, until, 'COUNT', most);
        return found.map(([id, fields]) => [String(id), fields]);
    }
}

const keysOf = (tenantId: string) => ({
    audit: tenantKey(tenantId, 'audit'),
    head: tenantKey(tenantId, 'audit', 'head'),
    seals: tenantKey(tenantId, 'audit', 'seals'),
    segments: tenantKey(tenantId, 'audit', 'segments'),
});

type FieldsOf = Partial<Record<string, string>>;

const signatureOf = ({ key = '', mac = '' }: FieldsOf): Signature => ({ key, mac });

const headOf = (fields: FieldsOf): Head => {
    const { id = '', hash = '', count, segment = '', segmentsHash = '' } = fields;
    return { id, hash, count: Number(count), segment, segmentsHash, ...signatureOf(fields) };
};

const segmentOf = (id: string, fields: FieldsOf): Segment => {
    const { after = '', first = '', count, hash = '' } = fields;
    return { id, after, first, count: Number(count), hash, ...signatureOf(fields) };
};

/** In this order: who reads a page takes the first for the hash. */
const flatSeal = ({ hash, count, signature }: Seal): string[] => [
    'hash',
    hash,
    ...(count !== undefined && signature ? ['count', String(count), 'key', signature.key, 'mac', signature.mac] : []),
];

const sealOf = (fields: FieldsOf): Seal => {
    const { hash = '', count, mac } = fields;
    return { hash, ...(count !== undefined && mac !== undefined && seal(Number(count), signatureOf(fields))) };
};

const seal = (count: number, signature: Signature) => ({ count, signature });
