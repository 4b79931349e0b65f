import { openCursor, sealCursor } from '../../src/redis/cursor.ts';

import type { JobPlace, JobState } from '../../src/jobs/job-list.ts';
import type { Vault } from '../../src/security/vault.ts';

/** Places in the list of jobs, as clients have them: sealed for the one state. */
export interface JobCursors {
    seal(state: JobState, place: JobPlace): string;
    /** The beginning, without one. @throws INVALID_CURSOR */
    open(state: JobState, cursor: string | undefined): JobPlace;
}

export const jobCursors = (vault: Vault): JobCursors => ({
    seal: (state, { maintenance, deliveries }) =>
        sealCursor(vault, `jobs ${state}`, { score: String(maintenance), id: String(deliveries) }),
    open(state, cursor) {
        if (cursor === undefined) return { maintenance: 0, deliveries: 0 };
        const { score, id } = openCursor(vault, `jobs ${state}`, cursor);
        return { maintenance: Number(score), deliveries: Number(id) };
    },
});
