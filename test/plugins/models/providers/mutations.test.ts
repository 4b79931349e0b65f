import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isApiError } from '../../../../src/http/errors.ts';
import { adapterStream } from '../../../helpers/adapter.ts';
import { testConfig } from '../../../helpers/app.ts';
import { fixture, startProvider, type Provider } from '../../../helpers/provider.ts';
import { seeded } from '../../../helpers/seeded.ts';
import { callOver, providersAt, WIRES, type TestWire } from '../../../helpers/wires.ts';

import type { StreamPart } from '../../../../plugins/models/api.ts';
import type { Config } from '../../../../src/config.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MUTATIONS = 600;
const AT_ONCE = 50;
const ODD_VALUES = ['null', '-1', '1e999', '{}', '[]', '"\\ud800"', 'true', '[null]', '"__proto__"', '\n', '\r', '\0'];

/** One to four changes to a body: bytes turned, taken out, doubled, cut off, or values put in the place of others. */
function mutate(body: Buffer, seed: number): Buffer {
    const random = seeded(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    let bytes = body;
    for (let changes = 1 + below(4); changes > 0; changes--) {
        const at = below(bytes.length);
        const length = below(40);
        const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
        const ways = [
            () => Buffer.concat([head, Buffer.from([below(256)]), tail.subarray(1)]),
            () => Buffer.concat([head, tail.subarray(length)]),
            () => Buffer.concat([head, tail.subarray(0, length), tail]),
            () => head,
            () => replaceValue(bytes, at, ODD_VALUES[below(ODD_VALUES.length)] ?? ''),
        ];
        bytes = ways[below(ways.length)]?.() ?? bytes;
    }
    return bytes;
}

/** Puts other text in the place of the next value of the JSON. */
function replaceValue(body: Buffer, from: number, value: string): Buffer {
    const text = body.toString('latin1');
    const next = /(?<=":)("(?:[^"\\]|\\.)*"|[\d.]+|null|true|false)/.exec(text.slice(from));
    if (!next) return body;
    const at = from + next.index;
    return Buffer.from(`${text.slice(0, at)}${value}${text.slice(at + next[0].length)}`, 'latin1');
}

/** What breaks the contract of a stream, or null. */
async function faultOf(stream: AsyncIterable<StreamPart[]>): Promise<string | null> {
    const parts: StreamPart[] = [];
    try {
        for await (const batch of stream) parts.push(...batch);
    } catch (error) {
        return isApiError(error, 'PROVIDER_ERROR') ? null : `failed with ${String(error)}`;
    }
    const [usage, finish] = parts.splice(-2);
    if (usage?.type !== 'usage' || finish?.type !== 'finish') return 'did not end with usage and finish';
    const { isEstimated: _flag, ...counts } = usage.usage;
    if (!Object.values(counts).every((count) => Number.isSafeInteger(count) && count >= 0)) return 'counts nonsense';
    if (counts.inputFresh + counts.cacheRead + counts.cacheWrite === 0) return 'costs nothing';
    const begun = new Set<number>();
    return parts.every((part) => isSound(part, begun)) ? null : 'has parts that are none';
}

/** @param begun The indexes of the tool calls that have begun */
function isSound(part: StreamPart, begun: Set<number>): boolean {
    if (part.type !== 'tool-call') return 'delta' in part && typeof part.delta === 'string' && part.delta !== '';
    const { index, id, name, argumentsDelta } = part;
    if (begun.has(index)) return typeof argumentsDelta === 'string' && argumentsDelta !== '';
    const isNext = index === begun.size;
    begun.add(index);
    return isNext && typeof argumentsDelta === 'string' && Boolean(id) && Boolean(name);
}

describe('A provider that sends nonsense', () => {
    let config: Config;
    let provider: Provider;

    before(async () => {
        provider = await startProvider();
        config = { ...testConfig(), ...providersAt(provider.url) };
    });

    after(() => provider.stop());

    const faultAt = (wire: TestWire, seed: number) => {
        const call = callOver(wire, { requestId: String(seed) });
        return faultOf(adapterStream(config, call));
    };

    for (const wire of WIRES) {
        for (const file of wire.recordings) {
            it(
                `gets an answer or a PROVIDER_ERROR out of ${MUTATIONS} mutations (${file})`,
                { timeout: 60_000 },
                async () => {
                    const recorded = fixture(file);
                    provider.answer(({ headers }) => ({
                        steps: [mutate(recorded, Number(headers['x-client-request-id']))],
                    }));
                    for (let first = 1; first <= MUTATIONS; first += AT_ONCE) {
                        const seeds = Array.from({ length: AT_ONCE }, (_, index) => first + index);
                        const faults = await Promise.all(seeds.map((seed) => faultAt(wire, seed)));
                        for (const [index, seed] of seeds.entries()) expect(faults[index], `seed ${seed}`).to.be.null();
                    }
                },
            );
        }
    }
});
