import { isoTime } from '../../src/redis/codec.ts';

import type { Thread } from './api.ts';
import type { Summary } from './summary-codec.ts';

/** A thread as the API shows it. */
export function publicThread({ userId: _owner, models, ...thread }: Thread) {
    const shown = Object.entries(models).map(([id, { messageCount, lastMessageAt }]) => [
        id,
        { messageCount, lastMessageAt: isoTime(lastMessageAt) },
    ]);
    return { ...thread, activeModels: Object.keys(models), models: Object.fromEntries(shown) };
}

/** One thread as the API shows it, with the summaries of its models. */
export function threadDetails(thread: Thread, summaries: Map<string, Summary | null>) {
    const details = Object.entries(thread.models).map(([id, { messageCount, lastMessageAt }]) => {
        const summary = summaries.get(id);
        const shown = { summary: summary?.text ?? null, summaryUpdatedAt: summary?.generatedAt ?? null };
        return [id, { messageCount, lastMessageAt: isoTime(lastMessageAt), ...shown }];
    });
    return { ...publicThread(thread), models: Object.fromEntries(details) as Record<string, object> };
}
