import Joi from 'joi';

const breakerSchema = Joi.object({
    name: Joi.string().description('`<provider>:<origin>`'),
    state: Joi.string().valid('closed', 'open', 'half_open'),
    failures: Joi.number().integer().description('in a row'),
    retryAt: Joi.string().isoDate().allow(null).description('when an open one lets a call through'),
}).label('Breaker');

const closed = { name: 'openai:https://api.openai.com', state: 'closed', failures: 0, retryAt: null };

export const breakersAnswer = Joi.object({ breakers: Joi.array().items(breakerSchema).label('Breakers') }).label(
    'BreakersData',
);
export const breakersExample = {
    breakers: [
        {
            name: 'anthropic:https://api.anthropic.com',
            state: 'open',
            failures: 5,
            retryAt: '2026-11-20T10:31:00.000Z',
        },
        closed,
    ],
};

export const breakerAnswer = Joi.object({ breaker: breakerSchema }).label('BreakerData');
export const breakerExample = { breaker: closed };

export interface BreakerParams {
    name: string;
}

export const breakerParams = Joi.object<BreakerParams>({
    name: Joi.string().max(300).required().example('openai:https://api.openai.com'),
}).label('BreakerParams');
