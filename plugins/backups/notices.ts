import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import Joi from 'joi';

import { backupIdSchema } from './backup-id.ts';
import { apiError } from '../../src/http/errors.ts';
import { idSchema } from '../../src/ids.ts';
import { audited } from '../../src/redis/outbox.ts';

import type { StatsStore } from './stats-store.ts';
import type { Clock } from '../../src/clock.ts';
import type { Caller } from '../../src/types/actor.ts';

const MOST_OFF_MS = 5 * 60_000;
const SIGNATURE = /^v1=([0-9a-f]{64})$/;

/** What is told of a backup that was made elsewhere. */
export interface BackupNotice {
    tenantId: string;
    backupId: string;
    status: 'completed' | 'failed';
    metadata?: { tables?: number; records?: number; duration?: string };
}

const figure = () => Joi.number().integer().min(0);

const noticeSchema = Joi.object<BackupNotice>({
    tenantId: idSchema('tenant').required(),
    backupId: backupIdSchema().required(),
    status: Joi.string().valid('completed', 'failed').required(),
    metadata: Joi.object({ tables: figure(), records: figure(), duration: Joi.string().max(50) }),
});

/** A notice as it came, with the headers that vouch for it. */
export interface SignedNotice {
    body: Buffer;
    timestamp: string | undefined;
    signature: string | undefined;
}

/** Takes notices of backups that were made elsewhere. */
export class Notices {
    readonly #secret: string | undefined;
    readonly #stats: StatsStore;
    readonly #clock: Clock;

    constructor(secret: string | undefined, stats: StatsStore, clock: Clock) {
        this.#secret = secret;
        this.#stats = stats;
        this.#clock = clock;
    }

    /** @throws NOTICES_OFF, NOTICE_REFUSED, VALIDATION_ERROR, TENANT_NOT_FOUND */
    async take(caller: Caller, notice: SignedNotice): Promise<BackupNotice> {
        this.#check(notice);
        const told = parse(notice.body);
        const { tenantId, backupId, status, metadata } = told;
        const entry = { action: 'backup.external', resource: 'backup', resourceId: backupId };
        const outbox = {
            events: [{ type: `backup.${status}` as const, data: { backupId, external: true, ...metadata } }],
            audit: [audited(caller, { ...entry, result: 'success', details: { status, ...metadata } })],
        };
        const digest = createHash('sha256').update(`${notice.timestamp}.`).update(notice.body).digest('hex');
        const noted = await this.#stats.noteExternal(tenantId, { digest, status, outbox });
        if (noted === 'no tenant') throw apiError('TENANT_NOT_FOUND');
        if (noted === 'known') throw apiError('NOTICE_REFUSED');
        return told;
    }

    #check({ body, timestamp = '', signature = '' }: SignedNotice): void {
        if (this.#secret === undefined) throw apiError('NOTICES_OFF');
        const claimed = SIGNATURE.exec(signature)?.[1];
        if (claimed === undefined || !/^\d{1,12}$/.test(timestamp)) throw apiError('NOTICE_REFUSED');
        const expected = createHmac('sha256', this.#secret).update(`${timestamp}.`).update(body).digest();
        const isSigned = timingSafeEqual(expected, Buffer.from(claimed, 'hex'));
        const isInTime = Math.abs(this.#clock() - Number(timestamp) * 1000) <= MOST_OFF_MS;
        if (!isSigned || !isInTime) throw apiError('NOTICE_REFUSED');
    }
}

/** Only what is signed is looked at. @throws VALIDATION_ERROR */
function parse(body: Buffer): BackupNotice {
    let value: unknown;
    try {
        value = JSON.parse(body.toString('utf8'));
    } catch {
        throw apiError('VALIDATION_ERROR', { details: { fields: { body: 'must be JSON' } } });
    }
    const read = noticeSchema.validate(value, { abortEarly: false, convert: false });
    if (!read.error) return read.value;
    const faults = read.error.details.map(({ path, message }) => [path.join('.') || 'body', message]);
    throw apiError('VALIDATION_ERROR', { details: { fields: Object.fromEntries(faults) } });
}
