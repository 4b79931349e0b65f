import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { createParser } from 'eventsource-parser';

import { eventStream, formatEvent, type ServerSentEvent } from '../../../src/http/sse.ts';

import type { Readable } from 'node:stream';

export const lab = Lab.script();
const { describe, it } = lab;

const HEARTBEAT = ': heartbeat\n\n';
const RETRY = 'retry: 1000\n\n';
const event = (id: number): ServerSentEvent => ({ id: String(id), event: 'token', data: { text: `t${id}` } });
const wire = (...ids: number[]) => ids.map((id) => `id: ${id}\nevent: token\ndata: {"text":"t${id}"}\n\n`).join('');

/** Batches that a test gives one by one; `asked` says that the source was asked to end. */
function source() {
    const gate = {
        give: (_result: IteratorResult<ServerSentEvent[], undefined>) => undefined as void,
        asked: 0,
        read: 0,
    };
    const batches: AsyncIterable<ServerSentEvent[]> = {
        [Symbol.asyncIterator]: () => ({
            next: () => {
                gate.read++;
                return new Promise<IteratorResult<ServerSentEvent[], undefined>>((resolve) => (gate.give = resolve));
            },
            return: async () => {
                gate.asked++;
                return { done: true, value: undefined };
            },
        }),
    };
    return { batches, gate };
}

async function chunksOf(stream: Readable): Promise<string[]> {
    const chunks: string[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    await once(stream, 'end');
    return chunks;
}

const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(5);
};

describe('formatEvent', () => {
    it('writes id, event and data, a line each, and an empty line', () => {
        expect(formatEvent({ id: '1-0', event: 'token', data: { text: 'a' } })).to.equal(
            'id: 1-0\nevent: token\ndata: {"text":"a"}\n\n',
        );
    });

    it('keeps line breaks of the data within its line', () => {
        const data = { text: 'a\nb\r\nc\u2028d\n\nevent: error' };
        const text = formatEvent({ id: '1', event: 'token', data });
        expect(text.split('\n')).to.have.length(5);
        expect(text).to.not.include('\r');
        expect(JSON.parse(String(text.split('\n')[2]).slice('data: '.length))).to.equal(data);
    });
});

describe('eventStream', () => {
    it('says first, before there is any event, when a browser is to come again, which is no event itself', async () => {
        const { batches } = source();
        const stream = eventStream(batches, 60_000);
        const [first] = (await once(stream, 'data')) as [Buffer];
        const told: unknown[] = [];
        const parser = createParser({
            onRetry: (milliseconds) => void told.push(milliseconds),
            onEvent: (message) => void told.push(message),
            onError: (error) => void told.push(error),
        });
        parser.feed(first.toString());
        expect(told).to.equal([1_000]);
        stream.destroy();
    });

    it('writes each batch in one piece and ends after the last', async () => {
        async function* batches() {
            yield [event(1), event(2)];
            yield [event(3)];
        }
        expect(await chunksOf(eventStream(batches()))).to.equal([RETRY, wire(1, 2), wire(3)]);
    });

    it('writes nothing for a batch without events, and goes on', async () => {
        async function* batches() {
            yield [event(1)];
            yield [];
            yield [event(2)];
        }
        expect(await chunksOf(eventStream(batches()))).to.equal([RETRY, wire(1), wire(2)]);
    });

    it('ends at once where there is nothing', async () => {
        expect(await chunksOf(eventStream((async function* () {})()))).to.equal([RETRY]);
    });

    it('writes a heartbeat whenever there is nothing for a while, and loses no event for it', async () => {
        const { batches, gate } = source();
        const stream = eventStream(batches, 10);
        const chunks: string[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
        await until(() => chunks.length === 3);
        expect(chunks).to.equal([RETRY, HEARTBEAT, HEARTBEAT]);
        gate.give({ done: false, value: [event(1)] });
        await until(() => chunks.includes(wire(1)) && chunks.at(-1) === HEARTBEAT);
        expect(gate.read).to.equal(2);
        gate.give({ done: true, value: undefined });
        await once(stream, 'end');
        expect(chunks.filter((chunk) => chunk !== HEARTBEAT)).to.equal([RETRY, wire(1)]);
    });

    it('writes no heartbeat while there are events', async () => {
        async function* batches() {
            for (let id = 0; id < 5; id++) yield [event(id)];
        }
        expect((await chunksOf(eventStream(batches(), 5_000))).join('')).to.equal(`${RETRY}${wire(0, 1, 2, 3, 4)}`);
    });

    it('is read at the pace of the reader', async () => {
        let made = 0;
        async function* batches() {
            for (; made < 1_000; made++) yield [{ id: '1', event: 'token', data: 'x'.repeat(10_000) }];
        }
        const stream = eventStream(batches());
        stream.read(0);
        await sleep(20);
        expect(made).to.be.below(100);
        stream.destroy();
    });

    it('asks the source to end when the reader goes away, also while it waits for the next batch', async () => {
        const { batches, gate } = source();
        // So long a heartbeat that it cannot be what wakes the stream.
        const stream = eventStream(batches, 60_000);
        stream.resume();
        await until(() => gate.read === 1);
        gate.give({ done: false, value: [event(1)] });
        await until(() => gate.read === 2);
        stream.destroy();
        await until(() => gate.asked > 0);
        expect(gate.asked).to.equal(1);
        expect(gate.read).to.equal(2);
    });

    it('asks the source to end when nobody has begun to read', async () => {
        const { batches, gate } = source();
        eventStream(batches, 60_000).destroy();
        await until(() => gate.asked > 0);
        expect(gate.read).to.equal(0);
    });

    it('fails with the source', async () => {
        async function* batches() {
            yield [event(1)];
            throw new Error('The log is gone');
        }
        await expect(chunksOf(eventStream(batches()))).to.reject('The log is gone');
    });

    it('does without a source that can be asked to end', async () => {
        const endless = { next: () => new Promise<never>(() => undefined) };
        const stream = eventStream({ [Symbol.asyncIterator]: () => endless }, 60_000);
        stream.resume();
        stream.destroy();
        await once(stream, 'close');
    });
});
