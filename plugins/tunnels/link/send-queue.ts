import { turnCork } from '../../../src/turn-cork.ts';

import type { MessageSocket, Transport } from './types.ts';

/** One of those that share the socket. */
export interface Sender {
    /** Its turn: it sends one frame, and queues up again when it has more. */
    onTurn(): void;
}

/** Lets senders have the socket in turn, as long as not too much waits in it. */
export class SendQueue {
    /** All bytes that were given to the socket. */
    sent = 0;
    readonly #socket: MessageSocket;
    readonly #transport: Transport | undefined;
    readonly #limits: { buffered: number; data: number };
    /** In the order of their turns. */
    readonly #waiting = new Set<Sender>();
    readonly #onFlushed = (): void => this.#pump();
    #isPumping = false;
    #nextRound: NodeJS.Immediate | null = null;
    /** What is sent in one turn of the event loop is written together: the other end reads it so, too. */
    readonly #hold = turnCork();

    /** @param transport What the socket goes over; without it every message is written by itself. */
    constructor(socket: MessageSocket, limits: { buffered: number; data: number }, transport?: Transport) {
        this.#socket = socket;
        this.#limits = limits;
        this.#transport = transport;
    }

    /** Bytes that wait in the socket. */
    get buffered(): number {
        return this.#socket.bufferedAmount;
    }

    /** Whether so much waits that only a peer which does not read can be the reason: data stop at the half of it. */
    get isStuck(): boolean {
        return this.buffered > 2 * this.#limits.buffered;
    }

    /** At once: for frames that are small and wait for nobody, and for a sender whose turn it is. */
    send(message: Buffer): void {
        this.sent += message.length;
        if (this.#transport) this.#hold(this.#transport);
        this.#socket.send(message, { binary: true }, this.#onFlushed);
    }

    /** Once in the queue, however often it is said. */
    add(sender: Sender): void {
        this.#waiting.add(sender);
        this.#pump();
    }

    remove(sender: Sender): void {
        this.#waiting.delete(sender);
    }

    clear(): void {
        this.#waiting.clear();
    }

    /** One turn for each; those with more come again when the others had time to queue up. */
    #pump(): void {
        if (this.#isPumping || this.#nextRound) return;
        this.#isPumping = true;
        let turns = this.#waiting.size;
        for (const sender of this.#waiting) {
            if (turns-- === 0 || this.#isFull) break;
            this.#waiting.delete(sender);
            sender.onTurn();
        }
        this.#isPumping = false;
        if (this.#waiting.size === 0 || this.#isFull) return;
        this.#nextRound = setImmediate(() => {
            this.#nextRound = null;
            this.#pump();
        });
    }

    get #isFull(): boolean {
        return this.buffered > 0 && this.buffered + this.#limits.data > this.#limits.buffered;
    }
}
