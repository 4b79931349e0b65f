import Joi from 'joi';

import { threadExample, threadSchema } from './schemas.ts';

import type { Summary } from './summary-codec.ts';

const text = 'A weekend in Lisbon is planned: the castle on Saturday, the tram on Sunday. The hotel is still open.';
const generatedAt = '2026-11-20T10:40:00.000Z';

/** A summary as the API shows it. */
export const publicSummary = ({ text: summary, tokens, generatedAt: at, modelUsed }: Summary) => ({
    summary,
    tokens,
    generatedAt: at,
    modelUsed,
});

export const summaryAnswer = Joi.object({
    summary: Joi.string(),
    tokens: Joi.number().integer().description('by estimate'),
    generatedAt: Joi.string().isoDate(),
    modelUsed: Joi.string(),
}).label('SummaryData');
export const summaryExample = { summary: text, tokens: 26, generatedAt, modelUsed: 'sandbox' };

export const deletedSummaryAnswer = Joi.object({
    deletedSummary: Joi.string().description('id of the model'),
}).label('DeletedSummaryData');

/** One thread, with what it knows of each model. */
export const threadDetailsAnswer = Joi.object({
    thread: threadSchema
        .keys({
            models: Joi.object()
                .pattern(
                    Joi.string(),
                    Joi.object({
                        messageCount: Joi.number().integer(),
                        lastMessageAt: Joi.string().isoDate(),
                        summary: Joi.string().allow(null),
                        summaryUpdatedAt: Joi.string().isoDate().allow(null),
                    }).label('ThreadModelDetails'),
                )
                .label('ThreadModelsDetails'),
        })
        .label('ThreadDetails'),
}).label('ThreadDetailsData');

const { sandbox } = threadExample.models;
export const threadDetailsExample = {
    thread: {
        ...threadExample,
        summary: text,
        models: { sandbox: { ...sandbox, summary: text, summaryUpdatedAt: generatedAt } },
    },
};
