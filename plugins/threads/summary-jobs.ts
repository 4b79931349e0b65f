import { createHash } from 'node:crypto';

import { isApiError, type ErrorCode } from '../../src/http/errors.ts';
import { PAYMENT_ERRORS } from '../billing/api.ts';

import type { ContextPlace } from './message-codec.ts';
import type { CallContext } from './store.ts';
import type { SummaryService } from './summary-service.ts';
import type { Background } from '../../src/background.ts';
import type { JobData, Jobs } from '../../src/jobs/jobs.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { ProfileService } from '../profile/api.ts';
import type { TenantService } from '../tenants/api.ts';
import type { UserService } from '../users/api.ts';

export const SUMMARIZE = 'summarize-thread';
/** After three failures it is left alone until the next ones are due. */
const ATTEMPTS = 3;
/** A question and its answer. */
const NEW_MESSAGES = 2;

/** Tells of an answer that was stored, and of what was read for its call. */
export type AnswerStored = (place: ContextPlace, context: CallContext, isNew: boolean, requestId: string) => void;

export interface SummaryTriggerParts {
    jobs: Jobs;
    background: Background;
    profile: Pick<ProfileService, 'callDefaults'>;
}

/**
 * Leaves a job when there are enough messages that no summary covers. Nobody waits for that, and a queue that is away
 * is only told to the log: the next answers try again.
 */
export const createSummaryTrigger =
    ({ jobs, background, profile }: SummaryTriggerParts): AnswerStored =>
    ({ tenantId, ownerId: userId, threadId, modelId }, { total, summary, profile: settings }, isNew, requestId) => {
        const uncovered = total - (summary?.count ?? 0) + (isNew ? NEW_MESSAGES : 0);
        // One that failed is due again after as many messages more.
        const times = Math.floor(uncovered / profile.callDefaults(settings).summarizationInterval);
        if (times === 0) return;
        const model = createHash('sha256').update(modelId).digest('hex').slice(0, 16);
        const id = ['summarize', threadId, model, summary?.upTo ?? '0', times].join('-');
        const data = { tenantId, userId, threadId, modelId, requestId };
        background.run('threads', requestId, () => jobs.add(SUMMARIZE, data, { id, attempts: ATTEMPTS }));
    };

export interface SummaryJobParts {
    summaries: SummaryService;
    tenants: Pick<TenantService, 'get'>;
    users: Pick<UserService, 'get'>;
    logger: Logger;
}

/** What may be gone when the job's turn comes. */
const GONE = new Set<string>([
    'TENANT_NOT_FOUND',
    'USER_NOT_FOUND',
    'THREAD_NOT_FOUND',
    'MODEL_NOT_FOUND',
    'SUMMARY_NOT_FOUND',
] satisfies ErrorCode[]);

/** What cannot be paid is left undone: it is due again after some more messages. */
const UNPAID = new Set<string>(PAYMENT_ERRORS);

/** What may go better in a while; the user's key, say, or what the provider thinks of the messages does not. */
const PASSING = new Set<string>([
    'PROVIDER_RATE_LIMITED',
    'PROVIDER_ERROR',
    'PROVIDER_OVERLOADED',
    'PROVIDER_TIMEOUT',
    'CIRCUIT_OPEN',
    'TUNNEL_OFFLINE',
    'TUNNEL_BUSY',
    'TUNNEL_TIMEOUT',
    'TUNNEL_ERROR',
    'PROXY_BUSY',
    'PROXY_OFFLINE',
    'STORE_UNAVAILABLE',
    'INTERNAL_ERROR',
] satisfies ErrorCode[]);

/** Does the job. @throws What another try may help against */
export async function summarizeInTurn(parts: SummaryJobParts, data: JobData): Promise<void> {
    const { tenantId, userId: ownerId = '', threadId = '', modelId = '', requestId = '' } = data;
    const place = { tenantId, ownerId, threadId, modelId };
    try {
        if (await isInStanding(parts, place)) await parts.summaries.summarizeIfDue(place, requestId);
    } catch (error) {
        const code = codeOf(error);
        if (PASSING.has(code)) throw error;
        if (GONE.has(code) || UNPAID.has(code)) return;
        parts.logger.warn({ module: 'threads', requestId, ...place, code }, 'A conversation was not summarised');
    }
}

/** Whether the owner could ask for it himself. */
async function isInStanding({ tenants, users }: SummaryJobParts, place: ContextPlace): Promise<boolean> {
    const { status } = await tenants.get(place.tenantId);
    return status === 'active' && (await users.get(place.tenantId, place.ownerId)).isActive;
}

const codeOf = (error: unknown): string => (isApiError(error) && error.data?.code) || 'INTERNAL_ERROR';
