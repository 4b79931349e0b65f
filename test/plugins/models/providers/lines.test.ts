import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { eventData, lines } from '../../../../plugins/models/providers/lines.ts';
import { fixture } from '../../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it } = lab;

type Reader = (body: AsyncIterable<Buffer>) => AsyncIterable<string[]>;

async function read(reader: Reader, ...chunks: (string | Buffer)[]): Promise<string[]> {
    async function* body() {
        for (const chunk of chunks) yield Buffer.from(chunk);
    }
    const all: string[] = [];
    for await (const batch of reader(body())) all.push(...batch);
    return all;
}

async function* endless(): AsyncGenerator<Buffer> {
    const chunk = Buffer.alloc(65_536, 'data: x');
    for (;;) yield chunk;
}

async function drain(batches: AsyncIterable<string[]>): Promise<void> {
    for await (const _batch of batches);
}

describe('lines()', () => {
    it('gives the same lines wherever the body is cut', async () => {
        const body = fixture('ollama-chat.ndjson');
        const whole = body.toString('utf8').trimEnd().split('\n');
        for (let at = 0; at <= body.length; at++) {
            const found = await read(lines, body.subarray(0, at), body.subarray(at));
            expect(found, `cut at ${at}`).to.equal(whole);
        }
    });

    it('gives the same lines byte by byte', async () => {
        const body = fixture('ollama-chat.ndjson');
        const bytes = Array.from(body, (_, at) => body.subarray(at, at + 1));
        expect(await read(lines, ...bytes)).to.equal(body.toString('utf8').trimEnd().split('\n'));
    });

    it('gives all that a chunk completes at once, before it asks for the next', async () => {
        const seen: (string[] | string)[] = [];
        async function* body() {
            yield Buffer.from('a\nb\nc');
            seen.push('asked again');
            yield Buffer.from('d\n');
        }
        for await (const batch of lines(body())) seen.push(batch);
        expect(seen).to.equal([['a', 'b'], 'asked again', ['cd']]);
    });

    it('gives a last line without an end, and nothing for an empty body', async () => {
        expect(await read(lines, 'a\nb')).to.equal(['a', 'b']);
        expect(await read(lines)).to.equal([]);
    });

    it('refuses a line without an end', async () => {
        await expect(drain(lines(endless()))).to.reject(RangeError, 'The provider sent a line without an end');
    });
});

describe('eventData()', () => {
    const dataOf = (body: string) =>
        body
            .trimEnd()
            .split('\n\n')
            .map((event) => event.slice('data: '.length));

    it('gives the same events wherever the body is cut', async () => {
        const body = fixture('openai-chat.sse');
        const whole = dataOf(body.toString('utf8'));
        expect(whole).to.have.length(14);
        for (let at = 0; at <= body.length; at++) {
            const found = await read(eventData, body.subarray(0, at), body.subarray(at));
            expect(found, `cut at ${at}`).to.equal(whole);
        }
    });

    it('gives the same events with any ends of lines, wherever the body is cut', async () => {
        for (const end of ['\n', '\r\n', '\r']) {
            const body = [': hello', 'data: a', 'data: b', '', 'event: x', 'data:c', '', 'id: 1', 'retry: z', ''];
            const bytes = Buffer.from(`${body.join(end)}${end}data: Ω${end}${end}`);
            for (let at = 0; at <= bytes.length; at++) {
                const found = await read(eventData, bytes.subarray(0, at), bytes.subarray(at), Buffer.from('\n'));
                expect(found, `${JSON.stringify(end)} cut at ${at}`).to.equal(['a\nb', 'c', 'Ω']);
            }
        }
    });

    it('gives all that a chunk completes at once, before it asks for the next', async () => {
        const seen: (string[] | string)[] = [];
        async function* body() {
            yield Buffer.from('data: a\n\ndata: b\n\nda');
            seen.push('asked again');
            yield Buffer.from('ta: c\n\n');
        }
        for await (const batch of eventData(body())) seen.push(batch);
        expect(seen).to.equal([['a', 'b'], 'asked again', ['c']]);
    });

    it('does not give an event that was not ended', async () => {
        expect(await read(eventData, 'data: a\n\ndata: b\n')).to.equal(['a']);
    });

    it('refuses a line without an end', async () => {
        await expect(drain(eventData(endless()))).to.reject(Error, /exceeded max buffer size/);
    });
});
