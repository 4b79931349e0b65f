import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { fromNameServers, fromSystem, resolveSafely } from '../../../../plugins/webhooks/sender/resolve.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const IPV4 = 1;
const IPV6 = 28;
const NO_ERROR = 0;
const SERVER_FAILURE = 2;
const NO_SUCH_NAME = 3;

type Answers = Record<string, Record<number, { code: number; addresses?: Buffer[] }>>;

const found = (...addresses: number[][]) => ({
    code: NO_ERROR,
    addresses: addresses.map((bytes) => Buffer.from(bytes)),
});

const LOOPBACK6 = [...Array.from({ length: 15 }, () => 0), 1];

const answers: Answers = {
    'both.example.com': { [IPV4]: found([192, 0, 2, 1], [192, 0, 2, 2]), [IPV6]: found(LOOPBACK6) },
    'four.example.com': { [IPV4]: found([192, 0, 2, 3]), [IPV6]: { code: NO_ERROR } },
    'six.example.com': { [IPV4]: { code: SERVER_FAILURE }, [IPV6]: found(LOOPBACK6) },
    localhost: { [IPV4]: found([192, 0, 2, 9]), [IPV6]: { code: NO_ERROR } },
    'none.example.com': { [IPV4]: { code: NO_SUCH_NAME }, [IPV6]: { code: NO_SUCH_NAME } },
};

/** The name and the type that a query of RFC 1035 asks for, and where its question ends. */
function questionOf(query: Buffer) {
    const labels: string[] = [];
    let at = 12;
    for (let size = query.readUInt8(at); size > 0; size = query.readUInt8(at)) {
        labels.push(query.toString('latin1', at + 1, at + 1 + size));
        at += size + 1;
    }
    return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(query: Buffer): Buffer | null {
    const { name, type, end } = questionOf(query);
    const { code = 0, addresses = [] } = answers[name]?.[type] ?? {};
    if (!answers[name]) return null;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((bytes) => {
        const record = Buffer.from('c00c000000010000000a0000', 'hex');
        record.writeUInt16BE(type, 2);
        record.writeUInt16BE(bytes.length, 10);
        return Buffer.concat([record, bytes]);
    });
    return Buffer.concat([header, query.subarray(12, end), ...records]);
}

describe('fromNameServers', () => {
    let socket: Socket;
    let asked: string[] = [];
    const resolve = (name: string, signal = new AbortController().signal) =>
        fromNameServers([`127.0.0.1:${socket.address().port}`])(name, signal);

    before(async () => {
        socket = createSocket('udp4', (query, { port, address }) => {
            asked.push(questionOf(query).name);
            const answer = answerTo(query);
            if (answer) socket.send(answer, port, address);
        });
        await once(socket.bind(0, '127.0.0.1'), 'listening');
    });

    after(() => {
        socket.close();
    });

    it('gives all addresses of both kinds', async () => {
        expect(await resolve('both.example.com')).to.equal(['192.0.2.1', '192.0.2.2', '::1']);
    });

    it('gives those of one kind where the other question fails', async () => {
        expect(await resolve('four.example.com')).to.equal(['192.0.2.3']);
        expect(await resolve('six.example.com')).to.equal(['::1']);
    });

    it('gives none of a name that does not exist', async () => {
        expect(await resolve('none.example.com')).to.equal([]);
    });

    it('asks for the name as it is, and for names of this machine too', async () => {
        asked = [];
        expect(await resolve('localhost')).to.equal(['192.0.2.9']);
        expect(await resolve('four.example.com')).to.have.length(1);
        expect(new Set(asked)).to.equal(new Set(['localhost', 'four.example.com']));
    });

    it('asks no longer when it is stopped', async () => {
        const controller = new AbortController();
        asked = [];
        const answer = resolve('silent.example.com', controller.signal);
        while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        expect(await answer).to.equal([]);
        // One question for each kind of address, and neither of them again.
        expect(asked.length).to.be.at.most(2);
    });
});

describe('fromSystem', () => {
    it('finds names of this machine', async () => {
        expect(await fromSystem('localhost', new AbortController().signal)).to.include('127.0.0.1');
    });
});

describe('resolveSafely', () => {
    const resolving = (...addresses: string[]) =>
        resolveSafely('hooks.example.com', {
            resolver: () => Promise.resolve(addresses),
            allowPrivate: false,
            timeoutMs: 1_000,
        });

    it('gives what was checked, IPv4 first', async () => {
        const addresses = await resolving('2606:4700:4700::1111', '8.8.8.8', '2001:4860:4860::8888', '1.1.1.1');
        expect(addresses).to.equal(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '2001:4860:4860::8888']);
    });

    it('gives none when any is refused, and when there is none', async () => {
        expect(await expect(resolving('8.8.8.8', '10.0.0.1')).to.reject()).to.include({ failure: 'address_refused' });
        expect(await expect(resolving()).to.reject()).to.include({ failure: 'unresolved' });
    });
});
