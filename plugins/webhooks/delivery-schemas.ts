import Joi from 'joi';

import { pageParams, type PageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';

import type { Delivery, DeliveryStatus } from './api.ts';
import type { AttemptEntry } from './delivery-codec.ts';

const STATUSES: DeliveryStatus[] = ['pending', 'delivered', 'failed', 'cancelled'];
const REPLAYABLE_MS = 7 * 24 * 3_600_000;

const time = () => Joi.string().isoDate();
const status = () => Joi.string().valid(...STATUSES);

export interface DeliveryParams {
    webhookId: string;
    deliveryId: string;
}

export const deliveryParams = Joi.object<DeliveryParams>({
    webhookId: idSchema('hook').required(),
    deliveryId: idSchema('dlv').required(),
}).label('DeliveryParams');

export interface DeliveryQuery extends PageParams {
    status?: DeliveryStatus;
}

export const deliveryQuery = Joi.object<DeliveryQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    status: status(),
}).label('DeliveryQuery');

export interface ReplayPayload {
    since: Date;
}

export const replayPayload = Joi.object<ReplayPayload>({
    since: Joi.date()
        .iso()
        .max('now')
        .custom((since: Date, helpers) =>
            since.getTime() < Date.now() - REPLAYABLE_MS ? helpers.error('date.replayable') : since,
        )
        .messages({ 'date.replayable': 'is more than 7 days ago: events are not kept longer' })
        .required(),
})
    .example({ since: '2026-11-20T10:00:00.000Z' })
    .label('ReplayWebhook');

/** A delivery with its attempts, oldest first, and the body that is sent each time. */
export interface DeliveryView {
    delivery: Delivery;
    attempts: AttemptEntry[];
    body: string;
}

/** How many events are sent again; and from when on there are more, if there are. */
export interface Replay {
    count: number;
    nextSince: string | null;
}

const deliverySchema = Joi.object<Delivery>({
    id: Joi.string(),
    webhookId: Joi.string(),
    eventId: Joi.string().description('the webhook-id that the receiver sees'),
    eventType: Joi.string(),
    status: status(),
    reason: Joi.string()
        .valid('exhausted', 'gone', 'failing', 'disabled', 'expired', 'backlog')
        .allow(null)
        .description('why it ended without a success; backlog: too many others waited'),
    tries: Joi.number().integer().description('attempts since it was last begun'),
    createdAt: time(),
    nextAttemptAt: time().allow(null),
    endedAt: time().allow(null),
}).label('Delivery');

const attemptSchema = Joi.object<AttemptEntry>({
    at: time(),
    outcome: Joi.string().valid('delivered', 'failed', 'gone'),
    status: Joi.number().integer().allow(null).description('null when there was no answer'),
    durationMs: Joi.number(),
    failure: Joi.string().allow(null).description('why it failed, as timeout, connection, tls, redirect or status'),
    responseBody: Joi.string().allow('').description('the first KiB of the answer'),
}).label('DeliveryAttempt');

export const deliveryAnswer = Joi.object({ delivery: deliverySchema }).label('DeliveryData');
export const deliveriesAnswer = Joi.object({
    deliveries: Joi.array().items(deliverySchema).label('Deliveries'),
}).label('DeliveriesData');
export const deliveryViewAnswer = Joi.object({
    delivery: deliverySchema,
    attempts: Joi.array().items(attemptSchema).description('the last ten, oldest first').label('DeliveryAttempts'),
    body: Joi.string().description('what is sent, each time the same'),
}).label('DeliveryViewData');
export const attemptAnswer = Joi.object({ attempt: attemptSchema }).label('DeliveryAttemptData');
export const replayAnswer = Joi.object({
    replay: Joi.object<Replay>({
        count: Joi.number().integer().description('events that are sent again'),
        nextSince: time().allow(null).description('ask again from then on: there are more'),
    }).label('WebhookReplay'),
}).label('WebhookReplayData');

export const deliveryExample: Delivery = {
    id: 'dlv_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    webhookId: 'hook_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    eventId: 'evt_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    eventType: 'vm.started',
    status: 'delivered',
    reason: null,
    tries: 1,
    createdAt: '2026-11-20T10:45:00.000Z',
    nextAttemptAt: null,
    endedAt: '2026-11-20T10:45:00.120Z',
};

export const attemptExample: AttemptEntry = {
    at: '2026-11-20T10:45:00.000Z',
    outcome: 'delivered',
    status: 204,
    durationMs: 87,
    failure: null,
    responseBody: '',
};

export const deliveryViewExample: DeliveryView = {
    delivery: deliveryExample,
    attempts: [attemptExample],
    body: JSON.stringify({
        type: 'vm.started',
        timestamp: '2026-11-20T10:45:00.000Z',
        data: { vmId: 'vm_01K9ZQ4V7N8M3T5R2W6X1Y0ABC' },
        id: 'evt_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
    }),
};
