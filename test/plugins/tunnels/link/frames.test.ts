import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { decodeFrame, encodeFrame, type Frame } from '../../../../plugins/tunnels/link/frames.ts';
import { ProtocolError } from '../../../../plugins/tunnels/link/protocol-error.ts';
import { seeded } from '../../../helpers/seeded.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const ROUNDS = 10_000;

const SAMPLES: Frame[] = [
    {
        type: 'hello',
        hello: { version: 1, agent: 'llm-tunnel 1.0', endpoints: [{ id: 'a', priority: 0, weight: 1.5 }] },
    },
    {
        type: 'request',
        stream: 1,
        head: {
            method: 'POST',
            path: '/v1/chat?x=%C3%A4',
            headers: [
                ['accept', '*/*'],
                ['accept', 'b'],
            ],
            endpoint: 'a',
        },
        isEnd: false,
    },
    { type: 'request', stream: 2 ** 32 - 1, head: { method: 'GET', path: '/', headers: [] }, isEnd: true },
    { type: 'response', stream: 7, head: { status: 200, headers: [['content-type', 'text/plain; x="é"']] } },
    { type: 'data', stream: 7, data: Buffer.from('some bytes') },
    { type: 'data', stream: 7, data: Buffer.alloc(0) },
    { type: 'end', stream: 7 },
    { type: 'reset', stream: 7, code: 'too_large', isAnswer: false },
    { type: 'reset', stream: 7, code: 'cancelled', isAnswer: true },
    { type: 'window', stream: 7, bytes: 2 ** 32 - 1 },
    { type: 'ping' },
    { type: 'pong' },
    { type: 'goaway', lastStream: 12, reason: 'The replica is restarted — soon' },
    { type: 'health', health: [{ endpoint: 'a', isHealthy: true, latencyMs: 12.5 }] },
    { type: 'health', health: [{ endpoint: 'b', isHealthy: false, latencyMs: null, error: 'refused' }] },
    { type: 'settings', settings: { compression: false, endpoints: [] } },
    {
        type: 'settings',
        settings: { compression: true, endpoints: [{ id: 'a', url: 'http://a:1/ä', priority: 0, weight: 2 }] },
    },
];

/** A message as it stands on the wire. */
function message(type: number, flags: number, stream: number, payload: string | Buffer = ''): Buffer {
    const header = Buffer.of(type, flags, 0, 0, 0, 0);
    header.writeUInt32BE(stream, 2);
    return Buffer.concat([header, Buffer.from(payload)]);
}

const refusal = (bytes: Buffer): ProtocolError => {
    try {
        decodeFrame(bytes);
    } catch (error) {
        if (error instanceof ProtocolError) return error;
        throw error;
    }
    throw new Error(`taken: ${bytes.toString('latin1')}`);
};

/** The frame, or null when it is refused; anything else that is thrown fails the test. */
function decoded(bytes: Buffer): Frame | null {
    try {
        return decodeFrame(bytes);
    } catch (error) {
        if (error instanceof ProtocolError) return null;
        throw error;
    }
}

const randomBytes = (random: () => number, length: number): Buffer =>
    Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));

function mutated(random: () => number, original: Buffer): Buffer {
    const bytes = Buffer.from(original);
    const place = Math.floor(random() * bytes.length);
    switch (Math.floor(random() * 4)) {
        case 0:
            bytes[place] = Math.floor(random() * 256);
            return bytes;
        case 1:
            return bytes.subarray(0, place);
        case 2:
            return Buffer.concat([bytes.subarray(0, place), randomBytes(random, 3), bytes.subarray(place)]);
        default:
            return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
    }
}

describe('encodeFrame', () => {
    it('writes type, flags and stream in front', () => {
        expect(encodeFrame({ type: 'window', stream: 258, bytes: 65_536 })).to.equal(
            Buffer.from('07' + '00' + '00000102' + '00010000', 'hex'),
        );
        expect(encodeFrame({ type: 'reset', stream: 1, code: 'refused', isAnswer: true })).to.equal(
            Buffer.from('06' + '01' + '00000001' + '01', 'hex'),
        );
        expect(encodeFrame({ type: 'ping' })).to.equal(Buffer.from('080000000000', 'hex'));
    });
});

describe('decodeFrame', () => {
    it('gives back what was encoded', () => {
        for (const frame of SAMPLES) expect(decodeFrame(encodeFrame(frame))).to.equal(frame);
    });

    it('does not copy the data', () => {
        const bytes = encodeFrame({ type: 'data', stream: 1, data: Buffer.from('abc') });
        const frame = decodeFrame(bytes);
        bytes[6] = 'X'.charCodeAt(0);
        expect(frame.type === 'data' && frame.data.toString()).to.equal('Xbc');
    });

    it('gives back heads, data and numbers of all kinds', () => {
        const random = seeded(1);
        const number = () => 1 + Math.floor(random() * (2 ** 32 - 1));
        const text = () => Array.from({ length: 1 + random() * 20 }, () => 33 + Math.floor(random() * 94));
        for (let round = 0; round < ROUNDS; round++) {
            const value = String.fromCharCode(...text());
            const frames: Frame[] = [
                { type: 'data', stream: number(), data: randomBytes(random, Math.floor(random() * 40)) },
                { type: 'window', stream: number(), bytes: number() },
                {
                    type: 'request',
                    stream: number(),
                    head: { method: 'PUT', path: `/${value}`, headers: [['x-a', value]] },
                    isEnd: random() < 0.5,
                },
            ];
            for (const frame of frames) expect(decodeFrame(encodeFrame(frame))).to.equal(frame);
        }
    });

    it('refuses random bytes with nothing but a protocol error, or reads what they mean', () => {
        const random = seeded(2);
        let refused = 0;
        for (let round = 0; round < ROUNDS; round++) {
            const bytes = randomBytes(random, Math.floor(random() * 40));
            if (bytes.length > 0 && round % 2) bytes[0] = Math.floor(random() * 14);
            const frame = decoded(bytes);
            if (frame) expect(encodeFrame(frame)).to.equal(bytes);
            else refused++;
        }
        expect(refused).to.be.above(ROUNDS / 2);
    });

    it('refuses mutations of good frames with nothing but a protocol error, or reads a frame that is good', () => {
        const random = seeded(3);
        const originals = SAMPLES.map(encodeFrame);
        let refused = 0;
        for (let round = 0; round < ROUNDS; round++) {
            const frame = decoded(mutated(random, originals[round % originals.length]!));
            if (frame) expect(decodeFrame(encodeFrame(frame))).to.equal(frame);
            else refused++;
        }
        expect(refused).to.be.within(ROUNDS / 10, ROUNDS * 0.9);
    });

    it('refuses types, flags and streams that there are not', () => {
        for (const bytes of [
            Buffer.alloc(0),
            Buffer.alloc(5),
            message(0, 0, 1),
            message(13, 0, 1),
            message(255, 0, 0),
        ]) {
            expect(refusal(bytes).closeCode).to.equal(4400);
        }
        for (const flags of [1, 2, 128]) expect(refusal(message(4, flags, 1)).message).to.equal('unknown flags');
        expect(refusal(message(2, 3, 1, '["GET","/",[]]')).message).to.equal('unknown flags');
        for (const type of [2, 3, 4, 5, 6, 7]) {
            expect(refusal(message(type, 0, 0)).message).to.equal('a frame on the wrong stream');
        }
        for (const type of [1, 8, 9, 10, 11, 12]) {
            expect(refusal(message(type, 0, 1)).message).to.equal('a frame on the wrong stream');
        }
    });

    it('refuses frames of the wrong size', () => {
        const wrong = [message(5, 0, 1, 'x'), message(6, 0, 1), message(6, 0, 1, 'xx'), message(7, 0, 1, 'xxx')];
        wrong.push(message(8, 0, 0, 'x'), message(9, 0, 0, 'x'), message(10, 0, 0, 'xxx'));
        for (const bytes of wrong) expect(refusal(bytes).message).to.equal('a frame of the wrong size');
        expect(refusal(message(6, 0, 1, Buffer.of(7))).message).to.equal('unknown reset code');
        expect(refusal(message(7, 0, 1, Buffer.alloc(4))).message).to.equal('a window of nothing');
    });

    it('takes 64 KiB of data and of settings and a head of 32 KiB, and not a byte more', () => {
        expect(decodeFrame(message(4, 0, 1, Buffer.alloc(65_536))).type).to.equal('data');
        expect(refusal(message(4, 0, 1, Buffer.alloc(65_537))).closeCode).to.equal(4413);
        const head = (length: number) => message(3, 0, 1, `[200,[["x","${'v'.repeat(length - 16)}"]]]`);
        expect(decodeFrame(head(32_768)).type).to.equal('response');
        expect(refusal(head(32_769)).closeCode).to.equal(4413);
        const settings = (length: number) => message(12, 0, 0, '{"compression":true,"endpoints":[]}'.padEnd(length));
        expect(decodeFrame(settings(65_536)).type).to.equal('settings');
        expect(refusal(settings(65_537)).closeCode).to.equal(4413);
    });

    it('refuses text that is not UTF-8 and JSON that is none', () => {
        expect(refusal(message(3, 0, 1, Buffer.of(0x5b, 0xff, 0x5d))).message).to.equal('text is not UTF-8');
        expect(refusal(message(10, 0, 0, Buffer.of(0, 0, 0, 0, 0xc3))).message).to.equal('text is not UTF-8');
        expect(refusal(message(1, 0, 0, '{"version":1')).message).to.equal('malformed JSON');
        expect(refusal(message(11, 0, 0, '['.repeat(32_768))).message).to.equal('malformed JSON');
    });

    it('refuses heads that are not what they should be', () => {
        const requests = ['null', '{}', '[]', '["GET","/"]', '["GET","/",[],"a",1]', '["GET","/",[],null]'];
        requests.push('["GE T","/",[]]', '["GET","",[]]', '["GET","x",[]]', '["GET","/a b",[]]', '["GET","/\\r",[]]');
        requests.push('["GET","/",{}]', '["GET","/",[["a"]]]', '["GET","/",[["A","b"]]]', '["GET","/",[["a",1]]]');
        requests.push('["GET","/",[["a","b\\r\\nc"]]]', '["GET","/",[["a b","c"]]]', '["GET","/",[["","c"]]]');
        for (const text of requests) expect(refusal(message(2, 0, 1, text)).message, text).to.startWith('invalid');
        const responses = [
            '1',
            '[200]',
            '["200",[]]',
            '[200.5,[]]',
            '[101,[]]',
            '[1000,[]]',
            '[200,[],1]',
            '[200,["a"]]',
        ];
        for (const text of responses) expect(refusal(message(3, 0, 1, text)).message, text).to.startWith('invalid');
    });

    it('refuses a hello and a health that are not what they should be', () => {
        const hellos = ['null', '[]', '{"version":2,"agent":"a","endpoints":[]}', '{"version":1,"endpoints":[]}'];
        hellos.push('{"version":1,"agent":"a"}', '{"version":1,"agent":"a","endpoints":[null]}');
        hellos.push('{"version":1,"agent":"a","endpoints":[{"id":"a","priority":-1,"weight":1}]}');
        for (const text of hellos) expect(refusal(message(1, 0, 0, text)).message, text).to.startWith('invalid');
        const healths = ['{}', '[1]', '[{"endpoint":"a","isHealthy":1,"latencyMs":1}]'];
        healths.push(
            '[{"endpoint":"a","isHealthy":true}]',
            '[{"endpoint":"a","isHealthy":true,"latencyMs":1,"error":1}]',
        );
        for (const text of healths) expect(refusal(message(11, 0, 0, text)).message, text).to.startWith('invalid');
    });

    it('refuses settings that are not what they should be', () => {
        const endpoint = (more: object) =>
            JSON.stringify({ id: 'a', url: 'http://a', priority: 0, weight: 1, ...more });
        const withOne = (text: string) => `{"compression":true,"endpoints":[${text}]}`;
        expect(decodeFrame(message(12, 0, 0, withOne(endpoint({})))).type).to.equal('settings');
        const wrong = ['null', '[]', '{"compression":true}', '{"endpoints":[]}', '{"compression":0,"endpoints":[]}'];
        wrong.push('{"compression":true,"endpoints":{}}', withOne('null'), withOne('"http://a"'));
        wrong.push(...[{ id: 1 }, { url: null }, { priority: -1 }, { weight: 0 }].map(endpoint).map(withOne));
        wrong.push(withOne(endpoint({ id: 'x'.repeat(65) })));
        wrong.push(withOne(Array.from({ length: 51 }, () => endpoint({})).join()));
        for (const text of wrong) expect(refusal(message(12, 0, 0, text)).message, text).to.startWith('invalid');
    });
});
