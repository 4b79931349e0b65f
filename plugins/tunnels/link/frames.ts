import { CLOSE_CODES } from './close-codes.ts';
import {
    formatHealth,
    formatHello,
    formatRequestHead,
    formatResponseHead,
    formatSettings,
    parseHealth,
    parseHello,
    parseRequestHead,
    parseResponseHead,
    parseSettings,
    parseText,
} from './heads.ts';
import { LINK_LIMITS, type LinkLimits } from './limits.ts';
import { ProtocolError } from './protocol-error.ts';

import type { EndpointHealth, Hello, LinkSettings, RequestHead, ResetCode, ResponseHead } from './types.ts';

/**
 * What goes over the socket, one frame a message: type u8, flags u8, stream u32, then what the type has. Stream 0 is
 * the link itself; a request's stream has a higher number than all before it.
 */
export type Frame =
    | { type: 'hello'; hello: Hello }
    /** `isEnd`: it has no body. */
    | { type: 'request'; stream: number; head: RequestHead; isEnd: boolean }
    | { type: 'response'; stream: number; head: ResponseHead }
    | { type: 'data'; stream: number; data: Uint8Array }
    | { type: 'end'; stream: number }
    /** `isAnswer`: to a reset by the other side, after which it will see no more of this stream. */
    | { type: 'reset'; stream: number; code: ResetCode; isAnswer: boolean }
    /** So many bytes more may be sent. */
    | { type: 'window'; stream: number; bytes: number }
    | { type: 'ping' }
    | { type: 'pong' }
    | { type: 'goaway'; lastStream: number; reason: string }
    /** Of all targets. */
    | { type: 'health'; health: EndpointHealth[] }
    | { type: 'settings'; settings: LinkSettings };

export const MAX_STREAM = 2 ** 32 - 1;
/** Bytes before what a frame has by its type. */
export const HEADER = 6;
const FLAG = 1;

const TYPES = [
    null,
    'hello',
    'request',
    'response',
    'data',
    'end',
    'reset',
    'window',
    'ping',
    'pong',
    'goaway',
    'health',
    'settings',
] as const;
type FrameType = Frame['type'];
const TYPE_NUMBERS = new Map(TYPES.map((type, number) => [type, number]));
const OF_LINK: ReadonlySet<FrameType> = new Set(['hello', 'ping', 'pong', 'goaway', 'health', 'settings']);
const WITH_FLAG: ReadonlySet<FrameType> = new Set(['request', 'reset']);
const RESET_CODES: readonly ResetCode[] = [
    'cancelled',
    'refused',
    'unreachable',
    'timeout',
    'protocol',
    'too_large',
    'internal',
];
const EMPTY = Buffer.alloc(0);

function u32(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(value);
    return bytes;
}

function payloadOf(frame: Frame): Uint8Array {
    switch (frame.type) {
        case 'hello':
            return formatHello(frame.hello);
        case 'request':
            return formatRequestHead(frame.head);
        case 'response':
            return formatResponseHead(frame.head);
        case 'data':
            return frame.data;
        case 'reset':
            return Buffer.of(RESET_CODES.indexOf(frame.code));
        case 'window':
            return u32(frame.bytes);
        case 'goaway':
            return Buffer.concat([u32(frame.lastStream), Buffer.from(frame.reason)]);
        case 'health':
            return formatHealth(frame.health);
        case 'settings':
            return formatSettings(frame.settings);
        default:
            return EMPTY;
    }
}

const hasFlag = (frame: Frame): boolean =>
    (frame.type === 'request' && frame.isEnd) || (frame.type === 'reset' && frame.isAnswer);

/** The message for a frame, of which nothing is checked. */
export function encodeFrame(frame: Frame): Buffer {
    const payload = payloadOf(frame);
    const message = Buffer.allocUnsafe(HEADER + payload.byteLength);
    message[0] = TYPE_NUMBERS.get(frame.type) ?? 0;
    message[1] = hasFlag(frame) ? FLAG : 0;
    message.writeUInt32BE('stream' in frame ? frame.stream : 0, 2);
    message.set(payload, HEADER);
    return message;
}

function ofSize(payload: Buffer, size: number): Buffer {
    if (payload.length !== size) throw new ProtocolError('a frame of the wrong size');
    return payload;
}

function resetCode(payload: Buffer): ResetCode {
    const code = RESET_CODES[ofSize(payload, 1).readUInt8()];
    if (!code) throw new ProtocolError('unknown reset code');
    return code;
}

function windowBytes(payload: Buffer): number {
    const bytes = ofSize(payload, 4).readUInt32BE();
    if (bytes === 0) throw new ProtocolError('a window of nothing');
    return bytes;
}

function goAway(payload: Buffer): Frame {
    if (payload.length < 4) throw new ProtocolError('a frame of the wrong size');
    return { type: 'goaway', lastStream: payload.readUInt32BE(), reason: parseText(payload.subarray(4)) };
}

function frameOf(type: FrameType, isFlagged: boolean, stream: number, payload: Buffer): Frame {
    switch (type) {
        case 'data':
            return { type, stream, data: payload };
        case 'window':
            return { type, stream, bytes: windowBytes(payload) };
        case 'request':
            return { type, stream, head: parseRequestHead(payload), isEnd: isFlagged };
        case 'response':
            return { type, stream, head: parseResponseHead(payload) };
        case 'reset':
            return { type, stream, code: resetCode(payload), isAnswer: isFlagged };
        case 'goaway':
            return goAway(payload);
        case 'hello':
            return { type, hello: parseHello(payload) };
        case 'health':
            return { type, health: parseHealth(payload) };
        case 'settings':
            return { type, settings: parseSettings(payload) };
        case 'end':
            ofSize(payload, 0);
            return { type, stream };
        default:
            ofSize(payload, 0);
            return { type };
    }
}

type FrameLimits = Pick<LinkLimits, 'headerBytes' | 'settingsBytes' | 'data'>;

function mostBytes(type: FrameType, limits: FrameLimits): number {
    if (type === 'data') return limits.data;
    return type === 'settings' ? limits.settingsBytes : limits.headerBytes;
}

/**
 * The frame in a message; the data of a DATA frame are the message's own bytes.
 *
 * @throws ProtocolError
 */
export function decodeFrame(message: Buffer, limits: FrameLimits = LINK_LIMITS): Frame {
    if (message.length < HEADER) throw new ProtocolError('a message without a header');
    const type = TYPES[message.readUInt8(0)];
    if (!type) throw new ProtocolError('unknown frame type');
    const flags = message.readUInt8(1);
    if (flags !== 0 && !(flags === FLAG && WITH_FLAG.has(type))) throw new ProtocolError('unknown flags');
    const stream = message.readUInt32BE(2);
    if (OF_LINK.has(type) !== (stream === 0)) throw new ProtocolError('a frame on the wrong stream');
    const payload = message.subarray(HEADER);
    if (payload.length > mostBytes(type, limits)) throw new ProtocolError(`${type} too large`, CLOSE_CODES.tooLarge);
    return frameOf(type, flags === FLAG, stream, payload);
}
