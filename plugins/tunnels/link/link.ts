import { CLOSE_CODES } from './close-codes.ts';
import { decodeFrame, encodeFrame, MAX_STREAM, type Frame } from './frames.ts';
import { Heartbeat } from './heartbeat.ts';
import { LateStreams } from './late-streams.ts';
import { HEARTBEAT, LINK_LIMITS } from './limits.ts';
import { LinkClosed, StreamReset } from './link-errors.ts';
import { handOver, type LinkOptions } from './link-options.ts';
import { ProtocolError } from './protocol-error.ts';
import { receiveRequest, sendRequest } from './requests.ts';
import { SendQueue } from './send-queue.ts';

import type { LinkStream, StreamHome } from './link-stream.ts';
import type { EndpointHealth, Hello, LinkAnswer, LinkSettings, MessageSocket, RequestHead } from './types.ts';

export { LinkClosed, StreamReset } from './link-errors.ts';
export type { LinkOptions } from './link-options.ts';

type StreamFrame = Extract<Frame, { stream: number }>;
type LinkFrame = Exclude<Frame, StreamFrame>;

/** What only the gateway tells. */
const OF_GATEWAY: ReadonlySet<Frame['type']> = new Set(['goaway', 'settings']);
/** How many resets may wait for the other end's answer, for each stream that it may have. */
const LATE_PER_STREAM = 5;
/** RFC 6455, 5.5: a close frame has room for 123 bytes of reason; a character that is cut becomes one of three. */
const REASON_BYTES = 120;
const cut = (reason: string): string => Buffer.from(reason).subarray(0, REASON_BYTES).toString();

/** One end of the connection between an agent and the gateway; it carries many requests at a time. */
export class Link {
    readonly closed: Promise<{ code: number; reason: string }>;
    readonly #socket: MessageSocket;
    readonly #options: LinkOptions;
    readonly #home: StreamHome;
    readonly #queue: SendQueue;
    readonly #heartbeat: Heartbeat;
    readonly #streams = new Map<number, LinkStream>();
    readonly #late = new LateStreams();
    /** The last one that was opened. */
    #lastStream = 0;
    #bytesIn = 0;
    #hasHello = false;
    #goingAway: string | null = null;
    #end: { code: number; reason: string } | null = null;
    #resolveClosed: (end: { code: number; reason: string }) => void = () => {};

    /**
     * The socket has `SOCKET_SETTINGS`, has been open for no longer than this turn of the event loop, because what came
     * before there was a link is lost, and is the link's from now on.
     */
    constructor(socket: MessageSocket, side: 'agent' | 'gateway', options: LinkOptions) {
        const limits = { ...LINK_LIMITS, ...options.limits };
        this.#socket = socket;
        this.#options = options;
        this.#queue = new SendQueue(socket, limits, options.transport);
        this.#home = { side, limits, queue: this.#queue, forget: (id, late) => this.#forget(id, late) };
        this.closed = new Promise((resolve) => {
            this.#resolveClosed = resolve;
        });
        this.#heartbeat = new Heartbeat(
            options.heartbeat ?? HEARTBEAT,
            this.#queue,
            () => this.#send({ type: 'ping' }),
            () => this.#onDead(),
        );
        socket.binaryType = 'nodebuffer';
        socket.on('message', this.#onMessage);
        socket.on('close', this.#onClose);
        socket.on('error', this.#onError);
        if (socket.readyState !== socket.OPEN) this.#finish(1006, 'the socket is not open');
    }

    /** Until it is closed; also while it drains. */
    get isOpen(): boolean {
        return this.#end === null;
    }

    /** After `goAway`, at both sides: it takes no new requests. */
    get isDraining(): boolean {
        return this.#goingAway !== null;
    }

    /** How many requests are on their way. */
    get streams(): number {
        return this.#streams.size;
    }

    get bytes(): { in: number; out: number } {
        return { in: this.#bytesIn, out: this.#queue.sent };
    }

    /** @throws RangeError when it is larger than a head may be */
    hello(hello: Hello): void {
        this.#tell({ type: 'hello', hello });
    }

    /** @throws RangeError when it is larger than a head may be */
    health(health: EndpointHealth[]): void {
        this.#tell({ type: 'health', health });
    }

    /** @throws RangeError when they are larger than they may be */
    settings(settings: LinkSettings): void {
        this.#tell({ type: 'settings', settings });
    }

    /**
     * The answer's body has to be read or returned, or the signal aborted.
     *
     * @throws LinkClosed, StreamReset; an aborted signal resets the stream at the other side at once
     */
    async request(head: RequestHead, body: AsyncIterable<Uint8Array> | null, signal: AbortSignal): Promise<LinkAnswer> {
        if (this.#end) throw new LinkClosed(this.#end.code, this.#end.reason, false);
        if (signal.aborted) throw new StreamReset('cancelled', false);
        if (!this.#hasRoom || this.#goingAway !== null) throw new StreamReset('refused', false);
        const id = this.#lastStream + 1;
        const frame: Frame = { type: 'request', stream: id, head, isEnd: body === null };
        const { stream, answer } = sendRequest(this.#home, frame, body, signal);
        this.#lastStream = id;
        this.#streams.set(id, stream);
        return answer;
    }

    /** The agent connects elsewhere; until it has, this link takes streams as before. */
    goAwaySoon(reason: string): void {
        if (this.#goingAway === null) this.#send({ type: 'goaway', lastStream: MAX_STREAM, reason: cut(reason) });
    }

    /** No new streams; when the running ones have finished, the link is closed. */
    goAway(reason: string): void {
        if (this.#end || this.#goingAway !== null) return;
        this.#goingAway = cut(reason);
        this.#send({ type: 'goaway', lastStream: this.#lastStream, reason: this.#goingAway });
        this.#closeIfDrained();
    }

    /** At once; what is on its way fails. */
    close(code: number, reason: string): void {
        if (this.#end) return;
        this.#finish(code, reason);
        this.#socket.close(code, cut(reason));
    }

    readonly #onMessage = (message: Buffer, isBinary: boolean): void => {
        this.#bytesIn += message.length;
        this.#heartbeat.heard();
        try {
            if (!isBinary) throw new ProtocolError('a message of text');
            if (this.#queue.isStuck) throw new ProtocolError('it sends without reading');
            this.#receive(decodeFrame(message, this.#home.limits));
        } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
            this.close(error.closeCode, error.message);
        }
    };

    readonly #onClose = (code: number, reason: Buffer): void => this.#finish(code, reason.toString());

    /** The socket closes itself; later errors of it are of no interest. */
    readonly #onError = (error: Error & { code?: string }): void => {
        const { code } = error;
        if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#finish(CLOSE_CODES.tooLarge, 'message too large');
        else if (code?.startsWith('WS_ERR_')) this.#finish(CLOSE_CODES.protocol, error.message);
        else this.#finish(1006, error.message);
    };

    #onDead(): void {
        this.#finish(CLOSE_CODES.deadPeer, 'no sign of life');
        this.#socket.terminate();
    }

    #receive(frame: Frame): void {
        if (!('stream' in frame)) this.#receiveOfLink(frame);
        else if (frame.type === 'request') this.#open(frame);
        else this.#receiveOfStream(frame);
    }

    #receiveOfLink(frame: LinkFrame): void {
        if (frame.type === 'pong') return;
        if (frame.type === 'ping') return this.#send({ type: 'pong' });
        const expected = OF_GATEWAY.has(frame.type) ? 'agent' : 'gateway';
        if (this.#home.side !== expected) throw new ProtocolError(`${frame.type} from the wrong side`);
        if (frame.type === 'goaway' && frame.lastStream < MAX_STREAM) this.#goingAway = frame.reason;
        if (frame.type === 'hello' && this.#hasHello) throw new ProtocolError('a second hello');
        this.#hasHello ||= frame.type === 'hello';
        handOver(frame, this.#options);
    }

    #open({ stream: id, head, isEnd }: Extract<Frame, { type: 'request' }>): void {
        if (this.#home.side !== 'agent') throw new ProtocolError('request from the wrong side');
        if (id <= this.#lastStream) throw new ProtocolError('a stream was used again');
        if (this.#goingAway !== null) throw new ProtocolError('request after the last one');
        this.#lastStream = id;
        if (!this.#hasRoom) return this.#refuse(id, isEnd);
        const [stream, request] = receiveRequest(this.#home, id, head);
        this.#streams.set(id, stream);
        if (isEnd) stream.endRemote();
        this.#options.onRequest?.(request);
    }

    #refuse(id: number, isEnd: boolean): void {
        this.#send({ type: 'reset', stream: id, code: 'refused', isAnswer: false });
        this.#forget(id, isEnd ? 0 : this.#home.limits.window);
    }

    #receiveOfStream(frame: StreamFrame): void {
        const stream = this.#streams.get(frame.stream);
        if (!stream) {
            if (frame.stream > this.#lastStream) throw new ProtocolError(`${frame.type} on an unknown stream`);
            if (this.#late.receive(frame)) this.#answerReset(frame.stream);
        } else if (frame.type === 'reset') {
            if (frame.isAnswer || !stream.isDelivered) throw new ProtocolError('reset on the wrong stream');
            this.#answerReset(frame.stream);
            stream.onReset(frame.code);
        } else if (frame.type !== 'request') {
            stream.receive(frame);
        }
    }

    #answerReset(stream: number): void {
        this.#send({ type: 'reset', stream, code: 'cancelled', isAnswer: true });
    }

    get #hasRoom(): boolean {
        const { streams } = this.#home.limits;
        const hasLate = this.#home.side === 'agent' || this.#late.size < LATE_PER_STREAM * streams;
        return this.#streams.size < streams && hasLate && this.#lastStream < MAX_STREAM;
    }

    #forget(id: number, late: number | null): void {
        this.#streams.delete(id);
        if (this.#end) return;
        if (late !== null) this.#late.add(id, late);
        const isFlooded = this.#late.size > LATE_PER_STREAM * this.#home.limits.streams;
        if (isFlooded && this.#home.side === 'agent') this.close(CLOSE_CODES.protocol, 'resets are not answered');
        this.#closeIfDrained();
    }

    #closeIfDrained(): void {
        if (this.#home.side !== 'gateway' || this.#goingAway === null || this.#streams.size > 0) return;
        this.close(CLOSE_CODES.restart, this.#goingAway);
    }

    #tell(frame: Frame): void {
        if (this.#end) return;
        const message = encodeFrame(frame);
        const { headerBytes, settingsBytes } = this.#home.limits;
        if (message.length > (frame.type === 'settings' ? settingsBytes : headerBytes))
            throw new RangeError(`${frame.type} is too large`);
        this.#queue.send(message);
    }

    #send(frame: Frame): void {
        if (!this.#end) this.#queue.send(encodeFrame(frame));
    }

    /** The listener for errors stays: a socket may have one after its end. */
    #finish(code: number, reason: string): void {
        if (this.#end) return;
        this.#end = { code, reason };
        this.#heartbeat.stop();
        this.#socket.off('message', this.#onMessage);
        this.#socket.off('close', this.#onClose);
        this.#queue.clear();
        this.#late.clear();
        for (const stream of this.#streams.values()) {
            stream.onLinkClosed(new LinkClosed(code, reason, stream.isDelivered));
        }
        this.#resolveClosed({ code, reason });
    }
}
