import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

import { DICTIONARY } from './spdy-dictionary.ts';

import type { Duplex } from 'node:stream';

/** A stream that the client has opened within the connection. */
export interface SpdyStream {
    headers: Record<string, string>;
    write: (data: Buffer) => void;
    end: () => void;
    /** Set by who takes the stream. */
    onData: (data: Buffer) => void;
    onEnd: () => void;
}

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FIN = 1;
const FRAME_HEAD = 8;
const CHUNK = 16_384;

/**
 * The side of a server of SPDY/3.1, as far as `kubectl port-forward` uses it: the client opens the streams, and windows
 * are so large for what tests send that nobody has to wait for them.
 *
 * @param take Gets each stream before anything comes in on it
 */
export async function serveSpdy(connection: Duplex, take: (stream: SpdyStream) => void): Promise<void> {
    const inflate = createInflate({ dictionary: DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });
    const deflate = createDeflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH });
    const streams = new Map<number, SpdyStream>();
    const send = (data: Buffer): void => {
        if (connection.writable) connection.write(data);
    };

    const open = async (body: Buffer, flags: number): Promise<void> => {
        const id = body.readUInt32BE(0) & 0x7fffffff;
        const headers = readHeaders(await through(inflate, body.subarray(10)));
        const stream: SpdyStream = {
            headers,
            write: (data) => {
                for (let at = 0; at < data.length; at += CHUNK) send(dataFrame(id, 0, data.subarray(at, at + CHUNK)));
            },
            end: () => send(dataFrame(id, FIN, Buffer.alloc(0))),
            onData: () => undefined,
            onEnd: () => undefined,
        };
        streams.set(id, stream);
        const noHeaders = await through(deflate, Buffer.alloc(4));
        const reply = Buffer.alloc(4);
        reply.writeUInt32BE(id);
        send(controlFrame(SYN_REPLY, Buffer.concat([reply, noHeaders])));
        take(stream);
        if ((flags & FIN) !== 0) stream.onEnd();
    };

    const onControl = async (type: number, flags: number, body: Buffer): Promise<void> => {
        if (type === SYN_STREAM) await open(body, flags);
        else if (type === PING) send(controlFrame(PING, body));
        else if (type === RST_STREAM) streams.get(body.readUInt32BE(0))?.onEnd();
        else if (type === GOAWAY) connection.end();
    };

    try {
        for await (const frame of framesOf(connection)) {
            const flags = frame.readUInt8(4);
            const body = frame.subarray(FRAME_HEAD);
            if ((frame.readUInt8(0) & 0x80) !== 0) await onControl(frame.readUInt16BE(2), flags, body);
            else {
                const stream = streams.get(frame.readUInt32BE(0));
                if (body.length > 0) stream?.onData(body);
                if ((flags & FIN) !== 0) stream?.onEnd();
            }
        }
    } catch {
        // The client has gone: it says so by closing the connection.
    }
    for (const stream of streams.values()) stream.onEnd();
    inflate.close();
    deflate.close();
}

async function* framesOf(connection: Duplex): AsyncGenerator<Buffer> {
    let rest = Buffer.alloc(0);
    for await (const chunk of connection) {
        rest = Buffer.concat([rest, chunk as Buffer]);
        while (rest.length >= FRAME_HEAD) {
            const end = FRAME_HEAD + rest.readUIntBE(5, 3);
            if (rest.length < end) break;
            yield rest.subarray(0, end);
            rest = rest.subarray(end);
        }
    }
}

function controlFrame(type: number, body: Buffer): Buffer {
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt16BE(0x8003, 0);
    head.writeUInt16BE(type, 2);
    head.writeUIntBE(body.length, 5, 3);
    return Buffer.concat([head, body]);
}

function dataFrame(id: number, flags: number, body: Buffer): Buffer {
    const head = Buffer.alloc(FRAME_HEAD);
    head.writeUInt32BE(id, 0);
    head.writeUInt8(flags, 4);
    head.writeUIntBE(body.length, 5, 3);
    return Buffer.concat([head, body]);
}

/** What comes out for what goes in: all headers of a direction are compressed as one. */
function through(codec: Inflate | Deflate, input: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
        const parts: Buffer[] = [];
        const collect = (part: Buffer): void => void parts.push(part);
        codec.on('data', collect);
        codec.once('error', reject);
        codec.write(input, () =>
            setImmediate(() => {
                codec.off('data', collect);
                codec.off('error', reject);
                resolve(Buffer.concat(parts));
            }),
        );
    });
}

function readHeaders(block: Buffer): Record<string, string> {
    const headers: Record<string, string> = {};
    let at = 4;
    const text = (): string => {
        const from = at + 4;
        at = from + block.readUInt32BE(at);
        return block.toString('utf8', from, at);
    };
    for (let left = block.readUInt32BE(0); left > 0; left--) headers[text()] = text();
    return headers;
}
