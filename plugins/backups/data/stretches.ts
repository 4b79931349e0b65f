import { bytesOf } from '../../../src/redis/stored-values.ts';

import type { Aggregate, StoredValue } from '../../../src/redis/aggregate.ts';

/** About how many bytes, and how many texts, a step stages. */
const MOST_BYTES = 1_048_576;
const MOST_TEXTS = 5_000;

export interface StagedAggregate {
    /** `<kind>/<id>` */
    name: string;
    keys: string[];
    isPart: boolean;
}

interface StagedValue {
    key: string;
    type: StoredValue['type'];
    isFirst: boolean;
    /** Texts */
    count: number;
    /** Of a stream whose last entries these are. */
    lastId?: string;
}

/** As much of an aggregate as one step stages. */
export interface StagedStretch {
    begins?: StagedAggregate;
    values: StagedValue[];
    texts: (string | Buffer)[];
}

export const nameOf = ({ kind, id }: Pick<Aggregate, 'kind' | 'id'>): string => `${kind}/${id}`;

/** An aggregate in stretches that a step can stage; the first one begins it. @param keyOf Where a value is staged */
export function* stretchesOf(aggregate: Aggregate, isPart: boolean, keyOf: (key: string) => string) {
    const keys = Object.keys(aggregate.values);
    let stretch: StagedStretch = { begins: { name: nameOf(aggregate), keys, isPart }, values: [], texts: [] };
    let bytes = 0;
    for (const [key, value] of Object.entries(aggregate.values)) {
        let part = { key: keyOf(key), type: value.type, isFirst: true, count: 0 };
        stretch.values.push(part);
        for (const texts of itemsOf(value)) {
            if (bytes > MOST_BYTES || stretch.texts.length > MOST_TEXTS) {
                yield stretch;
                part = { ...part, isFirst: false, count: 0 };
                stretch = { values: [part], texts: [] };
                bytes = 0;
            }
            for (const text of texts) bytes += text.length;
            stretch.texts.push(...texts);
            part.count += texts.length;
        }
        if (value.type === 'stream') stretch.values.push({ ...part, isFirst: false, count: 0, lastId: value.lastId });
    }
    yield stretch;
}

/** The texts that the script takes, those that cannot be parted together. */
function* itemsOf(value: StoredValue): Generator<(string | Buffer)[]> {
    switch (value.type) {
        case 'string':
            yield [bytesOf(value.value)];
            return;
        case 'hash':
            for (const [name, text] of value.fields) yield [name, bytesOf(text)];
            return;
        case 'list':
            for (const text of value.items) yield [bytesOf(text)];
            return;
        case 'set':
            for (const text of value.members) yield [bytesOf(text)];
            return;
        case 'zset':
            for (const [member, score] of value.members) yield [score, bytesOf(member)];
            return;
        case 'stream':
            for (const [id, fields] of value.entries) yield [id, String(fields.length), ...fields.map(bytesOf)];
    }
}
