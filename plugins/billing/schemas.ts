import Joi from 'joi';

import { shown, shownKeys } from './amounts.ts';
import { ENTRY_TYPES } from './entry.ts';
import { pageParams } from '../../src/http/pagination.ts';
import { idSchema } from '../../src/ids.ts';
import { dollars, jsonAmount, microsSchema, type Micros } from '../../src/money.ts';
import { PLATFORM } from '../../src/redis/keys.ts';

import type { CreditChange, RefundOrder } from './credit-service.ts';
import type { HistoryQuery } from './history.ts';

const text = () => Joi.string().allow(null);
const count = () => Joi.number().integer().min(0);

const creditsSchema = Joi.object({
    ...shownKeys('balance'),
    ...shownKeys('held'),
    ...shownKeys('available'),
    ...shownKeys('spent'),
    ...shownKeys('lowCredit'),
}).label('Credits');

const creditsExample = {
    ...shown('balance', 4_950_000n),
    ...shown('held', 20_000n),
    ...shown('available', 4_930_000n),
    ...shown('spent', 50_000n),
    ...shown('lowCredit', 1_000_000n),
};

export const creditsAnswer = Joi.object({ credits: creditsSchema }).label('CreditsData');
export const creditsData = { credits: creditsExample };

const usageSchema = Joi.object({
    inputFresh: count(),
    cacheRead: count(),
    cacheWrite: count(),
    output: count(),
    reasoning: count(),
    isEstimated: Joi.boolean(),
})
    .allow(null)
    .description('tokens')
    .label('BilledUsage');

const recordSchema = Joi.object({
    id: idSchema('bill'),
    type: Joi.string().valid(...ENTRY_TYPES),
    ...shownKeys('amount'),
    balanceMicros: microsSchema().description('the balance after it'),
    userId: text(),
    keyId: text().description('the service API key that the request came with'),
    modelId: text(),
    threadId: text(),
    messageId: text(),
    vmId: text(),
    projectId: text(),
    tunnelId: text(),
    usage: usageSchema,
    minutes: count().allow(null).description('of a VM that was running'),
    priceVersion: text(),
    isEstimated: Joi.boolean().description('tokens were counted from the text, or their price was taken from another'),
    unpaidMicros: microsSchema().description('what nobody could pay of it any more'),
    refundOf: text().description('the record that it gives back'),
    reason: text(),
    description: Joi.string(),
    createdAt: Joi.string().isoDate(),
}).label('BillingRecord');

const NOTHING = { userId: null, keyId: null, modelId: null, threadId: null, messageId: null, priceVersion: null };

const ID = '01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

const grantExample = {
    id: `bill_${ID}`,
    type: 'credit_add',
    ...shown('amount', 5_000_000n),
    balanceMicros: 5_000_000,
    ...NOTHING,
    vmId: null,
    projectId: null,
    tunnelId: null,
    usage: null,
    minutes: null,
    isEstimated: false,
    unpaidMicros: 0,
    refundOf: null,
    reason: 'Prepaid by transfer 1234',
    description: 'Credit added',
    createdAt: '2026-11-20T10:30:00.000Z',
};

const chargeExample = {
    ...grantExample,
    type: 'model_usage',
    ...shown('amount', -50_000n),
    balanceMicros: 4_950_000,
    userId: `user_${ID}`,
    modelId: 'claude-opus-4-6',
    threadId: `thread_${ID}`,
    messageId: `msg_${ID}`,
    priceVersion: '2026-11-01',
    usage: { inputFresh: 1_200, cacheRead: 0, cacheWrite: 0, output: 800, reasoning: 0, isEstimated: false },
    reason: null,
    description: 'Call of claude-opus-4-6',
};

const refundExample = {
    ...grantExample,
    type: 'refund',
    ...shown('amount', 50_000n),
    refundOf: `bill_${ID}`,
    reason: 'The answer was empty',
    description: `Refund of bill_${ID}`,
};

export const movedAnswer = Joi.object({ record: recordSchema, credits: creditsSchema }).label('MovedCreditsData');
export const grantData = { record: grantExample, credits: creditsExample };
export const refundData = { record: refundExample, credits: creditsExample };

const tenantId = () =>
    Joi.alternatives(idSchema('tenant'), Joi.string().valid(PLATFORM)).required().example(`tenant_${ID}`);
const reason = () => Joi.string().trim().min(1).max(500).required();

/** @param most What one grant may add or take, in dollars */
export const grantPayload = (most: number) => {
    const limit = jsonAmount(dollars(most));
    return Joi.object<CreditChange>({
        tenantId: tenantId(),
        amountMicros: microsSchema()
            .min(-limit)
            .max(limit)
            .invalid(0)
            .required()
            .description('negative: it is taken')
            .example(1_000_000),
        reason: reason().example('Prepaid by transfer 1234'),
    })
        .example({ tenantId: `tenant_${ID}`, amountMicros: 1_000_000, reason: 'Prepaid by transfer 1234' })
        .label('GrantCredits');
};

export const refundPayload = Joi.object<RefundOrder>({
    tenantId: tenantId(),
    recordId: idSchema('bill').required(),
    amountMicros: microsSchema().min(1).description('all that is left of it unless given'),
    reason: reason().example('The answer was empty'),
})
    .example({ tenantId: `tenant_${ID}`, recordId: `bill_${ID}`, reason: 'The answer was empty' })
    .label('RefundCharge');

export const historyQuery = Joi.object<HistoryQuery>({
    ...pageParams({ usual: 20, most: 100 }),
    type: Joi.string().valid(...ENTRY_TYPES),
    userId: idSchema('user'),
    threadId: idSchema('thread'),
    vmId: Joi.string()
        .pattern(/^vm_[0-9A-HJKMNP-TV-Z]{26}$/, 'vm id')
        .example(`vm_${ID}`),
    modelId: Joi.string().max(100).example('sandbox'),
    from: Joi.date().iso().min('2020-01-01').max('2199-12-31').description('from then on'),
    to: Joi.date().iso().min('2020-01-01').max('2199-12-31').description('before then'),
}).label('HistoryQuery');

export const historyAnswer = Joi.object({ records: Joi.array().items(recordSchema).label('BillingRecords') }).label(
    'BillingRecordsData',
);
export const historyData = { records: [chargeExample, grantExample] };

const limitAmount = (): Joi.NumberSchema => microsSchema().min(0).allow(null);
const limitsById = (kind: 'user' | 'key') =>
    Joi.object().pattern(idSchema(kind), limitAmount()).max(100).description('null takes a limit away');

export const limitPayload = Joi.object({
    lowCreditMicros: limitAmount().description('a balance below that is told as an event; null: the default'),
    tenant: limitAmount().description('the most that a month may cost; null takes the limit away'),
    users: limitsById('user').label('UserSpendLimits'),
    keys: limitsById('key').label('KeySpendLimits'),
})
    .min(1)
    .example({ lowCreditMicros: 2_000_000, tenant: 50_000_000, users: { [`user_${ID}`]: 5_000_000 } })
    .label('SetSpendLimits');

const limitSchema = Joi.object({
    limitMicros: microsSchema().allow(null),
    ...shownKeys('spent'),
    ...shownKeys('held'),
}).label('SpendLimit');

const limitMap = (label: string) => Joi.object().pattern(Joi.string(), limitSchema).label(label);

export const limitsAnswer = Joi.object({
    limits: Joi.object({
        lowCreditMicros: microsSchema(),
        resetsAt: Joi.string().isoDate().description('when the next month begins'),
        tenant: limitSchema,
        users: limitMap('SpendLimitsByUser').description('those that have one'),
        keys: limitMap('SpendLimitsByKey').description('those that have one'),
    }).label('SpendLimits'),
}).label('SpendLimitsData');

const limitExample = (limit: Micros) => ({
    limitMicros: jsonAmount(limit),
    ...shown('spent', 50_000n),
    ...shown('held', 20_000n),
});

export const limitsData = {
    limits: {
        lowCreditMicros: 1_000_000,
        resetsAt: '2026-12-01T00:00:00.000Z',
        tenant: limitExample(50_000_000n),
        users: { [`user_${ID}`]: limitExample(5_000_000n) },
        keys: {},
    },
};
