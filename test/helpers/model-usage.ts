import { setTimeout as sleep } from 'node:timers/promises';

import type { TestTenant } from './tenant.ts';

/** The end of an answer of OpenAI whose tokens are told: 6 fresh and 4 cached ones in, 5 out, 2 of them thoughts. */
export const TOLD = [
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    {
        choices: [],
        usage: {
            prompt_tokens: 10,
            completion_tokens: 5,
            prompt_tokens_details: { cached_tokens: 4 },
            completion_tokens_details: { reasoning_tokens: 2 },
        },
    },
]
    .map((part) => `data: ${JSON.stringify(part)}\n\n`)
    .concat('data: [DONE]\n\n')
    .join('');

type Caller = Pick<TestTenant, 'call'>;

/** What the user has called models for. */
export async function readUsage(user: Caller, query = '') {
    const { body } = await user.call('GET', `/api/profile/usage/models${query}`);
    return body.data.usage;
}

/** The same once so many calls are counted: those of `/v1` are not waited for by their clients. */
export async function usageOf(user: Caller, calls: number) {
    for (;;) {
        const usage = await readUsage(user);
        if (usage.total.calls >= calls) return usage;
        await sleep(100);
    }
}
