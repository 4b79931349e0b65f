import { estimateTokens } from '../models/api.ts';

import type { Message } from './api.ts';
import type { LoggedEvent } from './event-log.ts';
import type { ContextPlace } from './message-codec.ts';
import type { BillRecord } from '../billing/api.ts';

/** An answer that takes the place of another. */
export interface Replaced {
    messageId: string;
    /** Its entry among the messages. */
    entryId: string;
}

/** What has to be known to end an answer, or to attach to it. */
export interface AnswerInfo {
    context: ContextPlace;
    /** The message before its first token. */
    draft: Message;
    userMessage: Message;
    ignoredParameters: string[];
    /** About how many tokens its call has. */
    inputTokens: number;
    replaces: Replaced | null;
    /** What its call is paid by, by whichever process; null: it costs nothing. */
    bill: BillRecord | null;
    /** Of the request that asked for it. */
    requestId: string;
}

/** An answer as it stands. */
export interface AnswerState {
    info: AnswerInfo;
    isEnded: boolean;
    /** Those that were asked for. */
    events: LoggedEvent[];
}

/** As the scripts give an answer: its fields, and the entries of its log. */
export type ReadReply = [flat: string[], entries: [id: string, fields: [name: string, text: string]][]];

/** Reads an answer with its events after the first `known` ones; null when there is none. */
export function decodeAnswer([flat, entries]: ReadReply, known = 0): AnswerState | null {
    const fields = new Map(
        flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : [])) as [string, string][],
    );
    const info = fields.get('info');
    if (info === undefined) return null;
    const events = entries.flatMap(([, [, text]]) => JSON.parse(text) as LoggedEvent[]);
    const last = Number.parseInt(entries.at(-1)?.[0] ?? '0', 10);
    // The first entry may begin with some that are known.
    const fresh = events.slice(Math.max(0, known - (last - events.length)));
    return { info: JSON.parse(info) as AnswerInfo, isEnded: fields.get('state') === 'ended', events: fresh };
}

/** The message of an answer that is on its way, with its text so far. */
export function messageSoFar({ info: { draft }, events }: AnswerState): Message {
    const content = events.filter((event) => typeof event === 'string').join('');
    const status = events.length === 0 ? 'pending' : 'generating';
    return { ...draft, content: content.toWellFormed(), tokens: estimateTokens(content), status };
}
