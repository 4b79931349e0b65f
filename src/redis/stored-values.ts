import { isUtf8 } from 'node:buffer';

import { tenantKey } from './keys.ts';
import { luaFile } from './lua-file.ts';

import type { Aggregate, StoredText, StoredValue } from './aggregate.ts';
import type { Datastore } from './datastore.ts';

type Reply = [] | [type: Buffer, content: Buffer | Buffer[] | StreamReply, lastId?: Buffer];
type StreamReply = [id: Buffer, fields: Buffer[]][];

/** Reads an aggregate whose keys are known, in one script; the first key is the one without which it is not there. */
export function aggregateReader(store: Datastore) {
    const run = store.rawScript(luaFile('read-values'));
    return async (tenantId: string, kind: string, id: string, keys: string[]): Promise<Aggregate | null> =>
        toAggregate(tenantId, kind, id, await run(keys, []));
}

/** What a script says that tells of keys by `dump.lua`: `key, {…}, key, {…}`; null when it says nothing. */
export function toAggregate(tenantId: string, kind: string, id: string, reply: unknown): Aggregate | null {
    const flat = reply as (Buffer | Reply)[];
    if (flat.length === 0) return null;
    const values: [string, StoredValue][] = [];
    for (let at = 0; at < flat.length; at += 2) {
        const value = toValue(flat[at + 1] as Reply);
        if (value) values.push([withoutTenant(tenantId, String(flat[at])), value]);
    }
    values.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    return { kind, id, values: Object.fromEntries(values) };
}

/** The parts of a tenant's key after the tenant, joined with `:`. */
export const withoutTenant = (tenantId: string, key: string): string => key.slice(tenantKey(tenantId, '-').length - 1);

export const bytesOf = (text: StoredText): string | Buffer =>
    typeof text === 'string' ? text : Buffer.from(text.base64, 'base64');

/** The texts of a hash by name; of another value or none, nothing. */
export function hashOf({ values }: Aggregate, key: string): Record<string, string> {
    const value = values[key];
    if (value?.type !== 'hash') return {};
    return Object.fromEntries(value.fields.map(([name, text]) => [name, String(bytesOf(text))]));
}

/** The aggregate with other texts in fields of one of its hashes; null takes a field away. */
export function withFields(aggregate: Aggregate, key: string, changes: Record<string, string | null>): Aggregate {
    const value = aggregate.values[key];
    if (value?.type !== 'hash') return aggregate;
    const fields = new Map<string, StoredText>(value.fields);
    for (const [name, text] of Object.entries(changes)) {
        if (text === null) fields.delete(name);
        else fields.set(name, text);
    }
    const sorted = [...fields].toSorted(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    return { ...aggregate, values: { ...aggregate.values, [key]: { type: 'hash', fields: sorted } } };
}

/** As scripts fold names: letters that are not of ASCII stay. */
export const asciiLowerCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

function toValue([type, content, lastId]: Reply): StoredValue | null {
    if (type === undefined) return null;
    if (Buffer.isBuffer(content)) return { type: 'string', value: toText(content) };
    const items = content as Buffer[];
    switch (String(type)) {
        case 'hash':
            return { type: 'hash', fields: pairsOf(items).toSorted(byName).map(toPair) };
        case 'list':
            return { type: 'list', items: items.map(toText) };
        case 'set':
            return { type: 'set', members: items.toSorted((one, other) => Buffer.compare(one, other)).map(toText) };
        case 'zset':
            return { type: 'zset', members: pairsOf(items).map(([member, score]) => [toText(member), String(score)]) };
        default:
            return {
                type: 'stream',
                entries: (content as StreamReply).map(([id, fields]) => [String(id), fields.map(toText)]),
                lastId: String(lastId),
            };
    }
}

const toText = (bytes: Buffer): StoredText => (isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') });

const byName = ([one]: [Buffer, Buffer], [other]: [Buffer, Buffer]): number => Buffer.compare(one, other);

const toPair = ([name, text]: [Buffer, Buffer]): [string, StoredText] => [String(name), toText(text)];

const pairsOf = (flat: Buffer[]): [Buffer, Buffer][] =>
    Array.from({ length: flat.length / 2 }, (_, n) => flat.slice(2 * n, 2 * n + 2) as [Buffer, Buffer]);
