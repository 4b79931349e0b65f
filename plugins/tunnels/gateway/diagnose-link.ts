import {
    DIAGNOSE,
    MOST_DIAGNOSIS,
    parseDiagnosis,
    probe,
    skipped,
    type Probe,
    type TargetDiagnosis,
} from '../link/diagnosis.ts';
import { LinkClosed, StreamReset } from '../link/link.ts';

import type { HeldLink } from './held-link.ts';
import type { RelayAnswer } from '../../../src/relay/types.ts';
import type { TunnelRecords } from '../api.ts';

const LATE_MS = 8_000;
const NO_ANSWER = 'The agent did not answer in time';

/** What was found out about a link and what is behind it. */
export interface LinkDiagnosis {
    /** Its duration is the round trip between the API and the agent. */
    agentConnection: Probe;
    authentication: Probe;
    /** Null: the agent did not tell. */
    targets: TargetDiagnosis[] | null;
}

/** Asks everything of a link that this replica holds; takes eight seconds at most. */
export async function diagnoseLink(
    held: Pick<HeldLink, 'place' | 'token' | 'link'>,
    tunnels: Pick<TunnelRecords, 'authenticate'>,
    lateMs = LATE_MS,
): Promise<LinkDiagnosis> {
    const late = AbortSignal.timeout(lateMs);
    const asked: { answer?: RelayAnswer } = {};
    const [agentConnection, authentication] = await Promise.all([
        probe(async () => {
            asked.answer = await held.link.request(DIAGNOSE, null, late);
            return 'The agent answers';
        }, describe),
        probe(() => authenticate(held, tunnels), describe),
    ]);
    const targets = asked.answer ? await read(asked.answer).catch(() => null) : null;
    return { agentConnection, authentication, targets };
}

/** When there is a link and nothing can be found out about it. */
export const undiagnosed = (message: string): LinkDiagnosis => ({
    agentConnection: { status: 'failed', durationMs: null, message },
    authentication: skipped(message),
    targets: null,
});

async function authenticate(
    { place, token }: Pick<HeldLink, 'place' | 'token'>,
    tunnels: Pick<TunnelRecords, 'authenticate'>,
): Promise<string> {
    const known = await tunnels.authenticate(place.tunnelId, token);
    if (known === null) throw new Error('The token of the agent is not that of the tunnel any more');
    return 'The token of the agent is that of the tunnel';
}

async function read({ body }: RelayAnswer): Promise<TargetDiagnosis[]> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body) {
        length += chunk.length;
        if (length > MOST_DIAGNOSIS) throw new RangeError('A diagnosis is too long');
        chunks.push(chunk);
    }
    return parseDiagnosis(Buffer.concat(chunks));
}

function describe(error: unknown): string {
    if (error instanceof StreamReset) {
        if (error.code === 'cancelled') return NO_ANSWER;
        return error.code === 'refused' ? 'The agent is stopping, or as busy as it may be' : 'The agent cannot answer';
    }
    if (error instanceof LinkClosed) return 'The connection was lost';
    return error instanceof Error ? error.message : 'It failed';
}
