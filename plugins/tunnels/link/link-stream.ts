import { encodeFrame, type Frame } from './frames.ts';
import { Inbox } from './inbox.ts';
import { StreamReset, type LinkClosed } from './link-errors.ts';
import { ProtocolError } from './protocol-error.ts';

import type { LinkLimits } from './limits.ts';
import type { Sender, SendQueue } from './send-queue.ts';
import type { ResetCode, ResponseHead } from './types.ts';

/** Where a stream lives. */
export interface StreamHome {
    readonly side: 'agent' | 'gateway';
    readonly limits: LinkLimits;
    readonly queue: SendQueue;
    /** The stream is over. After a reset by us so much of its data may still come, until the other side has heard of it. */
    forget(id: number, late: number | null): void;
}

export interface StreamEvents {
    /** The head of the answer, once; at the gateway's side. */
    onResponse?: (head: ResponseHead) => void;
    /** Once, when both sides have ended it, or with what it failed of. */
    onOver: (error: Error | null) => void;
}

export type StreamFrame = Extract<Frame, { type: 'response' | 'data' | 'end' | 'window' }>;

/** What waits for its turn: a whole message, or bytes of the body. */
interface Outgoing {
    message: Buffer | null;
    bytes: Uint8Array;
    resolve: () => void;
    reject: (error: Error) => void;
}

interface PromiseWithReject {
    promise: Promise<never>;
    reject: (error: Error) => void;
}

const MAX_CREDIT = 2 ** 31 - 1;
const NOTHING = new Uint8Array();

/** One request with its answer, as either end sees it. */
export class LinkStream implements Sender {
    readonly id: number;
    /** The body that comes in. */
    readonly inbox: Inbox;
    readonly #home: StreamHome;
    readonly #events: StreamEvents;
    /** How much the other side lets us send. */
    #credit: number;
    #outgoing: Outgoing | null = null;
    #source: AsyncIterator<Uint8Array> | null = null;
    #isLocalEnded = false;
    #isRemoteEnded = false;
    #isAnswered: boolean;
    #isDelivered: boolean;
    #isBodyTouched = false;
    #isOver = false;
    #error: Error | null = null;
    #failure: PromiseWithReject | null = null;

    constructor(id: number, home: StreamHome, events: StreamEvents) {
        this.id = id;
        this.#home = home;
        this.#events = events;
        this.#credit = home.limits.window;
        this.#isAnswered = home.side === 'agent';
        this.#isDelivered = home.side === 'agent';
        this.inbox = new Inbox(
            home.limits.window,
            (bytes) => this.#send({ type: 'window', stream: id, bytes }),
            () => home.side === 'gateway' && this.reset('cancelled'),
        );
    }

    /** Whether a byte of the request has gone out. */
    get isDelivered(): boolean {
        return this.#isDelivered;
    }

    /** Whether all that we had to send has gone out. */
    get isLocalEnded(): boolean {
        return this.#isLocalEnded;
    }

    /** A message of our own, the first of the stream, in its turn. */
    async sendHead(message: Buffer): Promise<void> {
        await this.#inTurn(message, NOTHING);
    }

    /**
     * Sends as much as the other side allows, and then the end; when the body fails, the stream is reset with that
     * code.
     */
    async sendBody(body: AsyncIterable<Uint8Array>, onFailure: ResetCode): Promise<void> {
        if (this.#isOver) return this.#failed;
        await Promise.race([this.#sendAll(body, onFailure), this.#failed]);
    }

    /** There is nothing more to send, and the other side knows. */
    endLocal(): void {
        this.#isLocalEnded = true;
        this.#endIfDone();
    }

    /** The other side has nothing more to send. */
    endRemote(): void {
        this.#isRemoteEnded = true;
        this.inbox.finish(null);
        // With the whole answer here, nobody needs the rest of the request.
        if (this.#home.side === 'gateway' && !this.#isLocalEnded) this.reset('cancelled');
        else this.#endIfDone();
    }

    /** Ends the stream at both sides. */
    reset(code: ResetCode, options?: ErrorOptions): void {
        if (this.#isOver) return;
        const late = this.#isRemoteEnded ? 0 : this.inbox.room;
        if (this.#isDelivered) this.#send({ type: 'reset', stream: this.id, code, isAnswer: false });
        this.#fail(new StreamReset(code, this.#isDelivered, options), this.#isDelivered ? late : null);
    }

    /** The other side has ended it. */
    onReset(code: ResetCode): void {
        // What was refused has not been looked at, so that only a body of which something is gone binds it to this link.
        this.#fail(new StreamReset(code, code === 'refused' ? this.#isBodyTouched : this.#isDelivered), null);
    }

    onLinkClosed(error: LinkClosed): void {
        this.#fail(error, null);
    }

    /** @throws ProtocolError for what ends not only the stream but the link */
    receive(frame: StreamFrame): void {
        if (!this.#isDelivered) throw new ProtocolError('a frame on a stream that was not opened');
        switch (frame.type) {
            case 'window':
                this.#grant(frame.bytes);
                break;
            case 'response':
                if (this.#isAnswered) this.reset('protocol');
                else this.#answer(frame.head);
                break;
            case 'data':
                if (!this.#isBodyOpen || !this.inbox.push(frame.data)) this.reset('protocol');
                break;
            case 'end':
                if (this.#isBodyOpen) this.endRemote();
                else this.reset('protocol');
        }
    }

    onTurn(): void {
        const outgoing = this.#outgoing;
        if (!outgoing) return;
        if (outgoing.message) {
            this.#isDelivered = true;
            this.#home.queue.send(outgoing.message);
        } else {
            const size = Math.min(outgoing.bytes.length, this.#credit, this.#home.limits.data);
            if (size === 0) return;
            this.#send({ type: 'data', stream: this.id, data: outgoing.bytes.subarray(0, size) });
            this.#credit -= size;
            outgoing.bytes = outgoing.bytes.subarray(size);
            if (outgoing.bytes.length > 0) return this.#home.queue.add(this);
        }
        this.#outgoing = null;
        outgoing.resolve();
    }

    /** Rejects when the stream fails; it has no other end. Whoever waits for something of the stream races against it. */
    get #failed(): Promise<never> {
        this.#failure ??= failure(this.#error);
        return this.#failure.promise;
    }

    get #isBodyOpen(): boolean {
        return this.#isAnswered && !this.#isRemoteEnded;
    }

    #answer(head: ResponseHead): void {
        this.#isAnswered = true;
        this.#events.onResponse?.(head);
    }

    #grant(bytes: number): void {
        this.#credit += bytes;
        if (this.#credit > MAX_CREDIT) this.reset('protocol');
        else if (this.#outgoing) this.#home.queue.add(this);
    }

    async #sendAll(body: AsyncIterable<Uint8Array>, onFailure: ResetCode): Promise<void> {
        try {
            const source = body[Symbol.asyncIterator]();
            this.#source = source;
            for (;;) {
                const { done, value } = await source.next();
                if (this.#isOver) return;
                if (done) break;
                this.#isBodyTouched = true;
                if (value.length > 0) await this.#inTurn(null, value);
            }
        } catch (error) {
            this.reset(onFailure, { cause: error });
            throw error;
        }
        this.#send({ type: 'end', stream: this.id });
        this.endLocal();
    }

    #inTurn(message: Buffer | null, bytes: Uint8Array): Promise<void> {
        if (this.#isOver) return this.#failed;
        return new Promise((resolve, reject) => {
            this.#outgoing = { message, bytes, resolve, reject };
            this.#home.queue.add(this);
        });
    }

    #send(frame: Frame): void {
        this.#home.queue.send(encodeFrame(frame));
    }

    #endIfDone(): void {
        if (this.#isOver || !this.#isLocalEnded || !this.#isRemoteEnded) return;
        this.#isOver = true;
        this.#home.forget(this.id, null);
        this.#events.onOver(null);
    }

    #fail(error: Error, late: number | null): void {
        if (this.#isOver) return;
        this.#isOver = true;
        this.#home.queue.remove(this);
        this.#home.forget(this.id, late);
        this.inbox.finish(error);
        this.#error = error;
        this.#failure?.reject(error);
        this.#outgoing?.reject(error);
        this.#outgoing = null;
        // What the rest of an unwanted body fails of is of no interest.
        if (!this.#isLocalEnded) this.#source?.return?.().catch(() => {});
        this.#events.onOver(error);
    }
}

/** It has failed already where there is an error. */
function failure(error: Error | null): PromiseWithReject {
    let reject: PromiseWithReject['reject'] = () => {};
    const promise = new Promise<never>((_resolve, fail) => {
        reject = fail;
    });
    // It may be that nobody waits.
    promise.catch(() => {});
    if (error) reject(error);
    return { promise, reject };
}
