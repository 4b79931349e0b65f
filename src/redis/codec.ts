/** What every record carries besides its own fields. Times are ISO-8601 in UTC; `revision` counts the changes from 1. */
export interface RecordBase {
    id: string;
    revision: number;
    createdAt: string;
    updatedAt: string;
}

/** How a field stands in the hash: times as milliseconds since the epoch, JSON for nested values. */
export type FieldKind = 'text' | 'number' | 'boolean' | 'json' | 'time';

/** The own fields of a record; one that may be missing is `null` in the record and absent in the hash. */
export type Fields<T extends RecordBase> = Record<Exclude<keyof T & string, keyof RecordBase>, FieldKind>;

const BASE: Record<keyof RecordBase, FieldKind> = {
    id: 'text',
    revision: 'number',
    createdAt: 'time',
    updatedAt: 'time',
};

/** Milliseconds since the epoch as ISO-8601 in UTC. */
export const isoTime = (milliseconds: number): string => new Date(milliseconds).toISOString();

const encoders: Record<FieldKind, (value: unknown) => string> = {
    text: String,
    number: String,
    boolean: (value) => (value === true ? '1' : '0'),
    json: (value) => JSON.stringify(value),
    time: (value) => String(Date.parse(String(value))),
};

const decoders: Record<FieldKind, (text: string) => unknown> = {
    text: (text) => text,
    number: Number,
    boolean: (text) => text === '1',
    json: (text) => JSON.parse(text),
    time: (text) => isoTime(Number(text)),
};

/** The flat `field, value, …` of a script as a hash. */
export function flatHash(flat: string[]): Record<string, string> {
    const found: Record<string, string> = {};
    for (let at = 0; at < flat.length; at += 2) found[flat[at] ?? ''] = flat[at + 1] ?? '';
    return found;
}

/** Between a record and its Redis hash. */
export class RecordCodec<T extends RecordBase> {
    readonly #kinds: Record<string, FieldKind>;

    constructor(fields: Fields<T>) {
        this.#kinds = { ...BASE, ...fields };
    }

    /** Splits changes into the `field, value, …` to set and the fields to remove (those set to `null`). */
    encode(changes: Partial<T>): { set: string[]; remove: string[] } {
        const set: string[] = [];
        const remove: string[] = [];
        for (const [field, value] of Object.entries(changes)) {
            const kind = this.#kinds[field];
            if (kind === undefined) throw new TypeError(`The record has no field ${field}`);
            if (value === null) remove.push(field);
            else if (value !== undefined) set.push(field, encoders[kind](value));
        }
        return { set, remove };
    }

    /** Reads the flat `field, value, …` that a script returned, as `decodeHash`. */
    decode(flat: string[]): T {
        return this.decodeHash(flatHash(flat));
    }

    /** Reads a hash; unknown fields are left out, missing ones are `null`. */
    decodeHash(found: Record<string, string>): T {
        const read = ([field, kind]: [string, FieldKind]) => {
            const text = found[field];
            return [field, text === undefined ? null : decoders[kind](text)];
        };
        return Object.fromEntries(Object.entries(this.#kinds).map(read)) as T;
    }
}
