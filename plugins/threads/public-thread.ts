import { isoTime } from '../../src/redis/codec.ts';

import type { Thread } from './api.ts';

/** A thread as the API shows it. */
export function publicThread({ userId: _owner, models, ...thread }: Thread) {
    const shown = Object.entries(models).map(([id, { messageCount, lastMessageAt }]) => [
        id,
        { messageCount, lastMessageAt: isoTime(lastMessageAt) },
    ]);
    return { ...thread, activeModels: Object.keys(models), models: Object.fromEntries(shown) };
}
