import { promptOf } from '../prompts.ts';
import { installRivals } from '../rivals.ts';
import { MODELS, type Scene } from '../scene.ts';

import type { Contestant } from '../contestant.ts';
import type { LoadRequest } from '../load.ts';
import type { SeededUser } from '../seed.ts';

/** What is asked of the model. */
export interface Prompt {
    tokens: number;
    /** At once unless given. */
    everyMs?: number;
    isStream: boolean;
}

/** A way to the model. */
export interface Gateway {
    process: Contestant;
    requestOf: (prompt: Prompt) => LoadRequest;
    /** What a whole stream ends with. */
    end: string;
}

/** Our two, the first of them also paid from credits; a bare relay; and Portkey's gateway. */
export type Gateways = Record<'v1' | 'paid' | 'thread' | 'relay' | 'portkey', Gateway>;

const DONE = 'data: [DONE]\n\n';
const CLOSE = 'event: close\ndata: {}\n\n';

/** Starts those that are not there yet. */
export async function startGateways({ api, upstream, users, start }: Scene): Promise<Gateways> {
    const rivals = installRivals();
    const relay = await start('dist/scripts/bench/processes/relay.js', { UPSTREAM: upstream.url });
    const portkey = await start('dist/scripts/bench/processes/portkey.js', {
        NODE_ENV: 'production',
        RIVALS: rivals,
        TRUSTED_CUSTOM_HOSTS: '127.0.0.1',
    });
    let turn = 0;
    const nextUser = (): SeededUser => {
        const user = users[turn++ % users.length];
        if (!user) throw new RangeError('There are no users');
        return user;
    };
    const provider = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1` };
    return {
        v1: { process: api, end: DONE, requestOf: (prompt) => completion(prompt, nextUser().token) },
        paid: { process: api, end: DONE, requestOf: (prompt) => completion(prompt, nextUser().token, MODELS.paid) },
        thread: { process: api, end: CLOSE, requestOf: (prompt) => message(prompt, nextUser()) },
        relay: { process: relay, end: DONE, requestOf: (prompt) => completion(prompt, 'bench') },
        portkey: {
            process: portkey,
            end: DONE,
            requestOf: (prompt) => {
                const request = completion(prompt, 'bench');
                return { ...request, headers: { ...request.headers, ...provider } };
            },
        },
    };
}

const headersOf = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' });

const completion = ({ tokens, everyMs, isStream }: Prompt, token: string, model = MODELS.free): LoadRequest => ({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: headersOf(token),
    body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: promptOf(tokens, everyMs) }],
        ...(isStream && { stream: true, stream_options: { include_usage: true } }),
    }),
});

const message = ({ tokens, everyMs, isStream }: Prompt, { token, threadId }: SeededUser): LoadRequest => ({
    method: 'POST',
    path: `/api/threads/${threadId}/models/${MODELS.free}/messages`,
    headers: headersOf(token),
    body: JSON.stringify({ content: promptOf(tokens, everyMs), stream: isStream }),
});
