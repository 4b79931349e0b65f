import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { describeFailure, type Target } from './target.ts';
import { DIAGNOSE, formatDiagnosis, probe, skipped, type TargetDiagnosis } from '../link/diagnosis.ts';

import type { Dispatcher } from 'undici';
import type { Targets } from './targets.ts';
import type { LinkRequest } from '../link/types.ts';

const LOOKUP_TIMEOUT_MS = 2_000;
const UPSTREAM_TIMEOUT_MS = 4_000;

/** Answers a request that is for the agent itself: at once that it is there, then how it reaches its targets. */
export async function diagnose(request: LinkRequest, targets: Targets, dispatcher: Dispatcher): Promise<void> {
    if (request.path !== DIAGNOSE.path) return request.fail('refused');
    const found = async function* () {
        const reached = await Promise.all(targets.all.map((target) => diagnoseTarget(target, dispatcher)));
        yield formatDiagnosis([...reached, ...targets.unfollowed.map(notFollowed)]);
    };
    await request.respond({ status: 200, headers: [] }, found());
}

async function diagnoseTarget(target: Target, dispatcher: Dispatcher): Promise<TargetDiagnosis> {
    const { id: endpoint, url } = target;
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const nameResolution = isIP(name)
        ? skipped('It is an address, not a name')
        : await probe(() => resolve(name), describeFailure);
    if (nameResolution.status === 'failed') {
        return { endpoint, nameResolution, upstream: skipped('Its name is not known') };
    }
    const upstream = await probe(
        async () => `It answered ${await target.ask(dispatcher, UPSTREAM_TIMEOUT_MS)}`,
        describeFailure,
    );
    return { endpoint, nameResolution, upstream };
}

/** The system's own way, and that has no end that one could set. */
async function resolve(name: string): Promise<string> {
    const late = new AbortController();
    const isKnown = lookup(name).then(() => true);
    const isLate = sleep(LOOKUP_TIMEOUT_MS, false, { signal: late.signal });
    // The one that loses has nobody left to tell.
    for (const each of [isKnown, isLate]) each.catch(() => undefined);
    try {
        if (await Promise.race([isKnown, isLate])) return 'Its name is known';
    } finally {
        late.abort();
    }
    throw new Error('Its name was not found out in time');
}

const notFollowed = ({ endpoint, error = 'Not followed' }: Targets['unfollowed'][number]): TargetDiagnosis => ({
    endpoint,
    nameResolution: skipped(error),
    upstream: skipped(error),
});
