import { setTimeout as sleep } from 'node:timers/promises';

import { EventLog } from './event-log.ts';
import { apiError, errorBody, isApiError, type ApiError } from '../../src/http/errors.ts';
import { isStoreUnavailable } from '../../src/redis/client.ts';
import { isoTime } from '../../src/redis/codec.ts';

import type { Message, MessageStatus } from './api.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { FinishReason, ModelCall, ModelService, Usage } from '../models/api.ts';

/** How long an answer is held for a store that is away, before it is given up. */
const STORE_PATIENCE_MS = 60_000;
const STORE_RETRY_MS = 500;

/** What the client is told at the start besides the message's id. */
export interface Opening {
    userMessageId: string;
    details?: { ignoredParameters: string[] };
}

export interface GenerationParts {
    models: ModelService;
    call: ModelCall;
    /** The answer as it is before the first token. */
    draft: Message;
    opening: Opening;
    save: (message: Message, isRepeated: boolean) => Promise<void>;
    clock: Clock;
    logger: Logger;
}

/** The end of an answer, good or bad. */
interface Outcome {
    status: MessageStatus;
    error: ApiError | null;
}

/**
 * An answer on its way. It lives by itself, whether or not a client still listens: it ends when the provider does, and
 * is stored then with whatever came.
 */
export class Generation {
    /** Resolved when the provider's first meaningful part is there; rejected when the provider refused before it. */
    readonly started: Promise<void>;
    /** The answer as it was stored; rejected when it failed. */
    readonly finished: Promise<Message>;
    /** What clients are sent. */
    readonly log = new EventLog();

    readonly #parts: GenerationParts;
    readonly #stop = new AbortController();
    #text = '';
    #usage: Usage | null = null;
    #finishReason: FinishReason | null = null;
    #begin: () => void = () => undefined;
    #hasBegun = false;

    constructor(parts: GenerationParts) {
        this.#parts = parts;
        const begun = new Promise<void>((resolve) => {
            this.#begin = resolve;
        });
        this.finished = this.#run();
        this.started = Promise.race([begun, this.finished.then(() => undefined)]);
        // Whoever waits is told; a generation that nobody waits for any more must not bring the process down.
        this.started.catch(() => undefined);
        this.finished.catch(() => undefined);
    }

    /** Ends it now, because the process stops. */
    interrupt(): void {
        this.#stop.abort(apiError('SHUTTING_DOWN'));
    }

    async #run(): Promise<Message> {
        const { status, error } = await this.#relay();
        const message = this.#message(status, error);
        try {
            await this.#save(message);
            if (error) throw error;
            this.#announce();
            this.#append('message_complete', {
                totalTokens: message.tokens,
                finishReason: message.finishReason,
                usage: message.usage,
                timestamp: isoTime(this.#parts.clock()),
            });
            return message;
        } catch (failure) {
            throw this.#fail(failure);
        } finally {
            this.log.append('close', {});
            this.log.end();
        }
    }

    /** Passes on what the provider sends, until it ends. */
    async #relay(): Promise<Outcome> {
        const { models, call } = this.#parts;
        try {
            const { parts } = await models.open([call], this.#stop.signal);
            for await (const part of parts) {
                if (part.type === 'text') this.#token(part.delta);
                else if (part.type === 'usage') this.#usage = part.usage;
                else if (part.type === 'finish') this.#finishReason = part.reason;
            }
            return { status: 'complete', error: null };
        } catch (error) {
            const known = isApiError(error) ? error : apiError('INTERNAL_ERROR', { cause: error });
            return { status: isApiError(error, 'SHUTTING_DOWN') ? 'interrupted' : 'failed', error: known };
        }
    }

    #token(token: string): void {
        this.#announce();
        this.#text += token;
        this.#append('token', { token });
    }

    #announce(): void {
        if (this.#hasBegun) return;
        this.#hasBegun = true;
        const { clock, opening } = this.#parts;
        this.#append('message_start', { ...opening, timestamp: isoTime(clock()) });
        this.#begin();
    }

    #append(event: string, data: object): void {
        this.log.append(event, { messageId: this.#parts.draft.id, ...data });
    }

    #message(status: MessageStatus, error: ApiError | null): Message {
        const { draft, models, call } = this.#parts;
        const usage = this.#usage ?? models.estimateUsage(call, this.#text);
        return {
            ...draft,
            status,
            // A model may break off, or a provider err, in the middle of a character.
            content: this.#text.toWellFormed(),
            tokens: usage.output,
            usage,
            finishReason: this.#finishReason ?? (error ? 'error' : null),
            errorCode: error?.data?.code ?? null,
        };
    }

    /** Stores the answer, and waits for a store that is away: an answer that was paid for is not thrown away. */
    async #save(message: Message): Promise<void> {
        const { save, clock, logger } = this.#parts;
        const deadline = clock() + STORE_PATIENCE_MS;
        for (let tries = 0; ; tries++) {
            try {
                await save(message, tries > 0);
                return;
            } catch (error) {
                // The thread was deleted meanwhile: there is nothing left to store the answer in.
                if (isApiError(error, 'THREAD_NOT_FOUND')) return;
                if (!isStoreUnavailable(error) || clock() > deadline || this.#stop.signal.aborted) throw error;
                logger.warn({ err: error, messageId: message.id }, 'The answer could not be stored; trying again');
                await sleep(STORE_RETRY_MS);
            }
        }
    }

    #fail(failure: unknown): unknown {
        const { logger, draft, call } = this.#parts;
        const code = isStoreUnavailable(failure) ? 'STORE_UNAVAILABLE' : 'INTERNAL_ERROR';
        const error = isApiError(failure) ? failure : apiError(code, { cause: failure });
        logger.warn(
            { err: error.cause ?? error, messageId: draft.id, errorCode: error.data?.code },
            'An answer failed',
        );
        if (this.#hasBegun) this.#append('error', { error: errorBody(error, call.requestId) });
        return error;
    }
}
